//! The kernels for the processor: functions on slices of `f32`, unaware of Burn.
//!
//! All tensors are dense and row-major: `[batch, channels, height, width]`. Work is divided by shapes
//! alone, never by the number of threads, so results are the same bit for bit on any number of them.

pub(crate) mod activation;
mod aligned;
pub(crate) mod average_pool;
pub(crate) mod batch_norm;
mod col2im;
pub(crate) mod convolution;
mod copy;
mod dense;
pub(crate) mod depthwise;
mod divided;
mod flat;
pub(crate) mod fused;
mod grouped;
mod im2col;
pub(crate) mod max_pool;
pub(crate) mod norm_max_pool;
pub(crate) mod optimizer;
mod output;
mod plain;
mod plane;
pub(crate) mod pointwise;
mod prefetch;
mod product;
mod rows;
mod scratch;
pub(crate) mod separable;
mod sums;
mod taps;
mod vector;

pub(crate) use sums::sums_of_channels;

/// The most `f32` that a vector register of any supported processor holds.
const MAX_LANES: usize = 16;
