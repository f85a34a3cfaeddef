//! Activations and their gradients against Burn's own operations.

#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use support::{devices, elements, fractions, tensor, values};
use xception_kernels::{Activation, activate};

type Apply = fn(Tensor<4>, Activation) -> Tensor<4>;

/// Largest difference to Burn's operations, which compute the exponential otherwise.
const TOLERANCE: f32 = 3e-7;

/// Output without a gradient, output with one, and the gradient.
fn run(numbers: &[f32], device: &Device, activation: Activation, apply: Apply) -> [Vec<f32>; 3] {
    let shape = [2, 3, 7, numbers.len() / 42];
    let plain = apply(tensor(numbers.to_vec(), shape, device), activation);
    let device = device.clone().autodiff();
    let input = tensor(numbers.to_vec(), shape, &device).require_grad();
    let output = apply(input.clone(), activation);
    let factor = tensor(fractions(elements(shape), 3), shape, &device);
    let gradients = (output.clone() * factor).sum().backward();
    let gradient = input.grad(&gradients).unwrap();
    [values(plain), values(output), values(gradient)]
}

#[test]
fn equal_burns_operations() {
    // Not a multiple of any vector, and more than a task.
    for columns in [5, 4001] {
        // Never 6, at which Burn has another gradient than this crate.
        let numbers = fractions(42 * columns, 1).into_iter().map(|x| 12.1 * x);
        let numbers: Vec<f32> = numbers.collect();
        assert!(!numbers.contains(&6.0));
        assert!(numbers.iter().any(|x| *x > 6.0) && numbers.iter().any(|x| *x < -6.0));
        for device in devices() {
            for activation in [
                Activation::None,
                Activation::Relu,
                Activation::Relu6,
                Activation::Elu,
            ] {
                let found = run(&numbers, &device, activation, activate);
                let expected = run(&numbers, &device, activation, |x, a| a.burn(x));
                for (found, expected) in found.iter().zip(&expected) {
                    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
                    let worst = differences.fold(0.0, f32::max);
                    assert!(worst <= TOLERANCE, "{activation:?}: {worst}");
                }
            }
        }
    }
}

#[test]
fn a_tensor_with_other_references_is_left_as_it_is() {
    let input = tensor(vec![-1.0, 2.0, -3.0, 4.0], [1, 1, 2, 2], &Device::flex());
    let output = activate(input.clone(), Activation::Relu);
    assert_eq!(values(input), [-1.0, 2.0, -3.0, 4.0]);
    assert_eq!(values(output), [0.0, 2.0, 0.0, 4.0]);
}
