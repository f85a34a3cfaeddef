//! Products against plain loops with every instruction set, on small integers, so that sums are exact.

use super::instruction_set::instruction_sets;
use super::*;

/// Returns small integers that repeat late.
fn integers(count: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7 + seed * 5 + i / 11) % 9) as f32 - 4.0;
    (0..count).map(value).collect()
}

/// Sizes with incomplete blocks and panels, one chunk and several, and one task and several.
const SIZES: [[usize; 3]; 6] = [
    [1, 1, 1],
    [5, 3, 7],
    [13, 65, 31],
    [6, 64, 2500],
    [200, 130, 300],
    [100, 700, 96],
];

/// Computes the product by plain loops, row by row.
fn by_definition([rows, columns, length]: [usize; 3], left: &[f32], right: &[f32]) -> Vec<f32> {
    let mut result = vec![0.0; rows * columns];
    for row in 0..rows {
        for k in 0..length {
            let value = left[row * length + k];
            let to = &mut result[row * columns..][..columns];
            for (to, right) in to.iter_mut().zip(&right[k * columns..]) {
                *to += value * right;
            }
        }
    }
    result
}

/// Returns a matrix `[rows, columns]` as `[columns / pixels, rows, pixels]`.
fn as_planes(matrix: &[f32], rows: usize, columns: usize, pixels: usize) -> Vec<f32> {
    let layout = Layout::planes(rows, pixels);
    let mut planes = vec![0.0; matrix.len()];
    for row in 0..rows {
        for column in 0..columns {
            planes[layout.at(row, column)] = matrix[row * columns + column];
        }
    }
    planes
}

#[test]
fn a_product_written_to_planes_equals_the_definition() {
    for size @ [rows, columns, length] in SIZES {
        let (left, right) = (integers(rows * length, 1), integers(length * columns, 2));
        let result = by_definition(size, &left, &right);
        for pixels in [1, columns, columns / 5, columns / 13] {
            if pixels == 0 || columns % pixels != 0 {
                continue;
            }
            let planes = as_planes(&right, length, columns, pixels);
            let expected = as_planes(&result, rows, columns, pixels);
            let product = Product {
                left: Strided::dense(&left, length),
                right: Strided::planes(&planes, length, pixels),
                size,
            };
            for arch in instruction_sets() {
                let mut found = vec![f32::NAN; rows * columns];
                let layout = Layout::planes(rows, pixels);
                let output = SharedOutput::over(&mut found);
                // SAFETY: the memory is this product's alone.
                product.write_with(arch, &unsafe { Destination::new(output, 0, layout) });
                assert_eq!(found, expected, "{size:?}, {pixels} pixels, {arch:?}");
            }
        }
    }
}

#[test]
fn a_sum_over_images_equals_the_definition() {
    for size @ [rows, columns, length] in SIZES {
        let (left, right) = (integers(rows * length, 3), integers(length * columns, 4));
        let expected = by_definition(size, &left, &right);
        // `right` transposed.
        let mut of_columns = vec![0.0; right.len()];
        transpose(&right, columns, [length, columns], &mut of_columns, length);
        for pixels in [1, length, length / 3, length / 31] {
            if pixels == 0 || length % pixels != 0 {
                continue;
            }
            let left = as_planes(&left, rows, length, pixels);
            let right = as_planes(&of_columns, columns, length, pixels);
            let product = Product {
                left: Strided::planes(&left, rows, pixels),
                right: Transposed(Strided::planes(&right, columns, pixels)),
                size,
            };
            for arch in instruction_sets() {
                let found = product.sum_with(arch);
                assert_eq!(found, expected, "{size:?}, {pixels} pixels, {arch:?}");
            }
        }
    }
}
