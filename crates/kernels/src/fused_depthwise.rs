//! The depthwise part of a fused separable convolution.

use burn::prelude::*;

use crate::{Activation, Geometry};

/// The depthwise part of a fused separable convolution.
#[derive(Debug, Clone)]
pub struct FusedDepthwise {
    /// The filters: `[channels_in * multiplier, 1, kernel_height, kernel_width]`, those of an input channel together.
    pub weight: Tensor<4>,
    /// The number of input channels. This crate's kernels serve a channel multiplier of 1.
    pub channels: usize,
    /// A value added to each channel, `[channels_in * multiplier]`.
    pub bias: Option<Tensor<1>>,
    /// The window. Any kernel, stride, dilation and padding is supported.
    pub geometry: Geometry,
    /// Whether the input is rectified first.
    pub input_relu: bool,
    /// The activation between the depthwise and the pointwise part.
    pub activation: Activation,
}
