//! Separable convolution for training, and its gradients, against Burn's own operations.

#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use burn::tensor::module;
use support::{devices, elements, fractions, tensor, values};
use xception_kernels::{
    Activation, Geometry, InputNorm, SeparableOptions, burn_conv2d, separable_conv2d_train,
    trains_separable,
};

const EPSILON: f64 = 1e-3;

/// The sizes of a case: input, output channels, window.
#[derive(Debug, Clone, Copy)]
struct Case {
    input: [usize; 4],
    outputs: usize,
    options: SeparableOptions,
    normalized: bool,
}

/// Output, mean and variance, and the gradients of input, gamma, beta and weights.
type Results = [Vec<f32>; 8];

fn run(case: &Case, device: &Device, own: bool) -> Results {
    let device = device.clone().autodiff();
    let Case {
        input: shape,
        outputs,
        options,
        normalized,
    } = *case;
    let channels = shape[1];
    let [rows, columns] = options.geometry.kernel;
    let leaf = |shape: [usize; 4], seed| {
        tensor(fractions(elements(shape), seed), shape, &device).require_grad()
    };
    let vector = |seed, shift: f32| {
        let values = tensor(fractions(channels, seed), [channels], &device) + shift;
        values.detach().require_grad()
    };
    let input = leaf(shape, 1);
    let (gamma, beta) = (vector(2, 1.5), vector(3, 0.0));
    let depthwise = leaf([channels, 1, rows, columns], 4);
    let pointwise = leaf([outputs, channels, 1, 1], 5);
    let batch = module::batch_norm_train(input.clone(), gamma.clone(), beta.clone(), EPSILON);
    let (output, mean, variance) = if own {
        let norm = InputNorm {
            gamma: gamma.clone(),
            beta: beta.clone(),
            mean: batch.mean.detach(),
            variance: batch.variance.detach(),
            epsilon: EPSILON,
        };
        let result = separable_conv2d_train(
            input.clone(),
            normalized.then_some(norm),
            depthwise.clone(),
            pointwise.clone(),
            &options,
        );
        (result.output, result.mean, result.variance)
    } else {
        let x = match normalized {
            true => batch.output,
            false => input.clone(),
        };
        let x = match options.input_relu {
            true => Activation::Relu.burn(x),
            false => x,
        };
        let x = burn_conv2d(x, depthwise.clone(), None, &options.geometry, channels);
        let x = options.activation.burn(x);
        let output = burn_conv2d(x, pointwise.clone(), None, &Geometry::valid(1), 1);
        let pixels = output.clone().swap_dims(0, 1).flatten::<2>(1, 3);
        let mean = pixels.clone().mean_dim(1).reshape([outputs]);
        (output, mean, pixels.var_bias(1).reshape([outputs]))
    };
    let factor = fractions(elements(output.dims()), 6);
    let factor = tensor(factor, output.dims(), &device);
    let gradients = (output.clone() * factor).sum().backward();
    let of_norm = |tensor: &Tensor<1>| match normalized {
        true => values(tensor.grad(&gradients).unwrap()),
        false => Vec::new(),
    };
    [
        values(output),
        values(mean),
        values(variance),
        values(input.grad(&gradients).unwrap()),
        of_norm(&gamma),
        of_norm(&beta),
        values(depthwise.grad(&gradients).unwrap()),
        values(pointwise.grad(&gradients).unwrap()),
    ]
}

fn close(found: &[f32], expected: &[f32]) -> bool {
    let largest = expected.iter().fold(1f32, |max, x| max.max(x.abs()));
    let mut pairs = found.iter().zip(expected);
    found.len() == expected.len() && pairs.all(|(a, b)| (a - b).abs() < 3e-5 * largest)
}

#[test]
fn equals_burns_operations() {
    let activations = [Activation::None, Activation::Relu, Activation::Elu];
    for device in devices() {
        for (index, (input, outputs)) in [
            ([2, 3, 5, 7], 4),
            ([19, 5, 4, 4], 9),
            ([21, 3, 2, 2], 5),
            ([3, 4, 32, 32], 8),
            ([1, 2, 40, 30], 3), // too large for the kernel
        ]
        .into_iter()
        .enumerate()
        {
            for normalized in [false, true] {
                for input_relu in [false, true] {
                    let case = Case {
                        input,
                        outputs,
                        options: SeparableOptions {
                            geometry: Geometry::same(3),
                            input_relu,
                            activation: activations[index % activations.len()],
                        },
                        normalized,
                    };
                    let (own, burn) = (run(&case, &device, true), run(&case, &device, false));
                    for (index, (own, burn)) in own.iter().zip(&burn).enumerate() {
                        assert!(close(own, burn), "{case:?} {index}");
                    }
                }
            }
        }
    }
}

#[test]
fn one_operation_serves_small_maps() {
    for device in devices() {
        let serves = |input: [usize; 4], depthwise: [usize; 4], geometry: Geometry| {
            let input = Tensor::zeros(input, &device);
            trains_separable(&input, &Tensor::zeros(depthwise, &device), &geometry)
        };
        assert!(serves([2, 3, 32, 32], [3, 1, 3, 3], Geometry::same(3)));
        assert!(!serves([2, 3, 64, 32], [3, 1, 3, 3], Geometry::same(3)));
        assert!(!serves([2, 3, 8, 8], [6, 1, 3, 3], Geometry::same(3)));
        let strided = Geometry::same(3).with_stride(2);
        assert!(!serves([2, 3, 8, 8], [3, 1, 3, 3], strided));
    }
}
