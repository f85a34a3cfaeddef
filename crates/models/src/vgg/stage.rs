//! The convolutions between two max pools.

use burn::module::Module;
use xception_kernels::Padding2d;

use crate::layers::{ConvNorm, Epilogue, FeatureMap, Kernels, SegmentedConvNorm};

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
        let count = self.dense.len() + self.separable.len();
        let epilogue = |index| match self.pool && index + 1 == count {
            true => {
                let padding = Padding2d::symmetric(0);
                Epilogue::relu().then_max_pool(2, 2, padding, self.kernels)
            }
            false => Epilogue::relu(),
        };
        let mut x = input;
        for (index, convolution) in self.dense.iter().enumerate() {
            x = convolution.forward(x, epilogue(index));
        }
        for (index, convolution) in (self.dense.len()..).zip(&self.separable) {
            x = convolution.forward(x, epilogue(index));
        }
        x
    }
}
