//! Tests of the conversion in both directions, against NumPy and plain loops.

use super::*;

/// Returns values in [-1, 1) from a linear congruential generator, equal to NumPy's with 64-bit integers.
fn random(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

fn shape(outputs: usize, inputs: usize, kernel: [usize; 2], rank: usize) -> SeparableShape {
    SeparableShape {
        outputs,
        inputs,
        kernel,
        rank,
    }
}

/// Returns the norm of the difference divided by the norm of `a`.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    difference / norm(&mut a.iter().map(|a| f64::from(*a)))
}

#[test]
fn dense_kernels_match_the_plain_loop() {
    let shape = shape(3, 2, [2, 3], 2);
    let depthwise: Vec<f32> = (0..24).map(|i| (i % 7) as f32 - 3.0).collect();
    let pointwise: Vec<f32> = (0..12).map(|i| (i % 5) as f32 - 2.0).collect();
    let dense = to_dense(&depthwise, &pointwise, shape).unwrap();
    for o in 0..3 {
        for c in 0..2 {
            for tap in 0..6 {
                let expected: f32 = (0..2)
                    .map(|k| pointwise[o * 4 + c * 2 + k] * depthwise[(c * 2 + k) * 6 + tap])
                    .sum();
                assert_eq!(dense[(o * 2 + c) * 6 + tap], expected);
            }
        }
    }
}

#[test]
fn separable_kernels_are_recovered() {
    for (outputs, inputs, kernel, rank) in [
        (16, 4, [3, 3], 1),
        (2, 5, [3, 3], 1),
        (12, 3, [5, 5], 2),
        (9, 2, [1, 7], 3),
        (64, 3, [7, 7], 1),
        (1, 1, [1, 1], 1),
    ] {
        let shape = shape(outputs, inputs, kernel, rank);
        let depthwise = random(inputs * rank * kernel[0] * kernel[1], 5);
        let pointwise = random(outputs * inputs * rank, 6);
        let dense = to_dense(&depthwise, &pointwise, shape).unwrap();
        let found = to_separable(&dense, shape).unwrap();
        assert!(
            found.relative_error < 1e-7,
            "{shape:?} {}",
            found.relative_error
        );
        let again = to_dense(&found.depthwise, &found.pointwise, shape).unwrap();
        assert!(distance(&dense, &again) < 2e-7, "{shape:?}");
    }
}

#[test]
fn the_full_rank_is_exact() {
    for (outputs, kernel, rank) in [(8, [3, 3], 8), (20, [3, 3], 9)] {
        let shape = shape(outputs, 3, kernel, rank);
        let dense = random(outputs * 27, 9);
        let found = to_separable(&dense, shape).unwrap();
        assert!(found.relative_error < 1e-14);
        let again = to_dense(&found.depthwise, &found.pointwise, shape).unwrap();
        assert!(distance(&dense, &again) < 3e-7);
    }
}

/// Compares with `sqrt(sum over c, k > r of s[c, k]^2 / sum of all)` by `numpy.linalg.svd` of the same kernels.
#[test]
fn errors_are_numpys() {
    for (outputs, inputs, kernel, seed, errors) in [
        (
            8,
            3,
            [3, 3],
            1,
            [0.832_523_692_029_056_6, 0.675_651_271_888_711_1],
        ),
        (
            5,
            2,
            [5, 5],
            2,
            [0.814_830_940_302_829, 0.617_982_169_983_114_4],
        ),
        (
            16,
            4,
            [1, 7],
            3,
            [0.838_615_045_847_666, 0.683_573_514_681_575_5],
        ),
        (2, 3, [3, 3], 4, [0.482_620_250_296_123_43, 0.0]),
    ] {
        let dense = random(outputs * inputs * kernel[0] * kernel[1], seed);
        for (rank, expected) in (1..).zip(errors) {
            let shape = shape(outputs, inputs, kernel, rank);
            let found = to_separable(&dense, shape).unwrap();
            assert!((found.relative_error - expected).abs() < 1e-9, "{shape:?}");
            let again = to_dense(&found.depthwise, &found.pointwise, shape).unwrap();
            assert!(
                (distance(&dense, &again) - expected).abs() < 1e-6,
                "{shape:?}"
            );
        }
    }
}

/// Compares with `u[:, 0]` and `v[0]` of `numpy.linalg.svd`, each times the root of the singular value.
#[test]
fn kernels_are_numpys() {
    let dense = random(8 * 3 * 9, 1);
    assert!((dense[0] + 0.153_581_74).abs() < 1e-7);
    let found = to_separable(&dense, shape(8, 3, [3, 3], 1)).unwrap();
    for (value, expected) in found
        .depthwise
        .iter()
        .zip([0.604_046, 0.398_784_28, 0.946_334_25])
    {
        assert!((value - expected).abs() < 1e-6);
    }
    let column = found.pointwise.iter().step_by(3);
    for (value, expected) in column.zip([-0.117_570_64, 0.405_192_56]) {
        assert!((value - expected).abs() < 1e-6);
    }
}

#[test]
fn no_separable_kernel_nearby_is_nearer() {
    let shape = shape(6, 2, [3, 3], 1);
    let dense = random(6 * 2 * 9, 11);
    let best = to_separable(&dense, shape).unwrap();
    for seed in 20..40 {
        let mut other = best.clone();
        let noise = random(other.depthwise.len() + other.pointwise.len(), seed);
        let weights = other.depthwise.iter_mut().chain(&mut other.pointwise);
        for (weight, noise) in weights.zip(noise) {
            *weight += 0.01 * noise;
        }
        let kernel = to_dense(&other.depthwise, &other.pointwise, shape).unwrap();
        assert!(distance(&dense, &kernel) > best.relative_error);
    }
}

#[test]
fn zeros_stay_zeros() {
    let found = to_separable(&[0.0; 36], shape(2, 2, [3, 3], 1)).unwrap();
    assert_eq!(found.relative_error, 0.0);
    assert!(
        found
            .depthwise
            .iter()
            .chain(&found.pointwise)
            .all(|value| *value == 0.0)
    );
}

#[test]
fn wrong_kernels_are_refused() {
    let refused = |dense: &[f32], shape| to_separable(dense, shape).unwrap_err().to_string();
    assert_eq!(
        refused(&[0.0; 5], shape(2, 2, [3, 3], 1)),
        "the dense kernel has 5 values, but its shape asks for 36"
    );
    assert_eq!(
        refused(&[0.0; 36], shape(2, 2, [3, 3], 3)),
        "a rank of 3 was asked for, but this kernel has ranks from 1 to 2 (which is exact)"
    );
    assert!(refused(&[], shape(0, 2, [3, 3], 1)).starts_with("a convolution of 0 outputs"));
    assert!(refused(&[0.0; 4], shape(usize::MAX, 2, [usize::MAX, 3], 1)).contains("asks for"));
    assert!(refused(&[f32::NAN], shape(1, 1, [1, 1], 1)).contains("NaN at position 0"));
    assert!(to_dense(&[1.0], &[1.0, 2.0], shape(1, 1, [1, 1], 1)).is_err());
    assert!(to_dense(&[], &[], shape(1, 1, [1, 1], 0)).is_err());
}
