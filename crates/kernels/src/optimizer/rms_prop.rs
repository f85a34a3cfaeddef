//! RMSprop, as TensorFlow defines it.

use burn::backend::Dispatch;
use burn::prelude::*;

use super::{steps_natively, with_l2_penalty};
use crate::ops::OptimizerBackend;

/// The settings of RMSprop (T. Tieleman and G. Hinton, 2012), as TensorFlow's kernel `ApplyRMSProp` defines it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsPropSettings {
    /// The learning rate.
    pub learning_rate: f64,
    /// The share of the mean square that stays at each step.
    pub decay: f64,
    /// The factor by which the velocity is multiplied before the scaled gradient is added.
    pub momentum: f64,
    /// Added to the mean square before its root is taken.
    pub epsilon: f64,
    /// The L2 penalty: this times the parameter is added to the gradient.
    pub weight_decay: f64,
}

/// Takes a step of RMSprop, and returns the new parameters, mean squares and velocities:
///
/// ```text
/// mean_square = mean_square + (gradient^2 - mean_square) * (1 - decay)
/// velocity    = velocity * momentum + learning_rate * gradient / sqrt(mean_square + epsilon)
/// parameter   = parameter - velocity
/// ```
///
/// PyTorch and Burn take the root first and add epsilon to it, and multiply the velocity, not the gradient, by the learning
/// rate: velocities of theirs follow a new rate at once, and these do as old gradients fade.
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
/// use xception_kernels::{RmsPropSettings, rms_prop_step};
///
/// let settings = RmsPropSettings {
///     learning_rate: 0.5,
///     decay: 0.75,
///     momentum: 0.5,
///     epsilon: 3.0,
///     weight_decay: 0.0,
/// };
/// let tensor = |value: f32| Tensor::<1>::from_floats([value], &Device::flex());
/// let (parameters, mean_squares, velocities) =
///     rms_prop_step(tensor(4.0), tensor(2.0), tensor(0.0), tensor(1.0), &settings);
/// assert_eq!(mean_squares.into_scalar::<f32>(), 1.0); // 2 * 2 / 4
/// assert_eq!(velocities.into_scalar::<f32>(), 1.0); // 1 / 2 + 0.5 * 2 / sqrt(1 + 3)
/// assert_eq!(parameters.into_scalar::<f32>(), 3.0);
/// ```
pub fn rms_prop_step<const D: usize>(
    parameters: Tensor<D>,
    gradients: Tensor<D>,
    mean_squares: Tensor<D>,
    velocities: Tensor<D>,
    settings: &RmsPropSettings,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    if !steps_natively(&[&parameters, &gradients, &mean_squares, &velocities]) {
        return by_operations(parameters, gradients, mean_squares, velocities, settings);
    }
    let (parameters, mean_squares, velocities) = <Dispatch as OptimizerBackend>::rms_prop_step(
        parameters.into_dispatch(),
        gradients.into_dispatch(),
        mean_squares.into_dispatch(),
        velocities.into_dispatch(),
        *settings,
    );
    (
        Tensor::from_dispatch(parameters),
        Tensor::from_dispatch(mean_squares),
        Tensor::from_dispatch(velocities),
    )
}

/// Takes the step by Burn's own operations, on every backend.
fn by_operations<const D: usize>(
    parameters: Tensor<D>,
    gradients: Tensor<D>,
    mean_squares: Tensor<D>,
    velocities: Tensor<D>,
    settings: &RmsPropSettings,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    let gradients = with_l2_penalty(gradients, &parameters, settings.weight_decay);
    let new = 1.0 - settings.decay as f32; // rounded as the kernel rounds it
    let change = gradients.clone() * gradients.clone() - mean_squares.clone();
    let mean_squares = mean_squares + change.mul_scalar(new);
    let roots = mean_squares.clone().add_scalar(settings.epsilon).sqrt();
    let scaled = gradients.mul_scalar(settings.learning_rate) / roots;
    let velocities = velocities.mul_scalar(settings.momentum) + scaled;
    (parameters - velocities.clone(), mean_squares, velocities)
}

#[cfg(test)]
mod tests {
    use super::super::test_tensors::{assert_equal, tensor};
    use super::*;

    #[test]
    fn one_pass_gives_what_the_operations_give_bit_for_bit() {
        for (momentum, epsilon, weight_decay) in [(0.0, 1e-10, 0.0), (0.9, 1.0, 4e-5)] {
            let settings = RmsPropSettings {
                learning_rate: 0.01,
                decay: 0.9,
                momentum,
                epsilon,
                weight_decay,
            };
            let start = || (tensor(1), tensor(2).ones_like(), tensor(2).zeros_like());
            let (mut found, mut expected) = (start(), start());
            for seed in 3..6 {
                let (parameters, squares, velocities) = found;
                found = rms_prop_step(parameters, tensor(seed), squares, velocities, &settings);
                let (parameters, squares, velocities) = expected;
                expected = by_operations(parameters, tensor(seed), squares, velocities, &settings);
            }
            assert_equal(
                [&found.0, &found.1, &found.2],
                [&expected.0, &expected.1, &expected.2],
            );
        }
    }
}
