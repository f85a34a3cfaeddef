//! Max pooling.
//!
//! The maximum over the window's rows comes first, column by column, in whole vectors; then that over
//! its columns. Where a gradient is wanted, the index of the maximum in its window is kept as one byte.

mod indices;

use pulp::Arch;
use rayon::prelude::*;

pub(super) use self::indices::{Candidates, PlaneWithIndices};
use super::output::{Unwritten, write_parts, write_values, written_in_parts};
use crate::Geometry;

/// Elements of planes that a task should have at least, as [`Depthwise`](super::depthwise::Depthwise)
/// has them.
const TASK: usize = 16_384;
/// The index of a column that lies in the padding: after that of any column that does not.
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
    /// Returns whether each window reaches the input, and an index in it fits a byte.
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

    pub(super) fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    pub(super) fn output_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }

    pub(super) fn planes_of_a_task(&self) -> usize {
        (TASK / self.input_plane()).max(1)
    }

    /// Returns the columns of a padded row.
    fn padded(&self) -> usize {
        let reach = (self.output[1] - 1) * self.geometry.stride[1] + self.geometry.kernel[1];
        reach.max(self.geometry.padding.left + self.input[1])
    }

    /// Returns the input's rows in the window of an output row, and the first one's index in the window.
    #[inline(always)]
    fn rows(&self, row: usize) -> (std::ops::Range<usize>, usize) {
        let start = row * self.geometry.stride[0];
        let end = start + self.geometry.kernel[0];
        let top = self.geometry.padding.top;
        let first = start.saturating_sub(top);
        let last = end.saturating_sub(top).min(self.input[0]);
        (first..last, (first + top) - start)
    }

    /// Computes the output.
    pub(crate) fn forward(&self, input: &[f32]) -> Vec<f32> {
        let arch = Arch::new();
        let planes = self.planes_of_a_task();
        let (plane, part) = (self.output_plane(), planes * self.output_plane());
        let tasks = input.par_chunks(planes * self.input_plane());
        written_in_parts(self.planes * plane, part, tasks, |input, output| {
            let mut best = vec![f32::NEG_INFINITY; self.padded()];
            let inputs = input.chunks_exact(self.input_plane());
            let planes = output.chunks_exact_mut(plane);
            assert_eq!(inputs.len(), planes.len(), "planes of a task");
            for (input, output) in inputs.zip(planes) {
                arch.dispatch(
                    #[inline(always)]
                    || self.plane(input, output, &mut best),
                );
            }
            // SAFETY: the parts are whole planes, of which `plane` writes each to its end.
            unsafe { output.assume_init_mut() }
        })
    }

    /// Writes all of an output plane; `best` is a padded row.
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
                    // Pairs of columns and the first of the next pair. A padded row has the last window's third
                    // column, so that each output is written.
                    let (pairs, _) = best.as_chunks::<2>();
                    let next = best[2..].iter().step_by(2);
                    for ((to, &[one, two]), &three) in output.iter_mut().zip(pairs).zip(next) {
                        to.write(larger(larger(one, two), three));
                    }
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

    /// Computes the output, and the index of each maximum in its window: row times the window's columns,
    /// plus column.
    pub(crate) fn forward_with_indices(&self, input: &[f32]) -> (Vec<f32>, Vec<u8>) {
        let arch = Arch::new();
        let planes = self.planes_of_a_task();
        let (plane, part) = (self.output_plane(), planes * self.output_plane());
        let mut indices = vec![0u8; self.planes * plane];
        let tasks = indices
            .par_chunks_mut(part)
            .zip(input.par_chunks(planes * self.input_plane()));
        let length = self.planes * plane;
        let output = written_in_parts(length, part, tasks, |(indices, input), output| {
            let mut candidates = Candidates::new(self);
            write_parts(output, plane, |index, output| {
                arch.dispatch(PlaneWithIndices {
                    pool: self,
                    input: &input[index * self.input_plane()..][..self.input_plane()],
                    output,
                    indices: &mut indices[index * plane..][..plane],
                    candidates: &mut candidates,
                })
            })
        });
        (output, indices)
    }

    /// Computes the gradient of the input from the maxima's indices and the gradient of the output.
    pub(crate) fn backward(&self, indices: &[u8], gradient: &[f32]) -> Vec<f32> {
        let planes = self.planes_of_a_task();
        let places = self.places();
        let tasks = indices
            .par_chunks(planes * self.output_plane())
            .zip(gradient.par_chunks(planes * self.output_plane()));
        let length = self.planes * self.input_plane();
        let part = planes * self.input_plane();
        written_in_parts(length, part, tasks, |(indices, gradient), input| {
            let input = write_values(input, std::iter::repeat(0.0));
            input
                .chunks_exact_mut(self.input_plane())
                .zip(indices.chunks_exact(self.output_plane()))
                .zip(gradient.chunks_exact(self.output_plane()))
                .for_each(|((input, indices), gradient)| {
                    places.for_each(indices, |output, pixel| input[pixel] += gradient[output]);
                });
            input
        })
    }

    /// Returns what tells the maxima's places in an input plane from their indices.
    pub(super) fn places(&self) -> Places {
        let [rows, columns] = self.geometry.kernel;
        let width = self.input[1];
        // From the window's first pixel, which may lie in the padding, to each pixel of it.
        let distances = (0..rows * columns)
            .map(|index| index / columns * width + index % columns)
            .collect();
        Places {
            distances,
            before: self.geometry.padding.top * width + self.geometry.padding.left,
            strides: [self.geometry.stride[0] * width, self.geometry.stride[1]],
            columns: self.output[1],
        }
    }
}

/// The places of maxima in an input plane.
pub(super) struct Places {
    /// From the first pixel of a window to each of its pixels.
    distances: Vec<usize>,
    /// From the first pixel of the padding to the first one of the plane, in a plane without padding.
    before: usize,
    /// From a window to the one below it, and to the next one.
    strides: [usize; 2],
    /// Windows of a row.
    columns: usize,
}

impl Places {
    /// Calls `visit` for each pixel of an output plane, with its index and that of the maximum in the input plane.
    #[inline(always)]
    pub(super) fn for_each(&self, indices: &[u8], mut visit: impl FnMut(usize, usize)) {
        let mut output = 0;
        for (row, indices) in indices.chunks_exact(self.columns).enumerate() {
            let mut window = row * self.strides[0];
            for &index in indices {
                visit(
                    output,
                    window + self.distances[usize::from(index)] - self.before,
                );
                output += 1;
                window += self.strides[1];
            }
        }
    }
}

/// Returns the larger value, or NaN where one is.
#[inline(always)]
fn larger(best: f32, value: f32) -> f32 {
    if value > best || value.is_nan() {
        value
    } else {
        best
    }
}
