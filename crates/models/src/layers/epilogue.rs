//! What follows a convolution.

use super::{Activation, FeatureMap};

/// What follows a convolution and its normalization: an addition, an activation, both or nothing.
///
/// Given to the layer with its input, so that a fused layer computes all of it in one pass.
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

    /// Makes an epilogue that rectifies.
    pub fn relu() -> Self {
        Self::from(Activation::Relu)
    }

    /// Makes an epilogue that adds a map of the output's shape.
    pub fn add(residual: FeatureMap) -> Self {
        Self {
            residual: Some(residual),
            activation: Activation::None,
        }
    }

    /// Applies this activation last.
    pub fn then(self, activation: Activation) -> Self {
        Self { activation, ..self }
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
