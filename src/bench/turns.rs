//! Measurement of several workloads in turns.

use anyhow::Result;

use super::{Times, Workload};

/// Runs workloads one after the other, `rounds` times, and returns the times of each. Whatever slows the machine down for a
/// while so slows all of them down.
///
/// # Errors
///
/// If the device fails.
pub fn measure_in_turns(
    workloads: &mut [Workload],
    warm_up: usize,
    rounds: usize,
) -> Result<Vec<Times>> {
    let mut seconds = vec![Vec::new(); workloads.len()];
    for round in 0..warm_up + rounds {
        for (workload, seconds) in workloads.iter_mut().zip(&mut seconds) {
            let time = workload.time()?;
            if round >= warm_up {
                seconds.push(time);
            }
        }
    }
    Ok(seconds.iter().map(|seconds| Times::new(seconds)).collect())
}
