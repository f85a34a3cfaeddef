//! Max pooling.
//!
//! The maximum over the window's rows comes first, column by column, in whole vectors; then that over
//! its columns. Where a gradient is wanted, the winner's place in the window is kept as one byte.

use std::mem::MaybeUninit;

mod places;

use pulp::Arch;
use rayon::prelude::*;

use self::places::{Candidates, PlaneWithPlaces};
use super::output::{Unwritten, written_by};
use crate::Geometry;

/// Elements of planes that a task should have at least, as [`Depthwise`](super::depthwise::Depthwise)
/// has them.
const TASK: usize = 16_384;
/// Place of a column that lies in the padding: after that of any column that does not.
const PADDING: u32 = 1 << 16;

/// The sizes of a max pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaxPool {
    /// Images times channels.
    pub(crate) planes: usize,
    /// Height and width of the input.
    pub(crate) input: [usize; 2],
    /// Height and width of the output.
    pub(crate) output: [usize; 2],
    /// The window.
    pub(crate) geometry: Geometry,
}

impl MaxPool {
    /// Whether each window has a place for a byte, and reaches the input.
    pub(crate) fn serves(geometry: &Geometry) -> bool {
        let [rows, columns] = geometry.kernel;
        let padding = geometry.padding.pairs();
        let reaches = |axis: usize| {
            let (before, after) = padding[axis];
            before < geometry.kernel[axis] && after < geometry.kernel[axis]
        };
        rows * columns <= usize::from(u8::MAX)
            && geometry.dilation == [1, 1]
            && reaches(0)
            && reaches(1)
    }

    fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    fn output_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }

    fn planes_of_a_task(&self) -> usize {
        (TASK / self.input_plane()).max(1)
    }

    /// Columns of a padded row.
    fn padded(&self) -> usize {
        let reach = (self.output[1] - 1) * self.geometry.stride[1] + self.geometry.kernel[1];
        reach.max(self.geometry.padding.left + self.input[1])
    }

    /// The input's rows in the window of an output row, and the first one's index in the window.
    #[inline(always)]
    fn rows(&self, row: usize) -> (std::ops::Range<usize>, usize) {
        let start = row * self.geometry.stride[0];
        let end = start + self.geometry.kernel[0];
        let top = self.geometry.padding.top;
        let first = start.saturating_sub(top);
        let last = end.saturating_sub(top).min(self.input[0]);
        (first..last, (first + top) - start)
    }

    /// The output.
    pub(crate) fn forward(&self, input: &[f32]) -> Vec<f32> {
        let arch = Arch::new();
        let planes = self.planes_of_a_task();
        let write = |output: &mut Unwritten| {
            output
                .par_chunks_mut(planes * self.output_plane())
                .zip(input.par_chunks(planes * self.input_plane()))
                .for_each(|(output, input)| {
                    let mut best = vec![f32::NEG_INFINITY; self.padded()];
                    let outputs = output.chunks_exact_mut(self.output_plane());
                    for (input, output) in input.chunks_exact(self.input_plane()).zip(outputs) {
                        arch.dispatch(
                            #[inline(always)]
                            || self.plane(input, output, &mut best),
                        );
                    }
                });
        };
        // SAFETY: the tasks are all planes, and `plane` writes all of one.
        unsafe { written_by(self.planes * self.output_plane(), write) }
    }

    #[inline(always)]
    fn plane(&self, input: &[f32], output: &mut Unwritten, best: &mut [f32]) {
        let (left, stride) = (self.geometry.padding.left, self.geometry.stride[1]);
        let width = self.input[1];
        for (row, output) in output.chunks_exact_mut(self.output[1]).enumerate() {
            let (rows, _) = self.rows(row);
            let inside = &mut best[left..left + width];
            inside.copy_from_slice(&input[rows.start * width..][..width]);
            for row in rows.skip(1) {
                let values = &input[row * width..][..width];
                for (best, &value) in inside.iter_mut().zip(values) {
                    *best = larger(*best, value);
                }
            }
            match (self.geometry.kernel[1], stride) {
                (3, 2) => {
                    // Pairs of columns and the first of the next pair.
                    let (pairs, _) = best.as_chunks::<2>();
                    let next = best[2..].iter().step_by(2);
                    for ((to, &[one, two]), &three) in output.iter_mut().zip(pairs).zip(next) {
                        to.write(larger(larger(one, two), three));
                    }
                    debug_assert!(best.len() > 2 * (output.len() - 1) + 2);
                }
                (kernel, _) => {
                    for (column, to) in output.iter_mut().enumerate() {
                        let window = &best[column * stride..][..kernel];
                        to.write(window.iter().copied().fold(window[0], larger));
                    }
                }
            }
        }
    }

    /// The output, and each winner's place in its window: row times the window's columns, plus column.
    pub(crate) fn forward_with_places(&self, input: &[f32]) -> (Vec<f32>, Vec<u8>) {
        let arch = Arch::new();
        let planes = self.planes_of_a_task();
        let mut places = vec![0u8; self.planes * self.output_plane()];
        let write = |output: &mut Unwritten| {
            output
                .par_chunks_mut(planes * self.output_plane())
                .zip(places.par_chunks_mut(planes * self.output_plane()))
                .zip(input.par_chunks(planes * self.input_plane()))
                .for_each(|((output, places), input)| {
                    let mut candidates = Candidates::new(self);
                    output
                        .chunks_exact_mut(self.output_plane())
                        .zip(places.chunks_exact_mut(self.output_plane()))
                        .zip(input.chunks_exact(self.input_plane()))
                        .for_each(|((output, places), input)| {
                            arch.dispatch(PlaneWithPlaces {
                                pool: self,
                                input,
                                output,
                                places,
                                candidates: &mut candidates,
                            });
                        });
                });
        };
        // SAFETY: the tasks are all planes, and each task writes all of its own.
        let output = unsafe { written_by(self.planes * self.output_plane(), write) };
        (output, places)
    }

    /// The gradient of the input, from the winners' places and the gradient of the output.
    pub(crate) fn backward(&self, places: &[u8], gradient: &[f32]) -> Vec<f32> {
        let planes = self.planes_of_a_task();
        let [_, kernel] = self.geometry.kernel;
        let [stride_rows, stride_columns] = self.geometry.stride;
        let (top, left) = (self.geometry.padding.top, self.geometry.padding.left);
        let write = |input: &mut Unwritten| {
            input
                .par_chunks_mut(planes * self.input_plane())
                .zip(places.par_chunks(planes * self.output_plane()))
                .zip(gradient.par_chunks(planes * self.output_plane()))
                .for_each(|((input, places), gradient)| {
                    let input = zeroed(input);
                    input
                        .chunks_exact_mut(self.input_plane())
                        .zip(places.chunks_exact(self.output_plane()))
                        .zip(gradient.chunks_exact(self.output_plane()))
                        .for_each(|((input, places), gradient)| {
                            for (index, (place, value)) in places.iter().zip(gradient).enumerate() {
                                let (row, column) =
                                    (index / self.output[1], index % self.output[1]);
                                let place = usize::from(*place);
                                let row = row * stride_rows + place / kernel - top;
                                let column = column * stride_columns + place % kernel - left;
                                input[row * self.input[1] + column] += value;
                            }
                        });
                });
        };
        // SAFETY: the tasks are all planes, and all of them are set to zero first.
        unsafe { written_by(self.planes * self.input_plane(), write) }
    }
}

/// The larger value; NaN where one is.
#[inline(always)]
fn larger(best: f32, value: f32) -> f32 {
    if value > best || value.is_nan() {
        value
    } else {
        best
    }
}

fn zeroed(values: &mut Unwritten) -> &mut [f32] {
    values.fill(MaybeUninit::new(0.0));
    // SAFETY: all of it was written above.
    unsafe { values.assume_init_mut() }
}
