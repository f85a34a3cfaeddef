//! The numbers that a network computes with while it is trained.

use burn::prelude::*;
use burn::tensor::{DType, FloatDType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::device_name;

/// The numbers that a network computes with in a training step.
///
/// In mixed precision (P. Micikevicius et al., *Mixed Precision Training*, ICLR 2018) the maps that pass from layer to layer, and the
/// weights that layers take, have 16 bits. The weights that steps change, batch normalization, the classifier after the pool and the loss
/// stay `f32`, and so does evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// `f32` throughout.
    #[default]
    Full,
    /// Layers compute in `f16`. The loss is scaled, so that small gradients don't vanish, by a factor that follows them: a step
    /// whose gradients overflow is left out.
    Mixed,
    /// Layers compute in `bf16`, which has the range of `f32` and 8 bits of precision; the loss isn't scaled.
    MixedBf16,
}

impl Precision {
    /// Converts images to what the layers compute with.
    pub fn apply<const D: usize>(self, images: Tensor<D>) -> Tensor<D> {
        match self.half() {
            Some(element) => images.cast(element),
            None => images,
        }
    }

    /// Returns whether the loss has to be scaled, since the range of the numbers is small.
    pub(crate) fn scales_loss(self) -> bool {
        self == Self::Mixed
    }

    /// Returns whether it is full precision.
    pub(crate) fn is_full(&self) -> bool {
        *self == Self::Full
    }

    /// Checks that a device computes with these numbers.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub fn check(self, device: &Device) -> Result<(), TrainError> {
        let Some(element) = self.half() else {
            return Ok(());
        };
        let (f16, bf16) = (DType::F16, DType::BF16);
        if device.supports_dtype(element) {
            return Ok(());
        }
        let (option, missing, other) = match self {
            Self::MixedBf16 => ("mixed_bf16", "bf16", ("mixed", f16)),
            _ => ("mixed", "f16", ("mixed_bf16", bf16)),
        };
        let (instead, supported) = other;
        Err(TrainError::Precision {
            option,
            missing,
            device: device_name(device),
            instead: device.supports_dtype(supported).then_some(instead),
        })
    }

    /// Returns the element type of half precision.
    fn half(self) -> Option<FloatDType> {
        match self {
            Self::Full => None,
            Self::Mixed => Some(FloatDType::F16),
            Self::MixedBf16 => Some(FloatDType::BF16),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(deprecated)] // Burn deprecates NdArray; this project still supports it
    fn a_device_without_half_precision_is_an_error_that_names_it() {
        for precision in [Precision::Full, Precision::Mixed, Precision::MixedBf16] {
            assert!(precision.check(&Device::flex()).is_ok());
            assert!(precision.check(&Device::flex().autodiff()).is_ok());
        }
        assert!(Precision::Full.check(&Device::ndarray()).is_ok());
        for (precision, words) in [
            (Precision::Mixed, ["\"mixed\"", "f16", "\"full\""]),
            (Precision::MixedBf16, ["\"mixed_bf16\"", "bf16", "\"full\""]),
        ] {
            let error = precision.check(&Device::ndarray()).unwrap_err().to_string();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }

    #[test]
    fn a_recipe_names_it_in_snake_case() {
        for (precision, name) in [
            (Precision::Full, "\"full\""),
            (Precision::Mixed, "\"mixed\""),
            (Precision::MixedBf16, "\"mixed_bf16\""),
        ] {
            assert_eq!(serde_json::to_string(&precision).unwrap(), name);
        }
    }
}
