//! Sums of squares.

use pulp::Arch;
use rayon::prelude::*;

use super::{Divided, TASK};

/// Sums that are kept side by side, so that each is added to once in a while.
const LANES: usize = 16;

/// Returns the sum of all squares. Tasks are added in their order.
pub(crate) fn sum(values: &[f32]) -> f64 {
    let arch = Arch::new();
    let tasks = values.par_chunks(TASK).divided();
    let sums: Vec<f64> = tasks
        .map(|values| {
            arch.dispatch(
                #[inline(always)]
                || task(values),
            )
        })
        .collect();
    sums.into_iter().sum()
}

/// Returns the sum of a task's squares.
#[inline(always)]
fn task(values: &[f32]) -> f64 {
    let square = |value: f32| f64::from(value) * f64::from(value);
    let mut sums = [0.0; LANES];
    let (rows, rest) = values.as_chunks::<LANES>();
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += square(*value);
        }
    }
    let rest: f64 = rest.iter().map(|value| square(*value)).sum();
    sums.into_iter().sum::<f64>() + rest
}
