//! Activations.

use burn::prelude::*;
use burn::tensor::activation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kernels;
use crate::trace;

/// The non-linearity between the depthwise and the pointwise part of a separable convolution
/// (Xception, section 4.7 and figure 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// No non-linearity, as in Xception.
    #[default]
    None,
    /// `max(0, x)`.
    Relu,
    /// `x` where positive, `exp(x) - 1` elsewhere.
    Elu,
}

impl Activation {
    /// Applies the activation to every element.
    pub fn forward(&self, input: Tensor<4>, kernels: Kernels) -> Tensor<4> {
        match self {
            Self::None => input,
            Self::Relu => relu(input, kernels),
            Self::Elu => trace::elementwise(input.dims(), || activation::elu(input, 1.0)),
        }
    }
}

/// Rectified linear unit: `max(0, x)`.
pub fn relu(input: Tensor<4>, kernels: Kernels) -> Tensor<4> {
    trace::elementwise(input.dims(), || kernels.relu(input))
}
