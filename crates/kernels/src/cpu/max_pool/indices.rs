//! Max-pool indices: the maxima of one plane, and where in its window each was.

use pulp::{Simd, WithSimd};

use super::super::MAX_LANES;
use super::super::output::{Unwritten, write_parts, write_values};
use super::super::vector::{load, load_integers, store, store_integers};
use super::{MaxPool, PADDING};

/// One plane of [`MaxPool::forward_with_indices`].
pub(in crate::cpu) struct PlaneWithIndices<'a, 'o> {
    pub(in crate::cpu) pool: &'a MaxPool,
    pub(in crate::cpu) input: &'a [f32],
    pub(in crate::cpu) output: &'o mut Unwritten,
    pub(in crate::cpu) indices: &'a mut [u8],
    pub(in crate::cpu) candidates: &'a mut Candidates,
}

impl<'o> WithSimd for PlaneWithIndices<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        let Self {
            pool,
            input,
            candidates,
            ..
        } = self;
        let width = pool.output[1];
        write_parts(
            self.output,
            width,
            #[inline(always)]
            |row, output| {
                candidates.of_columns(simd, pool, input, row);
                candidates.divide(pool.geometry.stride[1]);
                candidates.of_windows(simd, pool);
                let indices = &mut self.indices[row * width..][..width];
                for (to, &index) in indices.iter_mut().zip(&candidates.maximum_indices) {
                    *to = index as u8;
                }
                write_values(output, candidates.maxima.iter().copied())
            },
        )
    }
}

/// The candidates for the maxima of one row of windows, in three steps: column by column of the padded row;
/// then apart by their column modulo the stride, so that the candidates of neighbouring outputs are
/// neighbours; at last output by output. Each step has room for whole vectors.
pub(in crate::cpu) struct Candidates {
    /// The largest value of each column.
    values: Vec<f32>,
    /// Its row times the window's columns.
    indices: Vec<u32>,
    /// Columns of a phase.
    phase_length: usize,
    phases: Vec<f32>,
    phase_indices: Vec<u32>,
    maxima: Vec<f32>,
    maximum_indices: Vec<u32>,
}

impl Candidates {
    pub(in crate::cpu) fn new(pool: &MaxPool) -> Self {
        let stride = pool.geometry.stride[1];
        let phase_length = pool.padded().div_ceil(stride);
        let room = phase_length * stride + MAX_LANES;
        let outputs = pool.output[1].next_multiple_of(MAX_LANES);
        Self {
            values: vec![f32::NEG_INFINITY; room],
            indices: vec![PADDING; room],
            phase_length,
            phases: vec![f32::NEG_INFINITY; room],
            phase_indices: vec![PADDING; room],
            maxima: vec![0.0; outputs],
            maximum_indices: vec![0; outputs],
        }
    }

    /// Finds the maximum of each column among the rows of a window.
    #[inline(always)]
    fn of_columns<S: Simd>(&mut self, simd: S, pool: &MaxPool, input: &[f32], row: usize) {
        let (left, width) = (pool.geometry.padding.left, pool.input[1]);
        let kernel = pool.geometry.kernel[1];
        let (rows, first) = pool.rows(row);
        let mut column = 0;
        while column < width {
            let load_row = |row: usize| {
                let values = &input[row * width + column..];
                match values.len() < S::F32_LANES {
                    true => simd.partial_load_f32s(values),
                    false => load::<S>(values),
                }
            };
            let mut best = load_row(rows.start);
            let mut index = simd.splat_u32s((first * kernel) as u32);
            for (row, window_row) in rows.clone().zip(first..).skip(1) {
                let value = load_row(row);
                let wins = simd.or_m32s(simd.less_than_f32s(best, value), is_nan(simd, value));
                best = simd.select_f32s(wins, value, best);
                let row_index = simd.splat_u32s((window_row * kernel) as u32);
                index = simd.select_u32s(wins, row_index, index);
            }
            store::<S>(&mut self.values[left + column..], best);
            store_integers::<S>(&mut self.indices[left + column..], index);
            column += S::F32_LANES;
        }
        // Vectors go beyond the row's end.
        let end = left + column;
        self.values[left + width..end].fill(f32::NEG_INFINITY);
        self.indices[left + width..end].fill(PADDING);
    }

    /// Takes the columns apart by the stride.
    #[inline(always)]
    fn divide(&mut self, stride: usize) {
        if stride == 2 {
            let (even, odd) = self.phases.split_at_mut(self.phase_length);
            let (pairs, _) = self.values.as_chunks::<2>();
            for ((even, odd), &[one, two]) in even.iter_mut().zip(odd).zip(pairs) {
                (*even, *odd) = (one, two);
            }
            let (even, odd) = self.phase_indices.split_at_mut(self.phase_length);
            let (pairs, _) = self.indices.as_chunks::<2>();
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
            let to = self.phase_indices[of_phase].iter_mut();
            for (to, from) in to.zip(self.indices[phase..].iter().step_by(stride)) {
                *to = *from;
            }
        }
    }

    /// Finds the maxima among the columns of each window.
    #[inline(always)]
    fn of_windows<S: Simd>(&mut self, simd: S, pool: &MaxPool) {
        let (kernel, stride) = (pool.geometry.kernel[1], pool.geometry.stride[1]);
        let mut output = 0;
        while output < pool.output[1] {
            let load_both = |column: usize| {
                let start = self.phase_length * (column % stride) + column / stride + output;
                let values = load::<S>(&self.phases[start..]);
                (values, load_integers::<S>(&self.phase_indices[start..]))
            };
            let (mut maximum, mut maximum_index) = load_both(0);
            for column in 1..kernel {
                let (value, index) = load_both(column);
                let index = simd.add_u32s(index, simd.splat_u32s(column as u32));
                // Of equal values the first in the window's order counts.
                let equal = simd.equal_f32s(value, maximum);
                let first = simd.and_m32s(equal, simd.less_than_u32s(index, maximum_index));
                let larger = simd.or_m32s(simd.less_than_f32s(maximum, value), is_nan(simd, value));
                let wins = simd.or_m32s(larger, first);
                maximum = simd.select_f32s(wins, value, maximum);
                maximum_index = simd.select_u32s(wins, index, maximum_index);
            }
            store::<S>(&mut self.maxima[output..], maximum);
            store_integers::<S>(&mut self.maximum_indices[output..], maximum_index);
            output += S::F32_LANES;
        }
    }
}

#[inline(always)]
fn is_nan<S: Simd>(simd: S, values: S::f32s) -> S::m32s {
    simd.not_m32s(simd.equal_f32s(values, values))
}
