//! Batch normalization with a max pool, and its gradients, against one operation after the other.

#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use proptest::prelude::*;
use support::{devices, elements, fractions, integers, tensor, values};
use xception_kernels::{
    Geometry, InputNorm, Padding2d, batch_norm_train, batch_statistics, burn_max_pool2d,
    max_pool2d, norm_max_pool2d_train, trains_norm_max_pool,
};

const EPSILON: f64 = 1e-3;

/// How normalization and pool are computed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    /// One operation.
    One,
    /// This crate's two operations.
    Two,
    /// Two, of which the pool is Burn's.
    BurnsPool,
}

#[derive(Debug)]
struct Results {
    output: Vec<f32>,
    /// Of input, gamma and beta.
    gradients: [Vec<f32>; 3],
}

/// Some scales are negative, so that the maximum of a window has its smallest input, and one is zero.
fn run(shape: [usize; 4], geometry: &Geometry, relu: bool, device: &Device, by: By) -> Results {
    let device = device.clone().autodiff();
    let channels = [shape[1]];
    let input = tensor(fractions(elements(shape), 1), shape, &device).require_grad();
    let scales = (0..shape[1]).map(|channel| [1.5, -0.7, 0.3, 0.0][channel % 4]);
    let gamma = tensor(scales.collect(), channels, &device).require_grad();
    let beta = tensor(fractions(shape[1], 3), channels, &device).require_grad();
    let output = match by {
        By::One => {
            assert!(trains_norm_max_pool(&input, geometry));
            let [mean, variance] = batch_statistics(&input);
            let norm = InputNorm {
                gamma: gamma.clone(),
                beta: beta.clone(),
                mean,
                variance,
                epsilon: EPSILON,
            };
            norm_max_pool2d_train(input.clone(), norm, relu, geometry)
        }
        By::Two | By::BurnsPool => {
            let batch = batch_norm_train(input.clone(), gamma.clone(), beta.clone(), EPSILON, relu);
            match by {
                By::BurnsPool => burn_max_pool2d(batch.output, geometry),
                _ => max_pool2d(batch.output, geometry),
            }
        }
    };
    let factor = tensor(integers(elements(output.dims()), 4), output.dims(), &device);
    let gradients = (output.clone() * factor).sum().backward();
    Results {
        output: values(output),
        gradients: [
            values(input.grad(&gradients).unwrap()),
            values(gamma.grad(&gradients).unwrap()),
            values(beta.grad(&gradients).unwrap()),
        ],
    }
}

fn close(found: &[f32], expected: &[f32]) -> bool {
    let largest = expected.iter().fold(1f32, |max, x| max.max(x.abs()));
    found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 2e-5 * largest)
}

fn check(shape: [usize; 4], geometry: &Geometry, relu: bool, device: &Device, by: By) {
    let one = run(shape, geometry, relu, device, By::One);
    let two = run(shape, geometry, relu, device, by);
    let case = format!("{shape:?} {geometry:?} {relu} {by:?}");
    assert_eq!(one.output, two.output, "{case}");
    for (one, two) in one.gradients.iter().zip(&two.gradients) {
        assert!(close(one, two), "{case}: {one:?} {two:?}");
    }
}

proptest! {
    #[test]
    fn equals_one_operation_after_the_other(
        kernel in [1..=4usize, 1..=4],
        stride in [1..=3usize, 1..=3],
        padding in [0..=1usize, 0..=1, 0..=1, 0..=1],
        size in [1..=40usize, 1..=40],
        batch in 1..=5usize,
        channels in 1..=5usize,
        relu: bool,
    ) {
        let [top, bottom, left, right] = padding;
        let padding = Padding2d { top, bottom, left, right };
        let geometry = Geometry { kernel, stride, dilation: [1, 1], padding };
        let fits = geometry.output_size(size).is_some();
        prop_assume!(fits && top.max(bottom) < kernel[0] && left.max(right) < kernel[1]);
        check([batch, channels, size[0], size[1]], &geometry, relu, &Device::flex(), By::Two);
    }
}

#[test]
fn equals_burns_pool_on_every_device_with_a_kernel() {
    let geometry = Geometry::same(3).with_stride(2);
    for device in devices() {
        for shape in [[3, 5, 9, 8], [20, 4, 4, 4], [2, 4, 37, 37]] {
            for relu in [false, true] {
                check(shape, &geometry, relu, &device, By::BurnsPool);
            }
        }
    }
}

#[test]
fn a_window_without_a_kernel_is_composed() {
    let geometry = Geometry {
        dilation: [2, 2],
        ..Geometry::valid(2)
    };
    let device = Device::flex();
    let input = tensor(fractions(2 * 3 * 25, 1), [2, 3, 5, 5], &device);
    assert!(!trains_norm_max_pool(&input, &geometry));
    let [gamma, beta] = [2, 3].map(|seed| tensor(fractions(3, seed), [3], &device));
    let [mean, variance] = batch_statistics(&input);
    let norm = InputNorm {
        gamma: gamma.clone(),
        beta: beta.clone(),
        mean,
        variance,
        epsilon: EPSILON,
    };
    let found = norm_max_pool2d_train(input.clone(), norm, true, &geometry);
    let batch = batch_norm_train(input, gamma, beta, EPSILON, true);
    assert_eq!(values(found), values(max_pool2d(batch.output, &geometry)));
}

#[test]
fn statistics_are_those_of_the_normalization() {
    for device in devices() {
        for device in [device.clone(), device.autodiff()] {
            for shape in [[2, 3, 5, 7], [25, 17, 2, 2], [4, 1, 1, 1], [3, 8, 19, 19]] {
                let input = tensor(fractions(elements(shape), 1), shape, &device);
                let ones = Tensor::<1>::ones([shape[1]], &device);
                let batch = batch_norm_train(input.clone(), ones.clone(), ones, EPSILON, false);
                let [mean, variance] = batch_statistics(&input);
                assert_eq!(values(mean), values(batch.mean));
                assert_eq!(values(variance), values(batch.variance));
            }
        }
    }
}
