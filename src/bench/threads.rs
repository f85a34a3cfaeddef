//! The number of threads to compute on.

use std::env;
use std::process::Command;

use anyhow::{Context, Result};

/// Variable that sets the number of threads for matrix products on Burn's backend `ndarray`. It is read once, and
/// can't be changed safely while a program runs.
const NDARRAY_THREADS: &str = "MATMUL_NUM_THREADS";

/// Limits the threads that compute on the processor, and returns their number; without a limit all of the machine's
/// are used. It must be called before the first tensor is made.
///
/// All kernels, and the matrix products of `flex`, run in rayon's global pool. With `ndarray` the program starts
/// itself again with a changed environment, and exits with that process's code.
///
/// # Errors
///
/// If threads can't be started.
pub fn limit_threads(threads: Option<usize>, backend: &str) -> Result<usize> {
    let Some(threads) = threads else {
        return Ok(rayon::current_num_threads());
    };
    let text = threads.to_string();
    if backend == "ndarray" && env::var(NDARRAY_THREADS).ok().as_deref() != Some(&text) {
        let status = Command::new(env::current_exe()?)
            .args(env::args_os().skip(1))
            .env(NDARRAY_THREADS, &text)
            .status()
            .context("can't start the program again with fewer threads")?;
        std::process::exit(status.code().unwrap_or(1));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .with_context(|| format!("can't start {threads} threads"))?;
    Ok(threads)
}
