//! Convolution for inference: with bias, residual addition and activation in one pass over the output.
//!
//! Tensors here have trailing channels, `[batch, height, width, channels]`, so that a vector is a
//! stretch of channels: neither a depthwise convolution nor a pool needs padding, and a window of a
//! convolution is a few stretches of memory that the micro-kernel reads where they are. Weights are
//! packed in the micro-kernel's order once, see [`Panels`](panels::Panels). Groups too narrow for panels have a kernel
//! of their own, see [`lane_convolution`].
//!
//! The output is divided into *strips* of pixels. Of a depthwise separable convolution, a strip's
//! depthwise part goes to the thread's scratch memory, where it stays in cache until the pointwise part
//! has read it.

mod convolution;
mod depthwise;
mod depthwise_convolution;
mod epilogue;
mod forward;
mod images;
mod lane_ahead;
mod lane_block;
mod lane_convolution;
mod lane_rows;
mod panel_convolution;
mod panels;
mod pixels;
mod pool;
#[cfg(test)]
mod tests;
mod transposed_depthwise;

pub(crate) use super::product::micro_kernel::Rectify;
pub(crate) use convolution::{Convolution, Input, Weights};
pub(crate) use depthwise::Depthwise;
pub(crate) use pool::{Pool, PoolKind};
pub(crate) use transposed_depthwise::TransposedDepthwise;
