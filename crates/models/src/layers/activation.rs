//! Activations of feature maps.

pub use xception_kernels::Activation;

use super::feature_map::Form;
use super::operation::OperationKind;
use super::{FeatureMap, Kernels};

impl FeatureMap {
    /// Applies an activation to each element.
    pub fn activate(self, activation: Activation, kernels: Kernels) -> Self {
        if activation == Activation::None {
            return self;
        }
        match self.form {
            Form::Composed(tensor) => Self::composed(kernels.activate(tensor, activation)),
            Form::FusedImages(tensor) => Form::FusedImages(activation.burn(tensor)).into(),
            Form::Fused(tensor) => Form::Fused(activation.burn(tensor)).into(),
            Form::Traced(traced) => traced
                .then(OperationKind::Activation(activation), traced.dims)
                .into(),
        }
    }
}
