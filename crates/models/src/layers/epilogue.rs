//! The operations after a convolution, which a fused layer computes in the same pass.

use super::{Activation, FeatureMap};

/// The operations after a convolution and its normalization: a residual addition, an activation, both or none.
///
/// The layer takes the epilogue with its input, so that a fused layer computes everything in one pass.
#[derive(Debug, Clone, Default)]
pub struct Epilogue {
    pub(super) residual: Option<FeatureMap>,
    pub(super) activation: Activation,
}

impl Epilogue {
    /// Makes an epilogue that does nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Makes an epilogue that applies ReLU.
    pub fn relu() -> Self {
        Self::from(Activation::Relu)
    }

    /// Makes an epilogue that adds a map of the output's shape, such as a residual connection.
    pub fn add(residual: FeatureMap) -> Self {
        Self {
            residual: Some(residual),
            activation: Activation::None,
        }
    }

    /// Sets the activation, which is applied last.
    pub fn then(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// Returns the epilogue of a fused operation.
    pub(super) fn into_kernels(self) -> xception_kernels::Epilogue {
        xception_kernels::Epilogue {
            residual: self.residual.map(FeatureMap::into_trailing),
            activation: self.activation,
        }
    }
}

impl From<Activation> for Epilogue {
    fn from(activation: Activation) -> Self {
        Self {
            residual: None,
            activation,
        }
    }
}
