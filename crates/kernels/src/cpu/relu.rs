//! Rectified linear unit.

use pulp::Arch;
use rayon::prelude::*;

use super::output::{called_once, write_values, written_in_parts};

/// Elements of a task. 65,536 of them take about ten microseconds from the cache.
const TASK: usize = 65_536;

/// Returns `max(0, x)`, and NaN for NaN.
#[inline(always)]
pub(super) fn rectify(value: f32) -> f32 {
    if value <= 0.0 { 0.0 } else { value }
}

/// Returns the gradient of [`rectify`]: that of its output where the input is positive or NaN, else zero.
#[inline(always)]
pub(super) fn rectify_gradient(value: f32, gradient: f32) -> f32 {
    if value <= 0.0 { 0.0 } else { gradient }
}

/// Computes `max(0, x)` of each element, NaN for NaN.
pub(crate) fn forward(input: &[f32]) -> Vec<f32> {
    let arch = Arch::new();
    let tasks = input.par_chunks(TASK);
    written_in_parts(input.len(), TASK, tasks, |from, to| {
        arch.dispatch(called_once(
            #[inline(always)]
            || {
                let values = from.iter().map(
                    #[inline(always)]
                    |value| rectify(*value),
                );
                write_values(to, values)
            },
        ))
    })
}

/// Rectifies each element in place, as [`forward`] does.
pub(crate) fn in_place(values: &mut [f32]) {
    let arch = Arch::new();
    values.par_chunks_mut(TASK).for_each(|values| {
        arch.dispatch(
            #[inline(always)]
            || {
                for value in values {
                    *value = rectify(*value);
                }
            },
        );
    });
}

/// Computes the gradient of the input from the output and its gradient.
pub(crate) fn backward(output: &[f32], gradient: &[f32]) -> Vec<f32> {
    let arch = Arch::new();
    let tasks = output.par_chunks(TASK).zip(gradient.par_chunks(TASK));
    written_in_parts(output.len(), TASK, tasks, |(output, gradient), to| {
        arch.dispatch(called_once(
            #[inline(always)]
            || {
                let values = output.iter().zip(gradient).map(
                    #[inline(always)]
                    |(y, dy)| rectify_gradient(*y, *dy),
                );
                write_values(to, values)
            },
        ))
    })
}
