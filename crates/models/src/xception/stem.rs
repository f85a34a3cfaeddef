//! Module 1: two dense convolutions.

use burn::module::Module;
use burn::prelude::*;

use crate::layers::{ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, Stem};
use crate::width::Width;

/// Channels of the two convolutions (figure 5).
const CHANNELS: [usize; 2] = [32, 64];

pub(super) struct XceptionStemConfig {
    conv1: ConvNormConfig,
    conv2: ConvNormConfig,
}

/// Makes the stem's configuration. As published: 3x3 at stride 2 and 3x3, both without padding. For small images both
/// keep the size.
pub(super) fn stem_config(stem: Stem, width: &Width, options: LayerOptions) -> XceptionStemConfig {
    let [first, second] = CHANNELS.map(|published| width.channels(published));
    let (stride, padding) = match stem {
        Stem::Standard => (2, 0),
        Stem::Small | Stem::SmallPooled => (1, 1),
    };
    let conv = |channels| ConvNormConfig::new(channels, 3, options).with_padding(padding);
    XceptionStemConfig {
        conv1: conv([3, first]).with_stride(stride),
        conv2: conv([first, second]),
    }
}

impl XceptionStemConfig {
    pub(super) fn channels(&self) -> usize {
        self.conv2.channels[1]
    }

    pub(super) fn init(&self, device: &Device) -> XceptionStem {
        XceptionStem {
            conv1: self.conv1.init(device),
            conv2: self.conv2.init(device),
        }
    }
}

/// The entry flow's first module: two dense convolutions, each followed by ReLU.
#[derive(Module, Debug)]
pub struct XceptionStem {
    /// 32 filters of 3x3, at stride 2 in the standard stem.
    pub conv1: ConvNorm,
    /// 64 filters of 3x3.
    pub conv2: ConvNorm,
}

impl XceptionStem {
    /// Applies both convolutions, each followed by batch normalization and ReLU.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, channels, height_out, width_out]`
    pub fn forward(&self, images: FeatureMap) -> FeatureMap {
        let x = self.conv1.forward(images, Epilogue::relu()); // [batch, 32, 149, 149] for 299 x 299 pixels
        self.conv2.forward(x, Epilogue::relu()) // [batch, 64, 147, 147]
    }
}
