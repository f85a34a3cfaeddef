//! The number of runs that train at the same time, as an argument.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use xception::train::numbers::counted;

use super::DeviceArguments;

/// The number of runs that train at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jobs {
    /// So many.
    Count(NonZeroUsize),
    /// As many as the processor has threads.
    Auto,
}

impl FromStr for Jobs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => match text.parse() {
                Ok(count) => Ok(Self::Count(count)),
                Err(_) => Err("give a whole number from 1, or auto".to_owned()),
            },
        }
    }
}

impl fmt::Display for Jobs {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(formatter),
            Self::Auto => formatter.write_str("auto"),
        }
    }
}

/// The most runs at once that make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Runs of the ablation.
    pub runs: usize,
    /// Threads of the processor that compute, where the processor is what computes.
    pub threads: Option<usize>,
}

impl Jobs {
    /// Returns the number of runs at once within these limits, and a note if it is less than was asked for.
    pub fn within(self, limits: Limits) -> (usize, Option<String>) {
        let asked = match self {
            Self::Count(count) => count.get(),
            Self::Auto => return (limits.threads.unwrap_or(1).min(limits.runs).max(1), None),
        };
        let (most, what) = match limits.threads {
            Some(threads) if threads < limits.runs => (threads, counted(threads, "thread")),
            _ => (limits.runs, counted(limits.runs, "run")),
        };
        if asked <= most {
            return (asked, None);
        }
        let there = if most == 1 { "there is" } else { "there are" };
        let note = format!("--jobs is {asked}, but {there} only {what}: --jobs is taken as {most}");
        (most, Some(note))
    }
}

/// Train runs for `xception ablate --jobs`, which starts this command, asks on standard input and reads on standard output.
#[derive(Debug, Args)]
pub struct WorkerArguments {
    /// The folder of the ablation.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub device: DeviceArguments,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_from_one_or_auto() {
        assert_eq!("auto".parse(), Ok(Jobs::Auto));
        assert_eq!("3".parse::<Jobs>().unwrap().to_string(), "3");
        for text in ["0", "-1", "", "1.5", "all", "99999999999999999999999"] {
            let error = text.parse::<Jobs>().unwrap_err();
            assert!(error.contains("from 1, or auto"), "{error}");
        }
    }

    #[test]
    fn more_than_there_are_runs_or_threads_is_taken_as_fewer() {
        let of = |text: &str, runs, threads| {
            let jobs: Jobs = text.parse().unwrap();
            jobs.within(Limits { runs, threads })
        };
        assert_eq!(of("2", 20, Some(2)), (2, None));
        assert_eq!(of("auto", 20, Some(8)), (8, None));
        assert_eq!(of("auto", 3, Some(8)), (3, None));
        assert_eq!(of("auto", 20, None), (1, None));
        assert_eq!(of("9", 20, None), (9, None));
        let (jobs, note) = of("9", 20, Some(4));
        assert_eq!(jobs, 4);
        let expected = "--jobs is 9, but there are only 4 threads: --jobs is taken as 4";
        assert_eq!(note.unwrap(), expected);
        let (jobs, note) = of("9", 1, None);
        assert_eq!(jobs, 1);
        assert!(note.unwrap().contains("there is only 1 run:"));
    }
}
