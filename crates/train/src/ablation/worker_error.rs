//! What can go wrong between an ablation and the processes that train its runs.

use std::io;

use thiserror::Error;

use crate::printable::Printable;

/// Errors of runs that are trained in processes of their own.
#[derive(Debug, Error)]
pub enum WorkerError {
    /// A process can't be started.
    #[error("can't start a process for a run: {cause}")]
    Start {
        /// Why not.
        cause: io::Error,
    },
    /// A process ended in the middle of a run.
    #[error("its process ended before it did ({status}){}", last_words(.output))]
    Ended {
        /// How it ended, such as `signal: 9 (SIGKILL)`.
        status: String,
        /// The end of what it wrote on standard error, a line an entry.
        output: Vec<String>,
    },
    /// A process says that its run failed.
    #[error("{}", Printable(.cause))]
    Run {
        /// What it says.
        cause: String,
    },
    /// The images aren't those that the ablation has planned with.
    #[error("the images of {} have changed since the ablation began", Printable(.name))]
    OtherImages {
        /// The data set.
        name: String,
    },
    /// A message isn't one of this version.
    #[error("a message between the ablation and its processes can't be used: {cause}")]
    Message {
        /// The problem.
        cause: String,
    },
}

fn last_words(output: &[String]) -> String {
    match output {
        [] => String::new(),
        lines => format!("; it wrote: {}", Printable(lines.join(" | "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_process_has_its_last_words() {
        let ended = |output: &[&str]| {
            let output = output.iter().map(|line| (*line).to_owned()).collect();
            let status = "signal: 9 (SIGKILL)".to_owned();
            WorkerError::Ended { status, output }.to_string()
        };
        let text = "its process ended before it did (signal: 9 (SIGKILL))";
        assert_eq!(ended(&[]), text);
        let expected = format!("{text}; it wrote: thread panicked | at \\u{{1b}}[31mx");
        assert_eq!(ended(&["thread panicked", "at \u{1b}[31mx"]), expected);
    }
}
