//! The position of the channels among a tensor's dimensions.

use burn::prelude::*;

/// The order of a tensor's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelOrder {
    /// `[batch, channels, height, width]`.
    Leading,
    /// `[batch, height, width, channels]`.
    Trailing,
}

/// Returns a view of `[batch, channels, height, width]` as `[batch, height, width, channels]`.
pub(crate) fn trailing_channels(tensor: Tensor<4>) -> Tensor<4> {
    tensor.permute([0, 2, 3, 1])
}

/// Returns a view of `[batch, height, width, channels]` as `[batch, channels, height, width]`.
pub(crate) fn leading_channels(tensor: Tensor<4>) -> Tensor<4> {
    tensor.permute([0, 3, 1, 2])
}
