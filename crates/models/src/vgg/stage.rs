//! The convolutions between two max pools.

use burn::module::Module;
use xception_kernels::Padding2d;

use crate::layers::{ConvNorm, Epilogue, FeatureMap, Kernels, SegmentedConvNorm, max_pool};

/// Convolutions of 3x3 at stride 1, each followed by ReLU, and a max pool.
#[derive(Module, Debug)]
pub struct VggStage {
    /// Dense convolutions.
    pub dense: Vec<ConvNorm>,
    /// Depthwise separable convolutions, after the dense ones.
    pub separable: Vec<SegmentedConvNorm>,
    /// Whether a max pool of 2x2 at stride 2 follows.
    pub pool: bool,
    /// The implementation of the pool.
    #[module(skip)]
    pub kernels: Kernels,
}

impl VggStage {
    /// Applies the convolutions and the pool.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height / 2, width / 2]`, or `[batch, channels_out, height, width]` without the
    ///   pool
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let mut x = input;
        for convolution in &self.dense {
            x = convolution.forward(x, Epilogue::relu());
        }
        for convolution in &self.separable {
            x = convolution.forward(x, Epilogue::relu());
        }
        if !self.pool {
            return x;
        }
        max_pool(x, 2, 2, Padding2d::symmetric(0), self.kernels)
    }
}
