//! The convolutions and pools before the first unit.

use burn::module::Module;
use burn::prelude::*;
use xception_kernels::Padding2d;

use crate::layers::{ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, Stem, max_pool};
use crate::width::Width;

/// Published channels and kernel size of each convolution (figure 5).
const CONVOLUTIONS: [(usize, usize); 3] = [(64, 7), (64, 1), (192, 3)];

pub(super) struct InceptionV2StemConfig<'a> {
    pub(super) stem: Stem,
    pub(super) width: Width<'a>,
    pub(super) options: LayerOptions,
}

impl InceptionV2StemConfig<'_> {
    pub(super) fn channels_out(&self) -> usize {
        let [.., (last, _)] = CONVOLUTIONS;
        self.width.channels(last)
    }

    /// Makes the stem. In the standard stem the first convolution has stride 2; in the small one it has stride 1, and
    /// there are no pools or only the first.
    pub(super) fn init(&self, device: &Device) -> InceptionV2Stem {
        let mut channels_in = 3;
        let mut stride = if self.stem.is_standard() { 2 } else { 1 };
        let [conv1, conv2, conv3] = CONVOLUTIONS.map(|(published, kernel)| {
            let channels = self.width.channels(published);
            let config = ConvNormConfig::new([channels_in, channels], kernel, self.options)
                .with_bias()
                .with_padding(kernel / 2)
                .with_stride(stride);
            (channels_in, stride) = (channels, 1);
            config.init(device)
        });
        InceptionV2Stem {
            conv1,
            conv2,
            conv3,
            pools: self.stem.pools(2),
        }
    }
}

/// The stem: three convolutions, each followed by ReLU, and two max pools in the standard stem, the first of which `small_pooled` has too.
#[derive(Module, Debug)]
pub struct InceptionV2Stem {
    /// First convolution: 64 filters of 7x7, at stride 2 in the standard stem.
    pub conv1: ConvNorm,
    /// 1x1 before the second convolution: 64 filters.
    pub conv2: ConvNorm,
    /// Second convolution: 192 filters of 3x3.
    pub conv3: ConvNorm,
    /// How many of the max pools of 3x3 at stride 2 after the first and the last convolution there are.
    pub pools: usize,
}

impl InceptionV2Stem {
    /// Applies the convolutions and the pools.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, 192, height_out, width_out]`
    pub fn forward(&self, images: FeatureMap) -> FeatureMap {
        // Shapes are for 224 x 224 pixels.
        let x = self.conv1.forward(images, Epilogue::relu()); // [batch, 64, 112, 112]
        let x = self.pool(x, 1); // [batch, 64, 56, 56]
        let x = self.conv2.forward(x, Epilogue::relu());
        let x = self.conv3.forward(x, Epilogue::relu()); // [batch, 192, 56, 56]
        self.pool(x, 2) // [batch, 192, 28, 28]
    }

    /// Takes the maximum over 3x3 pixels at stride 2, if the stem has as many pools. Nothing is padded, but the last window may
    /// reach over the border, as with `ceil_mode` in PyTorch.
    fn pool(&self, input: FeatureMap, number: usize) -> FeatureMap {
        if self.pools < number {
            return input;
        }
        let [_, _, height, width] = input.dims();
        let padding = Padding2d::symmetric(0).rounded_up([height, width], [3; 2], [2; 2]);
        max_pool(input, 3, 2, padding, self.conv1.kernels)
    }
}
