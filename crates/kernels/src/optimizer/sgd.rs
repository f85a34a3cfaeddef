//! Stochastic gradient descent.

use burn::backend::Dispatch;
use burn::prelude::*;

use super::{steps_natively, with_l2_penalty};
use crate::ops::OptimizerBackend;

/// The settings of stochastic gradient descent, as PyTorch defines it: momentum is not dampened, and the
/// learning rate multiplies the velocity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdSettings {
    /// The learning rate.
    pub learning_rate: f64,
    /// The factor by which the velocity is multiplied before the gradient is added.
    pub momentum: f64,
    /// Whether Nesterov's variant is used.
    pub nesterov: bool,
    /// The L2 penalty: this times the parameter is added to the gradient.
    pub weight_decay: f64,
}

/// Takes a step of stochastic gradient descent with momentum, and returns the new parameters and
/// velocities. In a first step, without velocities, the gradient is the velocity.
///
/// On the devices for which [`runs_natively`](crate::runs_natively) holds, and for `f32`, this is one pass,
/// in place if there are no other references to the tensors. Elsewhere, and in autodiff mode, Burn's own
/// operations compute it.
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
/// use xception_kernels::{SgdSettings, sgd_step};
///
/// let settings = SgdSettings { learning_rate: 0.5, momentum: 0.5, nesterov: false, weight_decay: 0.0 };
/// let tensor = |value: f32| Tensor::<1>::from_floats([value], &Device::flex());
/// let (parameters, velocities) = sgd_step(tensor(4.0), tensor(2.0), None, &settings);
/// let (parameters, _) = sgd_step(parameters, tensor(2.0), Some(velocities), &settings);
/// assert_eq!(parameters.into_scalar::<f32>(), 1.5); // 4 - 0.5 * 2 - 0.5 * (2 + 0.5 * 2)
/// ```
pub fn sgd_step<const D: usize>(
    parameters: Tensor<D>,
    gradients: Tensor<D>,
    velocities: Option<Tensor<D>>,
    settings: &SgdSettings,
) -> (Tensor<D>, Tensor<D>) {
    let velocities = velocities.unwrap_or_else(|| gradients.zeros_like());
    if !steps_natively(&[&parameters, &gradients, &velocities]) {
        return by_operations(parameters, gradients, velocities, settings);
    }
    let (parameters, velocities) = <Dispatch as OptimizerBackend>::sgd_step(
        parameters.into_dispatch(),
        gradients.into_dispatch(),
        velocities.into_dispatch(),
        *settings,
    );
    (
        Tensor::from_dispatch(parameters),
        Tensor::from_dispatch(velocities),
    )
}

/// Takes the step by Burn's own operations, on every backend.
fn by_operations<const D: usize>(
    parameters: Tensor<D>,
    gradients: Tensor<D>,
    velocities: Tensor<D>,
    settings: &SgdSettings,
) -> (Tensor<D>, Tensor<D>) {
    let gradients = with_l2_penalty(gradients, &parameters, settings.weight_decay);
    let velocities = gradients.clone() + velocities.mul_scalar(settings.momentum);
    let direction = match settings.nesterov {
        false => velocities.clone(),
        true => velocities.clone().mul_scalar(settings.momentum) + gradients,
    };
    let parameters = parameters - direction.mul_scalar(settings.learning_rate);
    (parameters, velocities)
}

#[cfg(test)]
mod tests {
    use super::super::test_tensors::{assert_equal, tensor};
    use super::*;

    #[test]
    fn one_pass_gives_what_the_operations_give_bit_for_bit() {
        for (nesterov, weight_decay) in [(false, 0.0), (true, 0.0), (false, 0.1), (true, 0.1)] {
            let settings = SgdSettings {
                learning_rate: 0.3,
                momentum: 0.9,
                nesterov,
                weight_decay,
            };
            let mut found = sgd_step(tensor(1), tensor(2), None, &settings);
            let velocities = tensor(2).zeros_like();
            let mut expected = by_operations(tensor(1), tensor(2), velocities, &settings);
            for seed in 3..6 {
                let (parameters, velocities) = found;
                found = sgd_step(parameters, tensor(seed), Some(velocities), &settings);
                let (parameters, velocities) = expected;
                expected = by_operations(parameters, tensor(seed), velocities, &settings);
            }
            assert_equal([&found.0, &found.1], [&expected.0, &expected.1]);
        }
    }

    #[test]
    fn tensors_that_others_hold_stay_as_they_are() {
        let settings = SgdSettings {
            learning_rate: 1.0,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 0.0,
        };
        let (parameters, velocities) = (tensor(1), tensor(2));
        let _ = sgd_step(
            parameters.clone(),
            tensor(3),
            Some(velocities.clone()),
            &settings,
        );
        assert_equal([&parameters, &velocities], [&tensor(1), &tensor(2)]);
    }
}
