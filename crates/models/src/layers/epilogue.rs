//! The operations after a convolution, which a fused layer computes in the same pass.

use xception_kernels::{Geometry, Padding2d};

use super::pool::MaxPool;
use super::{Activation, FeatureMap, Kernels};

/// The operations after a convolution and its normalization: a residual addition, an activation and a max pool, or only some of
/// them.
///
/// The layer takes the epilogue with its input, so that a fused layer computes all but the pool in one pass, and a layer in
/// training normalizes and pools in one.
#[derive(Debug, Clone, Default)]
pub struct Epilogue {
    pub(super) residual: Option<FeatureMap>,
    pub(super) activation: Activation,
    pub(super) pool: Option<MaxPool>,
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
            ..Self::default()
        }
    }

    /// Sets the activation, which is applied after the addition.
    pub fn then(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// Adds a max pool over a square window, the last operation; padded pixels are never the maximum.
    pub fn then_max_pool(
        self,
        kernel: usize,
        stride: usize,
        padding: Padding2d,
        kernels: Kernels,
    ) -> Self {
        let geometry = Geometry::valid(kernel)
            .with_stride(stride)
            .with_padding(padding);
        Self {
            pool: Some(MaxPool { geometry, kernels }),
            ..self
        }
    }

    /// Returns the epilogue of a fused operation, to be followed by the pool if there is one.
    pub(super) fn into_kernels(self) -> (xception_kernels::Epilogue, Option<MaxPool>) {
        let epilogue = xception_kernels::Epilogue {
            residual: self.residual.map(FeatureMap::into_trailing),
            activation: self.activation,
        };
        (epilogue, self.pool)
    }
}

impl From<Activation> for Epilogue {
    fn from(activation: Activation) -> Self {
        Self {
            activation,
            ..Self::default()
        }
    }
}
