//! Activations.

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::activation;
use serde::{Deserialize, Serialize};

use crate::native::is_native;
use crate::ops::ReluBackend;

/// The non-linearity after a layer, or between the two parts of a separable convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// No non-linearity.
    #[default]
    None,
    /// `max(0, x)`.
    Relu,
    /// `min(max(0, x), 6)` (A. Howard et al., *MobileNets*, 2017).
    Relu6,
    /// `x` where positive, `exp(x) - 1` elsewhere.
    Elu,
}

impl Activation {
    /// Applies the activation to every element, by Burn's own operations. NaN stays NaN.
    pub fn burn<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::None => input,
            Self::Relu => activation::relu(input),
            Self::Relu6 => activation::relu(input).clamp_max(6.0),
            Self::Elu => activation::elu(input, 1.0),
        }
    }
}

/// Applies the rectified linear unit: `max(0, x)` of each element, and NaN for NaN.
///
/// # Shapes
///
/// - `input` and output: `[batch, channels, height, width]`
pub fn relu(input: Tensor<4>) -> Tensor<4> {
    if !is_native(&input) {
        return activation::relu(input);
    }
    Tensor::from_dispatch(<Dispatch as ReluBackend>::rectify(input.into_dispatch()))
}
