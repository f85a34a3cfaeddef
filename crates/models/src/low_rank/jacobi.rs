//! Singular value decomposition by one-sided Jacobi rotations.
//!
//! It is meant for few columns (the taps of a convolution kernel: 9 or 25, at most some dozens) of any length. For
//! these the method is short, fast enough, and the most accurate one for small singular values (Demmel and Veselić,
//! "Jacobi's method is more accurate than QR", 1992).

/// Largest cosine at which two columns count as orthogonal.
const TOLERANCE: f64 = 1e-15;
/// Most sweeps over all pairs of columns; convergence is quadratic, and 6 to 10 are usual.
const MAX_SWEEPS: usize = 60;

/// The decomposition `sum over k of values[k] * left[k] * right[k]^T`, the largest value first.
#[derive(Debug, Clone)]
pub(super) struct Decomposition {
    /// Singular values, one per column.
    pub values: Vec<f64>,
    /// Left singular vectors, each as long as a column; zeros if the singular value is zero.
    pub left: Vec<Vec<f64>>,
    /// Right singular vectors, each with one entry per column.
    pub right: Vec<Vec<f64>>,
}

/// Decomposes the matrix with the given `columns`, each of length `rows`.
pub(super) fn decompose(mut columns: Vec<Vec<f64>>, rows: usize) -> Decomposition {
    let count = columns.len();
    debug_assert!(columns.iter().all(|column| column.len() == rows));
    // The columns of the identity matrix, which accumulate the rotations.
    let mut right: Vec<Vec<f64>> = (0..count)
        .map(|index| {
            (0..count)
                .map(|other| f64::from(u8::from(index == other)))
                .collect()
        })
        .collect();
    for _ in 0..MAX_SWEEPS {
        let mut rotated = false;
        for first in 0..count {
            for second in first + 1..count {
                if let Some((cosine, sine)) = rotation(&columns[first], &columns[second]) {
                    rotated = true;
                    rotate(&mut columns, first, second, cosine, sine);
                    rotate(&mut right, first, second, cosine, sine);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let mut terms: Vec<(f64, Vec<f64>, Vec<f64>)> = columns
        .into_iter()
        .zip(right)
        .map(|(column, right)| {
            let value = dot(&column, &column).sqrt();
            let scale = if value > 0.0 { value } else { 1.0 };
            (value, column.iter().map(|x| x / scale).collect(), right)
        })
        .collect();
    terms.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut decomposition = Decomposition {
        values: Vec::with_capacity(count),
        left: Vec::with_capacity(count),
        right: Vec::with_capacity(count),
    };
    for (value, left, right) in terms {
        decomposition.values.push(value);
        decomposition.left.push(left);
        decomposition.right.push(right);
    }
    decomposition
}

/// Returns the cosine and sine of the rotation that makes two columns orthogonal, or `None` if they are already.
fn rotation(first: &[f64], second: &[f64]) -> Option<(f64, f64)> {
    let (a, b, mixed) = (dot(first, first), dot(second, second), dot(first, second));
    if mixed == 0.0 || mixed.abs() <= TOLERANCE * a.sqrt() * b.sqrt() {
        return None;
    }
    let ratio = (b - a) / (2.0 * mixed);
    let tangent = ratio.signum() / (ratio.abs() + ratio.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    Some((cosine, cosine * tangent))
}

fn rotate(columns: &mut [Vec<f64>], first: usize, second: usize, cosine: f64, sine: f64) {
    let (left, right) = columns.split_at_mut(second);
    for (x, y) in left[first].iter_mut().zip(&mut right[0]) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
}

fn dot(first: &[f64], second: &[f64]) -> f64 {
    first.iter().zip(second).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_matrix() {
        // [[3, 0], [4, 5]]: singular values sqrt(45) and sqrt(5).
        let found = decompose(vec![vec![3.0, 4.0], vec![0.0, 5.0]], 2);
        assert!((found.values[0] - 45f64.sqrt()).abs() < 1e-14);
        assert!((found.values[1] - 5f64.sqrt()).abs() < 1e-14);
    }

    #[test]
    fn the_terms_add_up_and_are_orthogonal() {
        for (rows, count) in [(5, 9), (9, 9), (40, 9), (3, 1), (1, 4), (64, 49)] {
            let mut state = 1u64;
            let columns: Vec<Vec<f64>> = (0..count)
                .map(|_| {
                    (0..rows)
                        .map(|_| {
                            state = state
                                .wrapping_mul(6_364_136_223_846_793_005)
                                .wrapping_add(1);
                            (state >> 33) as f64 / 2f64.powi(30) - 1.0
                        })
                        .collect()
                })
                .collect();
            let found = decompose(columns.clone(), rows);
            for (column, values) in columns.iter().enumerate() {
                for (row, value) in values.iter().enumerate() {
                    let sum: f64 = (0..count)
                        .map(|k| found.values[k] * found.left[k][row] * found.right[k][column])
                        .sum();
                    assert!((sum - value).abs() < 1e-13);
                }
            }
            for first in 0..count {
                for second in 0..count {
                    let expected = f64::from(u8::from(first == second));
                    assert!(
                        (dot(&found.right[first], &found.right[second]) - expected).abs() < 1e-13
                    );
                }
            }
            let rank = rows.min(count);
            assert!(found.values[rank..].iter().all(|value| *value < 1e-13));
            assert!(found.values.is_sorted_by(|a, b| a >= b));
        }
    }

    #[test]
    fn zeros_and_repeated_columns() {
        let found = decompose(vec![vec![0.0; 4]; 3], 4);
        assert_eq!(found.values, [0.0; 3]);
        let found = decompose(vec![vec![1.0, 2.0, 2.0]; 4], 3);
        assert!((found.values[0] - 6.0).abs() < 1e-14);
        assert!(found.values[1..].iter().all(|value| *value < 1e-14));
    }

    #[test]
    fn extreme_sizes_do_not_overflow() {
        for scale in [1e-38, 1e-30, 1e38] {
            let found = decompose(vec![vec![scale, scale], vec![scale, -scale]], 2);
            for value in found.values {
                assert!((value / scale - 2f64.sqrt()).abs() < 1e-14);
            }
        }
    }
}
