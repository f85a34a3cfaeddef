//! Max pooling.
//!
//! The maximum over the window's rows comes first, column by column, in whole vectors; then that over
//! its columns. Where a gradient is wanted, the winner's place in the window is kept as one byte.

use std::mem::MaybeUninit;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::MAX_LANES;
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

/// One plane of [`MaxPool::forward_with_places`].
struct PlaneWithPlaces<'a> {
    pool: &'a MaxPool,
    input: &'a [f32],
    output: &'a mut Unwritten,
    places: &'a mut [u8],
    candidates: &'a mut Candidates,
}

impl WithSimd for PlaneWithPlaces<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            pool,
            input,
            candidates,
            ..
        } = self;
        let outputs = self.output.chunks_exact_mut(pool.output[1]);
        let places = self.places.chunks_exact_mut(pool.output[1]);
        for (row, (output, places)) in outputs.zip(places).enumerate() {
            candidates.of_columns(simd, pool, input, row);
            candidates.divide(pool.geometry.stride[1]);
            candidates.of_windows(simd, pool);
            for (to, &winner) in output.iter_mut().zip(&candidates.winners) {
                to.write(winner);
            }
            for (to, &place) in places.iter_mut().zip(&candidates.winner_places) {
                *to = place as u8;
            }
        }
    }
}

/// The winners of one row of windows on their way: column by column of the padded row, then apart by their
/// column modulo the stride, so that the candidates of neighbouring outputs are neighbours, and at last output
/// by output. Each has room for whole vectors.
struct Candidates {
    /// The largest value of each column.
    values: Vec<f32>,
    /// Its row times the window's columns.
    places: Vec<u32>,
    /// Columns of a phase.
    phase_length: usize,
    phases: Vec<f32>,
    phase_places: Vec<u32>,
    winners: Vec<f32>,
    winner_places: Vec<u32>,
}

impl Candidates {
    fn new(pool: &MaxPool) -> Self {
        let stride = pool.geometry.stride[1];
        let phase_length = pool.padded().div_ceil(stride);
        let room = phase_length * stride + MAX_LANES;
        let outputs = pool.output[1].next_multiple_of(MAX_LANES);
        Self {
            values: vec![f32::NEG_INFINITY; room],
            places: vec![PADDING; room],
            phase_length,
            phases: vec![f32::NEG_INFINITY; room],
            phase_places: vec![PADDING; room],
            winners: vec![0.0; outputs],
            winner_places: vec![0; outputs],
        }
    }

    /// The winners of each column among the rows of a window.
    #[inline(always)]
    fn of_columns<S: Simd>(&mut self, simd: S, pool: &MaxPool, input: &[f32], row: usize) {
        let (left, width) = (pool.geometry.padding.left, pool.input[1]);
        let kernel = pool.geometry.kernel[1];
        let (rows, first) = pool.rows(row);
        let mut column = 0;
        while column < width {
            let load = |row: usize| {
                let values = &input[row * width + column..];
                match values.len() < S::F32_LANES {
                    true => simd.partial_load_f32s(values),
                    // SAFETY: the slice has a vector.
                    false => unsafe { values.as_ptr().cast::<S::f32s>().read_unaligned() },
                }
            };
            let mut best = load(rows.start);
            let mut place = simd.splat_u32s((first * kernel) as u32);
            for (row, window_row) in rows.clone().zip(first..).skip(1) {
                let value = load(row);
                let wins = simd.or_m32s(simd.less_than_f32s(best, value), is_nan(simd, value));
                best = simd.select_f32s(wins, value, best);
                let row_place = simd.splat_u32s((window_row * kernel) as u32);
                place = simd.select_u32s(wins, row_place, place);
            }
            let values = &mut self.values[left + column..][..S::F32_LANES];
            // SAFETY: the slice has a vector.
            unsafe { values.as_mut_ptr().cast::<S::f32s>().write_unaligned(best) };
            let places = &mut self.places[left + column..][..S::F32_LANES];
            // SAFETY: as above.
            unsafe { places.as_mut_ptr().cast::<S::u32s>().write_unaligned(place) };
            column += S::F32_LANES;
        }
        // Vectors go beyond the row's end.
        let end = left + column;
        self.values[left + width..end].fill(f32::NEG_INFINITY);
        self.places[left + width..end].fill(PADDING);
    }

    /// Takes the columns apart.
    #[inline(always)]
    fn divide(&mut self, stride: usize) {
        if stride == 2 {
            let (even, odd) = self.phases.split_at_mut(self.phase_length);
            let (pairs, _) = self.values.as_chunks::<2>();
            for ((even, odd), &[one, two]) in even.iter_mut().zip(odd).zip(pairs) {
                (*even, *odd) = (one, two);
            }
            let (even, odd) = self.phase_places.split_at_mut(self.phase_length);
            let (pairs, _) = self.places.as_chunks::<2>();
            for ((even, odd), &[one, two]) in even.iter_mut().zip(odd).zip(pairs) {
                (*even, *odd) = (one, two);
            }
            return;
        }
        for phase in 0..stride {
            let of_phase = phase * self.phase_length..(phase + 1) * self.phase_length;
            let to = self.phases[of_phase.clone()].iter_mut();
            for (to, from) in to.zip(self.values[phase..].iter().step_by(stride)) {
                *to = *from;
            }
            let to = self.phase_places[of_phase].iter_mut();
            for (to, from) in to.zip(self.places[phase..].iter().step_by(stride)) {
                *to = *from;
            }
        }
    }

    /// The winners among the columns of each window.
    #[inline(always)]
    fn of_windows<S: Simd>(&mut self, simd: S, pool: &MaxPool) {
        let (kernel, stride) = (pool.geometry.kernel[1], pool.geometry.stride[1]);
        let mut output = 0;
        while output < pool.output[1] {
            let load = |column: usize| {
                let start = self.phase_length * (column % stride) + column / stride + output;
                let values = &self.phases[start..][..S::F32_LANES];
                let places = &self.phase_places[start..][..S::F32_LANES];
                // SAFETY: both slices have a vector.
                unsafe {
                    (
                        values.as_ptr().cast::<S::f32s>().read_unaligned(),
                        places.as_ptr().cast::<S::u32s>().read_unaligned(),
                    )
                }
            };
            let (mut winner, mut winner_place) = load(0);
            for column in 1..kernel {
                let (value, place) = load(column);
                let place = simd.add_u32s(place, simd.splat_u32s(column as u32));
                // Of equal values the first in the window's order wins.
                let equal = simd.equal_f32s(value, winner);
                let first = simd.and_m32s(equal, simd.less_than_u32s(place, winner_place));
                let larger = simd.or_m32s(simd.less_than_f32s(winner, value), is_nan(simd, value));
                let wins = simd.or_m32s(larger, first);
                winner = simd.select_f32s(wins, value, winner);
                winner_place = simd.select_u32s(wins, place, winner_place);
            }
            let winners = &mut self.winners[output..][..S::F32_LANES];
            // SAFETY: the slice has a vector.
            unsafe {
                winners
                    .as_mut_ptr()
                    .cast::<S::f32s>()
                    .write_unaligned(winner)
            };
            let places = &mut self.winner_places[output..][..S::F32_LANES];
            // SAFETY: as above.
            unsafe {
                places
                    .as_mut_ptr()
                    .cast::<S::u32s>()
                    .write_unaligned(winner_place)
            };
            output += S::F32_LANES;
        }
    }
}

#[inline(always)]
fn is_nan<S: Simd>(simd: S, values: S::f32s) -> S::m32s {
    simd.not_m32s(simd.equal_f32s(values, values))
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
