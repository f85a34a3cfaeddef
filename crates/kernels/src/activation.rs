//! Activations.

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::activation;
use serde::{Deserialize, Serialize};

use crate::half_precision::{half_in_memory, single};
use crate::native::is_native;
use crate::ops::ActivationBackend;

/// The non-linearity after a layer, or between the two parts of a separable convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
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

/// Applies an activation to each element; NaN stays NaN.
///
/// # Shapes
///
/// - `input` and output: `[batch, channels, height, width]`
pub fn activate(input: Tensor<4>, activation: Activation) -> Tensor<4> {
    if activation == Activation::None {
        return input;
    }
    if let Some(element) = half_in_memory(&input) {
        return activate(single(input), activation).cast(element);
    }
    if !is_native(&input) {
        return activation.burn(input);
    }
    let input = input.into_dispatch();
    Tensor::from_dispatch(<Dispatch as ActivationBackend>::activate(input, activation))
}

/// Applies the rectified linear unit: [`activate`] with [`Activation::Relu`].
pub fn relu(input: Tensor<4>) -> Tensor<4> {
    activate(input, Activation::Relu)
}
