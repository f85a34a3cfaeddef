//! Batch normalization and its gradients against plain loops, Burn's own operation, and finite
//! differences.

#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use burn::tensor::activation;
use burn::tensor::module;
use support::{devices, elements, fractions, tensor, values};
use xception_kernels::batch_norm_train;

const EPSILON: f64 = 1e-3;

#[derive(Debug, Clone, PartialEq)]
struct Results {
    output: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
    gradients: [Vec<f32>; 3],
}

fn run(shape: [usize; 4], relu: bool, device: &Device, own: bool) -> Results {
    let device = device.clone().autodiff();
    let channels = [shape[1]];
    let input = tensor(fractions(elements(shape), 1), shape, &device).require_grad();
    let gamma = (tensor(fractions(shape[1], 2), channels, &device) + 1.5)
        .detach()
        .require_grad();
    let beta = tensor(fractions(shape[1], 3), channels, &device).require_grad();
    let (output, mean, variance) = if own {
        let batch = batch_norm_train(input.clone(), gamma.clone(), beta.clone(), EPSILON, relu);
        (batch.output, batch.mean, batch.variance)
    } else {
        let batch = module::batch_norm_train(input.clone(), gamma.clone(), beta.clone(), EPSILON);
        let output = match relu {
            true => activation::relu(batch.output),
            false => batch.output,
        };
        (output, batch.mean, batch.variance)
    };
    let factor = tensor(fractions(elements(shape), 4), shape, &device);
    let gradients = (output.clone() * factor).sum().backward();
    Results {
        output: values(output),
        mean: values(mean),
        variance: values(variance),
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

#[test]
fn equals_burns_operation() {
    for device in devices() {
        for shape in [[2, 3, 5, 7], [25, 17, 2, 2], [4, 1, 1, 1], [3, 8, 19, 19]] {
            for relu in [false, true] {
                let own = run(shape, relu, &device, true);
                let burn = run(shape, relu, &device, false);
                assert!(close(&own.output, &burn.output), "{shape:?} {relu}");
                assert!(close(&own.mean, &burn.mean), "{shape:?} {relu}");
                assert!(close(&own.variance, &burn.variance), "{shape:?} {relu}");
                for (own, burn) in own.gradients.iter().zip(&burn.gradients) {
                    assert!(close(own, burn), "{shape:?} {relu}");
                }
            }
        }
    }
}

/// The loss of [`run`] in `f64`, by plain loops.
fn loss(shape: [usize; 4], input: &[f64], relu: bool) -> f64 {
    let [batch, channels, height, width] = shape;
    let pixels = height * width;
    let (gamma, beta) = (fractions(channels, 2), fractions(channels, 3));
    let factor = fractions(input.len(), 4);
    let mut loss = 0.0;
    for channel in 0..channels {
        let indices = (0..batch)
            .flat_map(|image| (0..pixels).map(move |p| (image * channels + channel) * pixels + p));
        let count = (batch * pixels) as f64;
        let mean = indices.clone().map(|i| input[i]).sum::<f64>() / count;
        let squares = indices.clone().map(|i| (input[i] - mean).powi(2));
        let variance = squares.sum::<f64>() / count;
        for i in indices {
            let normalized = (input[i] - mean) / (variance + EPSILON).sqrt();
            let gamma = f64::from(gamma[channel] + 1.5);
            let output = normalized * gamma + f64::from(beta[channel]);
            let output = if relu { output.max(0.0) } else { output };
            loss += output * f64::from(factor[i]);
        }
    }
    loss
}

#[test]
fn the_gradient_is_the_slope_of_the_output() {
    let shape = [3, 2, 3, 5];
    let input: Vec<f64> = fractions(elements(shape), 1)
        .into_iter()
        .map(f64::from)
        .collect();
    for relu in [false, true] {
        let found = run(shape, relu, &Device::flex(), true);
        for (index, found) in found.gradients[0].iter().enumerate() {
            let with = |step: f64| {
                let mut input = input.clone();
                input[index] += step;
                loss(shape, &input, relu)
            };
            let step = 1e-6;
            let expected = ((with(step) - with(-step)) / (2.0 * step)) as f32;
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
    }
}

#[test]
fn results_are_the_same_on_any_number_of_threads() {
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| run([5, 13, 9, 7], true, &Device::flex(), true))
    };
    let expected = with_threads(1);
    for threads in [2, 3, 8] {
        assert_eq!(with_threads(threads), expected);
    }
}

#[test]
fn a_nan_stays_in_its_channel() {
    let mut values = fractions(2 * 3 * 4, 1);
    values[0] = f32::NAN;
    let device = Device::flex();
    let input = tensor(values, [2, 3, 2, 2], &device);
    let (gamma, beta) = (Tensor::ones([3], &device), Tensor::zeros([3], &device));
    let output = batch_norm_train(input, gamma, beta, EPSILON, true).output;
    let found = self::values(output);
    for (index, value) in found.iter().enumerate() {
        assert_eq!(value.is_nan(), index / 4 % 3 == 0, "{index}");
    }
}
