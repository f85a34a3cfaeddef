//! AdamW.

use burn::backend::Dispatch;
use burn::prelude::*;

use super::steps_natively;
use crate::cpu::optimizer::adam_w::Factors;
use crate::ops::OptimizerBackend;

/// The settings of AdamW (I. Loshchilov and F. Hutter, *Decoupled Weight Decay Regularization*, 2019), as PyTorch defines it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWSettings {
    /// The learning rate.
    pub learning_rate: f64,
    /// The share of the mean gradient that stays at each step.
    pub beta1: f64,
    /// The share of the mean square that stays at each step.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub epsilon: f64,
    /// This times the learning rate is the share that a parameter loses at each step, apart from its gradient.
    pub weight_decay: f64,
    /// The number of the step, from 1 on, by which the means are corrected for their start from zero.
    pub step: usize,
}

/// Takes a step of AdamW, and returns the new parameters, means of the gradients and means of their squares:
///
/// ```text
/// mean        = mean + (gradient - mean) * (1 - beta1)
/// mean_square = mean_square * beta2 + gradient^2 * (1 - beta2)
/// root        = sqrt(mean_square / (1 - beta2^step)) + epsilon
/// parameter   = parameter * (1 - learning_rate * weight_decay) - learning_rate / (1 - beta1^step) * mean / root
/// ```
///
/// # Shapes
///
/// All tensors have one shape.
///
/// # Panics
///
/// If the shapes differ.
///
/// ```
/// use burn::prelude::*;
/// use xception_kernels::{AdamWSettings, adam_w_step};
///
/// let settings = AdamWSettings {
///     learning_rate: 0.5,
///     beta1: 0.5,
///     beta2: 0.75,
///     epsilon: 0.0,
///     weight_decay: 0.5,
///     step: 1,
/// };
/// let tensor = |value: f32| Tensor::<1>::from_floats([value], &Device::flex());
/// let (parameters, means, squares) =
///     adam_w_step(tensor(4.0), tensor(-2.0), tensor(0.0), tensor(0.0), &settings);
/// assert_eq!((means.into_scalar::<f32>(), squares.into_scalar::<f32>()), (-1.0, 1.0));
/// assert_eq!(parameters.into_scalar::<f32>(), 3.5); // 4 * (1 - 0.25) + 0.5: the first step is as long as the rate
/// ```
pub fn adam_w_step<const D: usize>(
    parameters: Tensor<D>,
    gradients: Tensor<D>,
    means: Tensor<D>,
    mean_squares: Tensor<D>,
    settings: &AdamWSettings,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    if !steps_natively(&[&parameters, &gradients, &means, &mean_squares]) {
        return by_operations(parameters, gradients, means, mean_squares, settings);
    }
    let (parameters, means, mean_squares) = <Dispatch as OptimizerBackend>::adam_w_step(
        parameters.into_dispatch(),
        gradients.into_dispatch(),
        means.into_dispatch(),
        mean_squares.into_dispatch(),
        *settings,
    );
    (
        Tensor::from_dispatch(parameters),
        Tensor::from_dispatch(means),
        Tensor::from_dispatch(mean_squares),
    )
}

/// Takes the step by Burn's own operations, on every backend.
fn by_operations<const D: usize>(
    parameters: Tensor<D>,
    gradients: Tensor<D>,
    means: Tensor<D>,
    mean_squares: Tensor<D>,
    settings: &AdamWSettings,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    let factors = Factors::new(settings);
    let change = gradients.clone() - means.clone();
    let means = means + change.mul_scalar(factors.new_mean);
    let squares = (gradients.clone() * gradients).mul_scalar(factors.new_square);
    let mean_squares = mean_squares.mul_scalar(factors.old_square) + squares;
    let roots = mean_squares.clone().sqrt().mul_scalar(factors.root);
    let steps = means.clone() / roots.add_scalar(factors.epsilon);
    let parameters = parameters.mul_scalar(factors.kept) - steps.mul_scalar(factors.step_size);
    (parameters, means, mean_squares)
}

#[cfg(test)]
mod tests {
    use super::super::test_tensors::{assert_equal, tensor};
    use super::*;

    #[test]
    fn one_pass_gives_what_the_operations_give_bit_for_bit() {
        let start = || (tensor(1), tensor(2).zeros_like(), tensor(2).zeros_like());
        let (mut found, mut expected) = (start(), start());
        for step in 1..4 {
            let settings = AdamWSettings {
                learning_rate: 0.01,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.05,
                step,
            };
            let gradients = || tensor(step + 2);
            let (parameters, means, squares) = found;
            found = adam_w_step(parameters, gradients(), means, squares, &settings);
            let (parameters, means, squares) = expected;
            expected = by_operations(parameters, gradients(), means, squares, &settings);
        }
        assert_equal(
            [&found.0, &found.1, &found.2],
            [&expected.0, &expected.1, &expected.2],
        );
    }
}
