//! The Inception module.

use burn::module::Module;
use burn::prelude::*;
use xception_kernels::Padding2d;

use crate::layers::{ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, max_pool};

pub(super) struct GoogLeNetModuleConfig {
    pub(super) channels_in: usize,
    /// Output channels of the convolutions, in the order of the branches.
    pub(super) channels: [usize; 6],
    pub(super) options: LayerOptions,
}

impl GoogLeNetModuleConfig {
    pub(super) fn channels_out(&self) -> usize {
        let [out1, _, out2, _, out3, out4] = self.channels;
        out1 + out2 + out3 + out4
    }

    pub(super) fn init(&self, device: &Device) -> GoogLeNetModule {
        let conv = |channels: [usize; 2], kernel: usize| {
            ConvNormConfig::new(channels, kernel, self.options)
                .with_padding(kernel / 2)
                .init(device)
        };
        let channels_in = self.channels_in;
        let [out1, reduced2, out2, reduced3, out3, out4] = self.channels;
        GoogLeNetModule {
            branch1: conv([channels_in, out1], 1),
            branch2: [conv([channels_in, reduced2], 1), conv([reduced2, out2], 3)],
            branch3: [conv([channels_in, reduced3], 1), conv([reduced3, out3], 3)],
            branch4: conv([channels_in, out4], 1),
        }
    }
}

/// A module with the branches 1x1; 1x1 and 3x3, twice; max pool and 1x1 (figure 2b, with 3x3 in place of the 5x5).
#[derive(Module, Debug)]
pub struct GoogLeNetModule {
    /// The 1x1.
    pub branch1: ConvNorm,
    /// 1x1 and 3x3.
    pub branch2: [ConvNorm; 2],
    /// 1x1 and 3x3, where the paper has 1x1 and 5x5.
    pub branch3: [ConvNorm; 2],
    /// 1x1 after the max pool.
    pub branch4: ConvNorm,
}

impl GoogLeNetModule {
    /// Computes all branches, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height, width]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let both = |[first, second]: &[ConvNorm; 2], input: FeatureMap| {
            second.forward(first.forward(input, Epilogue::relu()), Epilogue::relu())
        };
        let branch1 = self.branch1.forward(input.clone(), Epilogue::relu());
        let branch2 = both(&self.branch2, input.clone());
        let branch3 = both(&self.branch3, input.clone());
        let pooled = max_pool(input, 3, 1, Padding2d::symmetric(1), self.branch4.kernels);
        let branch4 = self.branch4.forward(pooled, Epilogue::relu());
        FeatureMap::concatenate([branch1, branch2, branch3, branch4])
    }
}
