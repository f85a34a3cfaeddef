//! The convolutions that all modules are made of.

use burn::prelude::*;

use crate::layers::{ConvNorm, ConvNormConfig, Epilogue, LayerOptions};
use crate::width::Width;

/// Makes a module's convolutions, all followed by batch normalization with the same epsilon.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convolutions<'a> {
    pub(super) width: Width,
    /// Whether a module's average pool counts the zeros around the map.
    pub(super) count_include_pad: bool,
    pub(super) options: LayerOptions,
    pub(super) device: &'a Device,
}

impl Convolutions<'_> {
    /// At stride 1, padded so that the size stays.
    pub(super) fn same(&self, channels: [usize; 2], kernel: [usize; 2]) -> ConvNorm {
        ConvNormConfig::new(channels, 1, self.options)
            .with_same_kernel(kernel)
            .init(self.device)
    }

    /// 3x3 at stride 2 without padding.
    pub(super) fn reduction(&self, channels: [usize; 2]) -> ConvNorm {
        ConvNormConfig::new(channels, 3, self.options)
            .with_stride(2)
            .init(self.device)
    }

    /// These published numbers of channels, each times the width multiplier.
    pub(super) fn channels<const N: usize>(&self, published: [usize; N]) -> [usize; N] {
        published.map(|channels| self.width.channels(channels))
    }
}

/// What follows every convolution and its normalization.
pub(super) fn relu() -> Epilogue {
    Epilogue::relu()
}
