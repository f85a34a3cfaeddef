//! The stem: two dense convolutions.

use burn::module::Module;
use burn::prelude::*;

use crate::layers::{ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, Stem};
use crate::width::Width;

/// Channels of the two convolutions.
const CHANNELS: [usize; 2] = [32, 64];

pub(super) struct AlignedXceptionStemConfig {
    conv1: ConvNormConfig,
    conv2: ConvNormConfig,
    preactivation: bool,
}

/// Makes the stem's configuration: 3x3 at stride 2, or 1 for small images, and 3x3. With pre-activation, the normalization
/// after the second is the first module's.
pub(super) fn stem_config(
    stem: Stem,
    preactivation: bool,
    width: &Width,
    options: LayerOptions,
) -> AlignedXceptionStemConfig {
    let [first, second] = CHANNELS.map(|published| width.channels(published));
    let stride = match stem {
        Stem::Standard => 2,
        Stem::Small | Stem::SmallPooled => 1,
    };
    let conv = |channels| ConvNormConfig::new(channels, 3, options).with_padding(1);
    let conv2 = conv([first, second]);
    AlignedXceptionStemConfig {
        conv1: conv([3, first]).with_stride(stride),
        conv2: match preactivation {
            true => conv2.without_norm(),
            false => conv2,
        },
        preactivation,
    }
}

impl AlignedXceptionStemConfig {
    pub(super) fn init(&self, device: &Device) -> AlignedXceptionStem {
        AlignedXceptionStem {
            conv1: self.conv1.init(device),
            conv2: self.conv2.init(device),
            activated: !self.preactivation,
        }
    }
}

/// The stem: two dense convolutions.
#[derive(Module, Debug)]
pub struct AlignedXceptionStem {
    /// 32 filters of 3x3, at stride 2 in the standard stem, with normalization.
    pub conv1: ConvNorm,
    /// 64 filters of 3x3, with normalization unless the network has pre-activation.
    pub conv2: ConvNorm,
    /// Whether ReLU follows the second convolution.
    pub activated: bool,
}

impl AlignedXceptionStem {
    /// Applies both convolutions, with ReLU after each; with pre-activation, after the first alone.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, channels, height_out, width_out]`
    pub fn forward(&self, images: FeatureMap) -> FeatureMap {
        let x = self.conv1.forward(images, Epilogue::relu()); // [batch, 32, 150, 150] for 299 x 299 pixels
        let last = match self.activated {
            true => Epilogue::relu(),
            false => Epilogue::none(),
        };
        self.conv2.forward(x, last) // [batch, 64, 150, 150]
    }
}
