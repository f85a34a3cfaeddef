//! Transposition.

use super::super::output::Unwritten;

/// Rows and columns that are transposed at a time, in registers.
const TILE: usize = 8;

/// Writes column `c` of `from`, a matrix of this many rows and columns, as row `c` of `to`. The pitches
/// are the elements from a row to the next.
pub(in crate::cpu) fn transpose(
    from: &[f32],
    from_pitch: usize,
    [rows, columns]: [usize; 2],
    to: &mut [f32],
    to_pitch: usize,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    assert!((columns - 1) * to_pitch + rows <= to.len());
    // SAFETY: the assertion keeps all rows of the result in its slice.
    unsafe { write_transposed(from, from_pitch, [rows, columns], to.as_mut_ptr(), to_pitch) };
}

/// Writes column `c` of `from`, as [`transpose`] does, as row `c` of unwritten memory, where the rows follow each other
/// without gaps.
pub(in crate::cpu) fn transpose_to<'a>(
    from: &[f32],
    from_pitch: usize,
    [rows, columns]: [usize; 2],
    to: &'a mut Unwritten,
) -> &'a mut [f32] {
    assert!(rows > 0 && columns > 0 && rows * columns == to.len());
    // SAFETY: the rows of the result are as many as the slice has room for, and all of it is written.
    unsafe {
        write_transposed(
            from,
            from_pitch,
            [rows, columns],
            to.as_mut_ptr().cast(),
            rows,
        );
        to.assume_init_mut()
    }
}

/// Writes all of the transposed matrix, which is not empty.
///
/// # Safety
///
/// `to` must be valid for writes of `columns` rows of this pitch, of which the last has `rows` elements.
unsafe fn write_transposed(
    from: &[f32],
    from_pitch: usize,
    [rows, columns]: [usize; 2],
    to: *mut f32,
    to_pitch: usize,
) {
    assert!((rows - 1) * from_pitch + columns <= from.len());
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx") {
        // SAFETY: the processor has the instructions; the assertion keeps `from` in its slice, and the caller answers for `to`.
        unsafe { avx::transpose(from.as_ptr(), from_pitch, [rows, columns], to, to_pitch) };
        return;
    }
    for first in (0..columns).step_by(TILE) {
        let columns = first..(first + TILE).min(columns);
        for row in 0..rows {
            let from = &from[row * from_pitch..][columns.clone()];
            for (column, value) in columns.clone().zip(from) {
                // SAFETY: this is an element of the transposed matrix.
                unsafe { to.add(column * to_pitch + row).write(*value) };
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx {
    use std::arch::x86_64::*;

    use super::TILE;

    /// Transposes in tiles, of which the last ones overlap those before; where there are fewer rows or columns than
    /// those of a tile, value by value.
    ///
    /// # Safety
    ///
    /// `from` must be valid for reads, and `to` for writes, of all elements of their matrices.
    #[target_feature(enable = "avx")]
    pub(super) unsafe fn transpose(
        from: *const f32,
        from_pitch: usize,
        [rows, columns]: [usize; 2],
        to: *mut f32,
        to_pitch: usize,
    ) {
        if rows < TILE || columns < TILE {
            for row in 0..rows {
                for column in 0..columns {
                    // SAFETY: these are a row and a column of the matrix.
                    unsafe {
                        let value = from.add(row * from_pitch + column).read();
                        to.add(column * to_pitch + row).write(value);
                    }
                }
            }
            return;
        }
        for column in (0..columns).step_by(TILE) {
            let column = column.min(columns - TILE);
            for row in (0..rows).step_by(TILE) {
                let row = row.min(rows - TILE);
                // SAFETY: the rows and columns of the tile are those of the matrix.
                unsafe {
                    let from = from.add(row * from_pitch + column);
                    tile(from, from_pitch, to.add(column * to_pitch + row), to_pitch);
                }
            }
        }
    }

    /// Transposes [`TILE`] rows and columns.
    ///
    /// # Safety
    ///
    /// As for [`transpose`], of a matrix of this size.
    #[inline]
    #[target_feature(enable = "avx")]
    unsafe fn tile(from: *const f32, from_pitch: usize, to: *mut f32, to_pitch: usize) {
        let mut rows = [_mm256_setzero_ps(); TILE];
        for (i, row) in rows.iter_mut().enumerate() {
            // SAFETY: the caller promises eight values of each of these rows.
            *row = unsafe { _mm256_loadu_ps(from.add(i * from_pitch)) };
        }
        // Pairs of rows, then fours, then halves.
        let mut pairs = rows;
        for i in (0..TILE).step_by(2) {
            pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
            pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
        }
        let mut fours = pairs;
        for i in (0..TILE).step_by(4) {
            fours[i] = _mm256_shuffle_ps::<0x44>(pairs[i], pairs[i + 2]);
            fours[i + 1] = _mm256_shuffle_ps::<0xee>(pairs[i], pairs[i + 2]);
            fours[i + 2] = _mm256_shuffle_ps::<0x44>(pairs[i + 1], pairs[i + 3]);
            fours[i + 3] = _mm256_shuffle_ps::<0xee>(pairs[i + 1], pairs[i + 3]);
        }
        for i in 0..TILE / 2 {
            let (a, b) = (fours[i], fours[i + 4]);
            // SAFETY: the caller promises room for eight values in each of these rows.
            unsafe {
                _mm256_storeu_ps(to.add(i * to_pitch), _mm256_permute2f128_ps::<0x20>(a, b));
                let to = to.add((i + 4) * to_pitch);
                _mm256_storeu_ps(to, _mm256_permute2f128_ps::<0x31>(a, b));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_goes_to_its_place_and_none_elsewhere() {
        for (rows, columns) in [(1, 1), (8, 8), (7, 9), (16, 24), (19, 33), (64, 5)] {
            let (from_pitch, to_pitch) = (columns + 3, rows + 2);
            let from: Vec<f32> = (0..rows * from_pitch).map(|i| i as f32).collect();
            let mut to = vec![-1.0; columns * to_pitch];
            transpose(&from, from_pitch, [rows, columns], &mut to, to_pitch);
            for (index, value) in to.into_iter().enumerate() {
                let (column, row) = (index / to_pitch, index % to_pitch);
                let expected = match row < rows {
                    true => from[row * from_pitch + column],
                    false => -1.0,
                };
                assert_eq!(
                    value, expected,
                    "row {row}, column {column} of {rows} x {columns}"
                );
            }
        }
    }
}
