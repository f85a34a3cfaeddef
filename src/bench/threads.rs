//! The number of threads that compute.

use std::env;
use std::process::Command;

use anyhow::{Context, Result};

/// What the matrix products of Burn's backend `ndarray` take their number of threads from. They read it
/// once, and it can't be changed safely while a program runs.
const NDARRAY_THREADS: &str = "MATMUL_NUM_THREADS";

/// Lets at most this number of threads compute on the processor; has to come before the first tensor.
/// Without a number, all of the machine's do. Returns the number.
///
/// All kernels, and the matrix products of `flex`, run in rayon's global pool. With `ndarray` the program
/// starts itself again, with its environment changed, and ends as that process does.
///
/// # Errors
///
/// Where threads can't be started.
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
