//! One plane's maxima with their places.

use pulp::{Simd, WithSimd};

use super::super::MAX_LANES;
use super::super::output::Unwritten;
use super::{MaxPool, PADDING};

/// One plane of [`MaxPool::forward_with_places`].
pub(super) struct PlaneWithPlaces<'a> {
    pub(super) pool: &'a MaxPool,
    pub(super) input: &'a [f32],
    pub(super) output: &'a mut Unwritten,
    pub(super) places: &'a mut [u8],
    pub(super) candidates: &'a mut Candidates,
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
pub(super) struct Candidates {
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
    pub(super) fn new(pool: &MaxPool) -> Self {
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
