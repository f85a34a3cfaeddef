//! RMSprop, as TensorFlow defines it.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::prelude::*;
use xception_kernels::{RmsPropSettings, rms_prop_step};

use crate::WeightDecay;

/// RMSprop (T. Tieleman and G. Hinton, *Lecture 6.5*, 2012) with momentum, as TensorFlow's kernel `ApplyRMSProp` defines it. Each
/// gradient is divided by the root of a moving average of its squares:
///
/// ```text
/// mean_square = mean_square + (gradient^2 - mean_square) * (1 - decay)
/// velocity    = velocity * momentum + learning_rate * gradient / sqrt(mean_square + epsilon)
/// parameter   = parameter - velocity
/// ```
///
/// Burn's `RmsProp` and PyTorch's, which are one, differ in three ways:
///
/// | | here and in TensorFlow | Burn and PyTorch |
/// |---|---|---|
/// | epsilon | added before the root is taken: `sqrt(mean_square + epsilon)` | added to the root |
/// | learning rate | multiplies the gradient on its way into the velocity | multiplies the velocity |
/// | first mean square | 1 in TensorFlow 1, 0 in Keras | 0 |
///
/// TensorFlow's two interfaces differ in the start and in the default of epsilon:
/// `tf.compat.v1.train.RMSPropOptimizer` starts from 1 and adds 1e-10, Keras's `RMSprop` starts from 0 and adds 1e-7 (in Keras 2
/// to the root, where it had no momentum). Inception V3 was trained with a decay of 0.9 and an epsilon of 1 (C. Szegedy et al.,
/// *Rethinking the Inception Architecture*, section 8), with which it is close to plain momentum as long as gradients are small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// The share of the mean square that stays at each step.
    pub decay: f64,
    /// The share of the velocity that stays at each step; without momentum no velocity is kept.
    pub momentum: f64,
    /// Added to the mean square before its root is taken.
    pub epsilon: f64,
    /// The mean square before the first step: 1 in TensorFlow 1, which makes the first steps short, and 0 in Keras.
    pub initial_mean_square: f64,
    /// The L2 penalty.
    pub weight_decay: WeightDecay,
}

/// The defaults of `tf.compat.v1.train.RMSPropOptimizer`, but with a momentum of 0.9.
impl Default for RmsProp {
    fn default() -> Self {
        Self {
            decay: 0.9,
            momentum: 0.9,
            epsilon: 1e-10,
            initial_mean_square: 1.0,
            weight_decay: WeightDecay::default(),
        }
    }
}

/// The state of a parameter.
#[derive(Debug, Clone)]
pub struct RmsPropState<const D: usize> {
    mean_squares: Tensor<D>,
    /// Where there is momentum.
    velocities: Option<Tensor<D>>,
}

impl Optimizer for RmsProp {
    type State<const D: usize> = RmsPropState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        parameters: Tensor<D>,
        gradients: Tensor<D>,
        state: Option<RmsPropState<D>>,
    ) -> (Tensor<D>, Option<RmsPropState<D>>) {
        let settings = RmsPropSettings {
            learning_rate,
            decay: self.decay,
            momentum: self.momentum,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay.factor_of_rank(D),
        };
        let state = state.unwrap_or_else(|| RmsPropState {
            mean_squares: gradients.full_like(self.initial_mean_square),
            velocities: None,
        });
        let velocities = state.velocities.unwrap_or_else(|| gradients.zeros_like());
        let (parameters, mean_squares, velocities) = rms_prop_step(
            parameters,
            gradients,
            state.mean_squares,
            velocities,
            &settings,
        );
        let state = RmsPropState {
            mean_squares,
            velocities: (self.momentum > 0.0).then_some(velocities),
        };
        (parameters, Some(state))
    }

    fn to_device<const D: usize>(state: RmsPropState<D>, device: &Device) -> RmsPropState<D> {
        RmsPropState {
            mean_squares: state.mean_squares.to_device(device),
            velocities: state.velocities.map(|v| v.to_device(device)),
        }
    }
}

const MEAN_SQUARES: &str = "mean_squares";
const VELOCITIES: &str = "velocities";

impl<const D: usize> RecordState for RmsPropState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, MEAN_SQUARES, self.mean_squares.to_data());
        if let Some(velocities) = &self.velocities {
            out.push_tensor(prefix, VELOCITIES, velocities.to_data());
        }
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let mean_squares = source.take_tensor(prefix, MEAN_SQUARES)?;
        let velocities = source.take_tensor(prefix, VELOCITIES);
        Some(Self {
            mean_squares: Tensor::from_data(mean_squares, device),
            velocities: velocities.map(|data| Tensor::from_data(data, device)),
        })
    }
}
