//! The hidden command `xception worker`, which `xception ablate --jobs` starts.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use xception::Backend;
use xception::models::ModelConfig;
use xception::train::ablation::{Worker, Workers};

use crate::arguments::WorkerArguments;
use crate::signals::{exit_at_once, stop_signal_of_worker};

/// The variables that set the number of threads: of rayon's pool, and of matrix products on Burn's backend `ndarray`.
const THREADS: [&str; 2] = ["RAYON_NUM_THREADS", "MATMUL_NUM_THREADS"];

/// Describes processes of this program, `count` at most, that share the processor's threads.
///
/// # Errors
///
/// Where the system doesn't tell the program's own path.
pub fn workers(count: usize, out: &Path, backend: &Backend) -> Result<Workers> {
    let program = env::current_exe().context("can't find this program to start it again")?;
    let arguments: [OsString; 5] = [
        "worker".into(),
        "--out".into(),
        out.into(),
        "--backend".into(),
        backend.to_string().into(),
    ];
    // RAYON_NUM_THREADS of this process, or else what the processor has.
    let threads = rayon::current_num_threads();
    let command = move |index, of| {
        let mut command = Command::new(&program);
        command.args(&arguments);
        let share = share(threads, index, of).to_string();
        command.envs(THREADS.map(|name| (name, &share)));
        command
    };
    Ok(Workers {
        count,
        command: Box::new(command),
    })
}

/// Returns the threads of the process of this index among so many, at least one.
fn share(threads: usize, index: usize, of: usize) -> usize {
    let of = of.max(1);
    let more = usize::from(index < threads % of);
    (threads / of + more).max(1)
}

/// Trains the runs that standard input asks for.
pub fn run(arguments: &WorkerArguments) -> Result<()> {
    let backend = &arguments.device.backend;
    let worker = Worker {
        device: &backend.device()?,
        backend: backend.name(),
        out: arguments.out.clone(),
        stop: stop_signal_of_worker()?,
    };
    let input = BufReader::new(io::stdin());
    worker.run::<ModelConfig>(input, io::stdout(), || exit_at_once(0))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_shared_without_a_rest() {
        let shares = |threads, of| (0..of).map(|index| share(threads, index, of)).collect();
        let of_eight: Vec<usize> = shares(8, 3);
        assert_eq!(of_eight, [3, 3, 2]);
        let of_two: Vec<usize> = shares(2, 4);
        assert_eq!(of_two, [1, 1, 1, 1]);
        assert_eq!(share(4, 0, 1), 4);
    }
}
