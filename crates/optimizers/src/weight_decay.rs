//! Weight decay by groups of parameters.

use serde::{Deserialize, Serialize};

/// The parameters that weight decay makes smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DecayedParameters {
    /// All of them, as PyTorch's optimizers have it.
    #[default]
    All,
    /// The kernels of convolutions and linear layers alone: not biases, nor the scales and offsets of batch normalization. TF-Slim
    /// has it so for its Inception networks.
    Kernels,
}

/// A weight decay, and the parameters that have it.
///
/// What is not a kernel is a vector: biases, and the scales and offsets of batch normalization have rank 1. TF-Slim's
/// Inception networks have a penalty on the weights of convolutions and of fully connected layers alone (`inception_arg_scope`
/// in `research/slim/nets/inception_utils.py` of `tensorflow/models`), and Keras's layers one on what it is asked for. The
/// penalty on a weight `w` is `factor * w^2 / 2` (`slim.l2_regularizer`), with the gradient `factor * w`; Keras's `l2(factor)`
/// is twice that.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WeightDecay {
    /// The factor; 0 for no decay.
    pub factor: f64,
    /// The parameters that have it.
    pub on: DecayedParameters,
}

impl WeightDecay {
    /// Creates a decay of all parameters.
    pub const fn of_all(factor: f64) -> Self {
        Self {
            factor,
            on: DecayedParameters::All,
        }
    }

    /// Creates a decay of kernels alone.
    pub const fn of_kernels(factor: f64) -> Self {
        Self {
            factor,
            on: DecayedParameters::Kernels,
        }
    }

    /// Returns the factor for a parameter of this rank.
    pub fn factor_of_rank(&self, rank: usize) -> f64 {
        match self.on {
            DecayedParameters::Kernels if rank < 2 => 0.0,
            DecayedParameters::Kernels | DecayedParameters::All => self.factor,
        }
    }
}
