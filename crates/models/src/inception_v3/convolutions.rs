//! The convolutions of which all modules consist.

use burn::prelude::*;

use crate::layers::{ConvNorm, ConvNormConfig, Epilogue, LayerOptions};
use crate::width::Width;

/// A factory of a module's convolutions, all followed by batch normalization with the same epsilon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Convolutions<'a> {
    pub(crate) width: Width<'a>,
    /// Whether a module's average pool counts the zeros around the map.
    pub(crate) count_include_pad: bool,
    pub(crate) options: LayerOptions,
    pub(crate) device: &'a Device,
}

impl Convolutions<'_> {
    /// Makes a convolution at stride 1, with padding that keeps the size.
    pub(crate) fn same(&self, channels: [usize; 2], kernel: [usize; 2]) -> ConvNorm {
        ConvNormConfig::new(channels, 1, self.options)
            .with_same_kernel(kernel)
            .init(self.device)
    }

    /// Makes a 3x3 convolution at stride 2 without padding.
    pub(crate) fn reduction(&self, channels: [usize; 2]) -> ConvNorm {
        ConvNormConfig::new(channels, 3, self.options)
            .with_stride(2)
            .init(self.device)
    }

    /// Multiplies published numbers of channels by the width multiplier.
    pub(crate) fn channels<const N: usize>(&self, published: [usize; N]) -> [usize; N] {
        published.map(|channels| self.width.channels(channels))
    }
}

/// Makes the epilogue of all convolutions.
pub(crate) fn relu() -> Epilogue {
    Epilogue::relu()
}
