//! The stem of ResNet: a convolution and a max pool before the residual blocks.

use burn::module::Module;
use burn::prelude::*;
use xception_kernels::Padding2d;

use crate::layers::{ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, Stem};

pub(crate) struct ResNetStemConfig {
    pub(crate) stem: Stem,
    pub(crate) channels: usize,
    pub(crate) options: LayerOptions,
}

impl ResNetStemConfig {
    /// Makes the stem. As published: 7x7 at stride 2, then a max pool. For small images, as for CIFAR-10 in the paper
    /// (section 4.2): 3x3 at stride 1, and no pool unless that is asked for.
    pub(crate) fn init(&self, device: &Device) -> ResNetStem {
        let (kernel, stride) = match self.stem {
            Stem::Standard => (7, 2),
            Stem::Small | Stem::SmallPooled => (3, 1),
        };
        let conv = ConvNormConfig::new([3, self.channels], kernel, self.options)
            .with_padding(kernel / 2)
            .with_stride(stride);
        ResNetStem {
            conv: conv.init(device),
            pool: self.stem.pools(1) > 0,
        }
    }
}

/// The stem: a convolution with ReLU and, unless the stem is `small`, a max pool of 3x3 at stride 2.
#[derive(Module, Debug)]
pub struct ResNetStem {
    /// 64 filters: 7x7 at stride 2, or 3x3 for small images.
    pub conv: ConvNorm,
    /// Whether the max pool follows.
    pub pool: bool,
}

impl ResNetStem {
    /// Applies the convolution and the pool.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, channels, height_out, width_out]`
    pub fn forward(&self, images: FeatureMap) -> FeatureMap {
        let mut epilogue = Epilogue::relu(); // [batch, 64, 112, 112] for 224 x 224 pixels
        if self.pool {
            let padding = Padding2d::symmetric(1);
            epilogue = epilogue.then_max_pool(3, 2, padding, self.conv.kernels); // [batch, 64, 56, 56]
        }
        self.conv.forward(images, epilogue)
    }
}
