//! Sums of weighted pixels, many at a time: the inner loops of resizing.

use pulp::{Simd, WithSimd};

use super::weights::{HALF, Weights, to_pixel};

/// Rows whose columns are resampled side by side, as the lanes of vectors.
pub(super) const LANES: usize = 16;
/// Values of a row that are summed up in registers.
const CHUNK: usize = 32;

/// A row, to be made as the weighted sum of rows.
pub(super) struct SumsOfRows<'a> {
    /// The first row that has a weight, and the others after it.
    pub(super) rows: &'a [u8],
    /// The distance from row to row.
    pub(super) pitch: usize,
    /// A weight for each row.
    pub(super) weights: &'a [i32],
    pub(super) resized: &'a mut [u8],
}

impl WithSimd for SumsOfRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let width = self.resized.len();
        let (chunks, rest) = self.resized.as_chunks_mut::<CHUNK>();
        for (index, chunk) in chunks.iter_mut().enumerate() {
            let mut sums = [HALF; CHUNK];
            for (k, weight) in self.weights.iter().enumerate() {
                let start = k * self.pitch + index * CHUNK;
                for (sum, value) in sums.iter_mut().zip(&self.rows[start..start + CHUNK]) {
                    *sum += i32::from(*value) * weight;
                }
            }
            *chunk = sums.map(to_pixel);
        }
        let first = width - rest.len();
        for (index, pixel) in rest.iter_mut().enumerate() {
            let mut sum = HALF;
            for (k, weight) in self.weights.iter().enumerate() {
                sum += i32::from(self.rows[k * self.pitch + first + index]) * weight;
            }
            *pixel = to_pixel(sum);
        }
    }
}

/// Some rows of pixels with `C` values each, at most [`LANES`], whose width is to be changed.
pub(super) struct SumsOfColumns<'a, const C: usize> {
    pub(super) rows: &'a [u8],
    /// The place of a row's first pixel on its axis.
    pub(super) start: usize,
    pub(super) weights: &'a Weights,
    /// Memory for the rows: as many lanes as a row has values.
    pub(super) lanes: &'a mut [[u8; LANES]],
    /// Memory for the result: as many lanes as a resized row has values.
    pub(super) sums: &'a mut [[u8; LANES]],
    pub(super) resized: &'a mut [u8],
}

impl<const C: usize> WithSimd for SumsOfColumns<'_, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        rows_to_lanes(self.rows, self.lanes);
        let (sums, _) = self.sums.as_chunks_mut::<C>();
        for (sums, (first, weights)) in sums.iter_mut().zip(self.weights.iter()) {
            let (pixels, _) = self.lanes[(first - self.start) * C..].as_chunks::<C>();
            let mut totals = [[HALF; LANES]; C];
            for (pixel, weight) in pixels.iter().zip(weights) {
                for (totals, values) in totals.iter_mut().zip(pixel) {
                    for (total, value) in totals.iter_mut().zip(values) {
                        *total += i32::from(*value) * weight;
                    }
                }
            }
            *sums = totals.map(|totals| totals.map(to_pixel));
        }
        lanes_to_rows(self.sums, self.resized);
    }
}

/// Copies rows, at most [`LANES`], so that the values of a column lie side by side. What is left of the lanes keeps its values.
#[inline(always)]
fn rows_to_lanes(rows: &[u8], lanes: &mut [[u8; LANES]]) {
    let width = lanes.len();
    let count = rows.len() / width.max(1);
    let (blocks, rest) = lanes.as_chunks_mut::<LANES>();
    for (index, block) in blocks.iter_mut().enumerate() {
        let mut square = [[0; LANES]; LANES];
        for (row, square) in rows.chunks_exact(width).zip(&mut square) {
            square.copy_from_slice(&row[index * LANES..(index + 1) * LANES]);
        }
        *block = transposed(square);
    }
    let first = width - rest.len();
    for (index, lane) in rest.iter_mut().enumerate() {
        for (row, value) in lane.iter_mut().enumerate().take(count) {
            *value = rows[row * width + first + index];
        }
    }
}

/// The reverse of [`rows_to_lanes`].
#[inline(always)]
fn lanes_to_rows(lanes: &[[u8; LANES]], rows: &mut [u8]) {
    let width = lanes.len();
    let (blocks, rest) = lanes.as_chunks::<LANES>();
    for (index, block) in blocks.iter().enumerate() {
        let square = transposed(*block);
        for (row, square) in rows.chunks_exact_mut(width).zip(&square) {
            row[index * LANES..(index + 1) * LANES].copy_from_slice(square);
        }
    }
    let first = width - rest.len();
    for (row, values) in rows.chunks_exact_mut(width).enumerate() {
        for (value, lane) in values[first..].iter_mut().zip(rest) {
            *value = lane[row];
        }
    }
}

/// Transposes by four perfect shuffles, each of which compilers make two instructions a pair of rows of.
#[inline(always)]
fn transposed(square: [[u8; LANES]; LANES]) -> [[u8; LANES]; LANES] {
    let mut square = square;
    for _ in 0..LANES.ilog2() {
        square = std::array::from_fn(|i| {
            let (upper, lower) = (&square[i / 2], &square[i / 2 + LANES / 2]);
            let half = i % 2 * (LANES / 2);
            std::array::from_fn(|j| match j % 2 {
                0 => upper[half + j / 2],
                _ => lower[half + j / 2],
            })
        });
    }
    square
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        let square = std::array::from_fn(|i| std::array::from_fn(|j| (16 * i + j) as u8));
        let found = transposed(square);
        for (i, row) in found.iter().enumerate() {
            for (j, value) in row.iter().enumerate() {
                assert_eq!(*value, square[j][i]);
            }
        }
        for (count, width) in [(16, 32), (5, 21), (1, 7), (16, 16)] {
            let rows: Vec<u8> = (0..count * width).map(|i| (i * 7) as u8).collect();
            let mut lanes = vec![[0; LANES]; width];
            rows_to_lanes(&rows, &mut lanes);
            let mut back = vec![0; rows.len()];
            lanes_to_rows(&lanes, &mut back);
            assert_eq!(back, rows);
        }
    }
}
