//! Convolutions, pools, batch normalization and the steps of optimizers for Burn, with kernels for the
//! processor.
//!
//! The functions take and return Burn tensors. They run on every backend, with gradients where the device
//! is in autodiff mode. For tensors of `f32` on a device for which [`runs_natively`] holds, this crate's
//! kernels compute them; elsewhere Burn's own operations do. On graphics cards, with one of the cargo features `wgpu`, `cuda` and
//! `rocm`, this crate's kernels compute depthwise convolution and batch normalization in training, with their gradients, and the
//! gradients of grouped convolution.
//!
//! A depthwise separable convolution (F. Chollet, *Xception*, CVPR 2017, section 2) is a spatial
//! convolution of each channel by itself, the *depthwise* part, followed by a 1x1 convolution that
//! mixes the channels, the *pointwise* part:
//!
//! ```
//! use burn::prelude::*;
//! use xception_kernels::{Geometry, separable_conv2d};
//!
//! let device = Device::flex();
//! let input = Tensor::ones([1, 4, 8, 8], &device);
//! let depthwise = Tensor::ones([4, 1, 3, 3], &device);
//! let pointwise = Tensor::ones([6, 4, 1, 1], &device);
//! let output = separable_conv2d(input, depthwise, pointwise, &Geometry::same(3));
//! assert_eq!(output.dims(), [1, 6, 8, 8]);
//! ```
//!
//! Functions whose name begins with `burn_` call Burn's own operation on every backend, for comparison.
//! [`FusedConv2d`] and the pools of tensors with trailing channels are for inference.

mod activation;
mod batch_norm;
mod channel_order;
mod composed;
mod convolution;
mod convolution_shape;
#[allow(unsafe_code)] // SIMD, uninitialized results, and tasks that write distinct parts of one
mod cpu;
#[cfg(feature = "cube")]
mod cube;
mod depthwise;
mod epilogue;
mod fused;
mod fused_depthwise;
mod fused_transposed_depthwise;
mod geometry;
mod half_precision;
mod inference;
mod native;
mod norm_max_pool;
mod ops;
mod optimizer;
mod pointwise;
mod pool;
mod separable;
mod threads;
mod trailing_pool;
mod transposed_convolution;

pub use activation::{Activation, activate, relu};
pub use batch_norm::{NormalizedBatch, batch_norm_train, batch_statistics, normalize};
pub use convolution::{burn_conv2d, conv2d};
pub use depthwise::depthwise_conv2d;
pub use epilogue::Epilogue;
pub use fused::FusedConv2d;
pub use fused_depthwise::FusedDepthwise;
pub use fused_transposed_depthwise::FusedTransposedDepthwise;
pub use geometry::{Geometry, Padding2d};
pub use native::runs_natively;
pub use norm_max_pool::{norm_max_pool2d_train, trains_norm_max_pool};
pub use optimizer::{
    AdamWSettings, RmsPropSettings, SgdSettings, adam_w_step, moving_average_step, rms_prop_step,
    sgd_step, sum_of_squares,
};
pub use pointwise::pointwise_conv2d;
pub use pool::{average_pool2d, burn_average_pool2d, burn_max_pool2d, max_pool2d};
pub use separable::{
    InputNorm, SeparableOptions, SeparableOutput, separable_conv2d, separable_conv2d_train,
    trains_separable,
};
pub use threads::within_pool;
pub use trailing_pool::{max_pool_trailing_channels, mean_pool_trailing_channels};
pub use transposed_convolution::{burn_transposed_conv2d, transposed_conv2d};

/// The examples of the README, which are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
