//! AdamW.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::prelude::*;
use xception_kernels::{AdamWSettings, adam_w_step};

use crate::WeightDecay;

/// Adam (D. Kingma and J. Ba, 2015) with decoupled weight decay (I. Loshchilov and F. Hutter, *Decoupled Weight Decay
/// Regularization*, 2019), as PyTorch defines it:
///
/// ```text
/// mean        = mean + (gradient - mean) * (1 - beta1)
/// mean_square = mean_square * beta2 + gradient^2 * (1 - beta2)
/// root        = sqrt(mean_square / (1 - beta2^step)) + epsilon
/// parameter   = parameter * (1 - learning_rate * weight_decay) - learning_rate / (1 - beta1^step) * mean / root
/// ```
///
/// The decay is no penalty: it doesn't go through the means. Burn's `AdamW` is this one too, with an epsilon of 1e-5 and a
/// decay of 1e-4 by default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// The share of the mean gradient that stays at each step.
    pub beta1: f64,
    /// The share of the mean square that stays at each step.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub epsilon: f64,
    /// The decay, a share of a parameter that is multiplied by the learning rate.
    pub weight_decay: WeightDecay,
}

/// PyTorch's defaults.
impl Default for AdamW {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: WeightDecay::of_all(0.01),
        }
    }
}

/// The state of a parameter.
#[derive(Debug, Clone)]
pub struct AdamWState<const D: usize> {
    /// The number of steps so far.
    steps: usize,
    means: Tensor<D>,
    mean_squares: Tensor<D>,
}

impl Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        parameters: Tensor<D>,
        gradients: Tensor<D>,
        state: Option<AdamWState<D>>,
    ) -> (Tensor<D>, Option<AdamWState<D>>) {
        let state = state.unwrap_or_else(|| AdamWState {
            steps: 0,
            means: gradients.zeros_like(),
            mean_squares: gradients.zeros_like(),
        });
        let steps = state.steps + 1;
        let settings = AdamWSettings {
            learning_rate,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay.factor_of_rank(D),
            step: steps,
        };
        let (parameters, means, mean_squares) = adam_w_step(
            parameters,
            gradients,
            state.means,
            state.mean_squares,
            &settings,
        );
        let state = AdamWState {
            steps,
            means,
            mean_squares,
        };
        (parameters, Some(state))
    }

    fn to_device<const D: usize>(state: AdamWState<D>, device: &Device) -> AdamWState<D> {
        AdamWState {
            steps: state.steps,
            means: state.means.to_device(device),
            mean_squares: state.mean_squares.to_device(device),
        }
    }
}

const STEPS: &str = "steps";
const MEANS: &str = "means";
const MEAN_SQUARES: &str = "mean_squares";

impl<const D: usize> RecordState for AdamWState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, STEPS, self.steps.into());
        out.push_tensor(prefix, MEANS, self.means.to_data());
        out.push_tensor(prefix, MEAN_SQUARES, self.mean_squares.to_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let steps = source.take_scalar(prefix, STEPS)?;
        let means = source.take_tensor(prefix, MEANS)?;
        let mean_squares = source.take_tensor(prefix, MEAN_SQUARES)?;
        Some(Self {
            steps: usize::try_from(steps).ok()?,
            means: Tensor::from_data(means, device),
            mean_squares: Tensor::from_data(mean_squares, device),
        })
    }
}
