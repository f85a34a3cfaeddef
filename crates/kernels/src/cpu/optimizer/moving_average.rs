//! Exponential moving averages.

use pulp::Arch;
use rayon::prelude::*;

use super::{Divided, TASK};

/// Moves averages towards values by a share of the distance.
pub(crate) fn step(averages: &mut [f32], values: &[f32], share: f32) {
    let arch = Arch::new();
    let tasks = averages.par_chunks_mut(TASK);
    tasks
        .zip(values.par_chunks(TASK))
        .divided()
        .for_each(|(averages, values)| {
            let each = averages.iter_mut().zip(values);
            arch.dispatch(
                #[inline(always)]
                || each.for_each(|(average, value)| *average += (value - *average) * share),
            );
        });
}
