//! The operations that follow a convolution for inference.

use burn::prelude::*;

use crate::Activation;

/// The operations that follow a fused convolution.
#[derive(Debug, Clone, Default)]
pub struct Epilogue {
    /// A tensor added to the output, `[batch, height_out, width_out, channels_out]`.
    pub residual: Option<Tensor<4>>,
    /// The activation, applied after the addition.
    pub activation: Activation,
}
