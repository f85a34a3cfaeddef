//! Configuration of Inception-ResNet V2.

use burn::prelude::*;
use xception_messages::Bounds;

use super::block::Block;
use super::branches::{Branches, same, strided};
use super::{InceptionResNetV2, STEM_STAGES, mixed_5b, reduction};
use crate::ModelError;
use crate::inception_v3::convolutions::Convolutions;
use crate::inception_v3::stem;
use crate::layers::{ClassifierConfig, Stem};
use crate::limits::{self, check_parameters};
use crate::options::network_config;

/// The blocks at 35 x 35 (figure 16).
pub(super) const BLOCK35: Block = Block {
    branches: &[
        &[same(32, [1, 1])],
        &[same(32, [1, 1]), same(32, [3, 3])],
        &[same(32, [1, 1]), same(48, [3, 3]), same(64, [3, 3])],
    ],
    scale: 0.17,
};
/// The reduction to 17 x 17 (figure 7).
pub(super) const MIXED_6A: Branches = &[
    &[strided(384)],
    &[same(256, [1, 1]), same(256, [3, 3]), strided(384)],
];
/// The blocks at 17 x 17 (figure 17).
pub(super) const BLOCK17: Block = Block {
    branches: &[
        &[same(192, [1, 1])],
        &[same(128, [1, 1]), same(160, [1, 7]), same(192, [7, 1])],
    ],
    scale: 0.1,
};
/// The reduction to 8 x 8 (figure 18).
pub(super) const MIXED_7A: Branches = &[
    &[same(256, [1, 1]), strided(384)],
    &[same(256, [1, 1]), strided(288)],
    &[same(256, [1, 1]), same(288, [3, 3]), strided(320)],
];
/// The blocks at 8 x 8 (figure 19).
pub(super) const BLOCK8: Block = Block {
    branches: &[
        &[same(192, [1, 1])],
        &[same(192, [1, 1]), same(224, [1, 3]), same(256, [3, 1])],
    ],
    scale: 0.2,
};
/// Channels of the last convolution.
pub(super) const CONV_7B: usize = 1536;

/// Range of the number of blocks at each resolution.
const BLOCKS: Bounds = Bounds::at_least(0.0).at_most(limits::BLOCKS as f64);

network_config! {
    /// Configuration of [`InceptionResNetV2`].
    #[schemars(
        description = "The options of Inception-ResNet V2; each may be left out.",
        example = serde_json::json!({"block35": 5, "block17": 10, "block8": 5, "width": 0.5})
    )]
    InceptionResNetV2Config {
        /// Number of blocks at 35 x 35; 10 in the published network, 5 in the paper.
        #[schemars(example = 5, transform = BLOCKS.of_number())]
        block35, with_block35: usize = 10;
        /// Number of blocks at 17 x 17; 20 in the published network, 10 in the paper.
        #[schemars(example = 10, transform = BLOCKS.of_number())]
        block17, with_block17: usize = 20;
        /// Number of blocks at 8 x 8; 10 in the published network, 5 in the paper.
        #[schemars(example = 5, transform = BLOCKS.of_number())]
        block8, with_block8: usize = 10;
        /// Whether the average pool of `mixed_5b` counts the zeros around the map: it doesn't in timm and in Keras.
        count_include_pad, with_count_include_pad: bool = false;
    }
    channels: [
        32, 48, 64, 80, 96, 128, 160, 192, 224, 256, 288, 320, 384, 1536
    ];
    dropout: "0.2 in the paper";
    batch_norm_epsilon: 1e-3, "1e-3 in timm and in Keras", example 1e-5;
}

impl InceptionResNetV2Config {
    /// Returns the name of the network.
    pub fn name(&self) -> String {
        "inception_resnet_v2".to_owned()
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        self.check_shared()?;
        BLOCKS.check_count("block35", self.block35)?;
        BLOCKS.check_count("block17", self.block17)?;
        BLOCKS.check_count("block8", self.block8)?;
        Ok(())
    }

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// If an option is out of its range, or the network would have too many parameters.
    pub fn init(&self, device: &Device) -> Result<InceptionResNetV2, ModelError> {
        self.check()?;
        let make = &Convolutions {
            width: self.layer_width()?,
            count_include_pad: self.count_include_pad,
            options: self.layer_options(),
            device,
        };
        let blocks = |block: &Block, channels, count| {
            let blocks = (0..count).map(|_| block.init(channels, make));
            blocks.collect()
        };

        let (stem, channels_in) = stem::stem(self.stem, STEM_STAGES, make);
        let mixed_5b = mixed_5b::init(channels_in, make);
        let channels_35 = mixed_5b::channels_out(make);
        let block35 = blocks(&BLOCK35, channels_35, self.block35);
        let mixed_6a = reduction::init(MIXED_6A, channels_35, make);
        let channels_17 = reduction::channels_out(MIXED_6A, channels_35, make);
        let block17 = blocks(&BLOCK17, channels_17, self.block17);
        let mixed_7a = reduction::init(MIXED_7A, channels_17, make);
        let channels_8 = reduction::channels_out(MIXED_7A, channels_17, make);
        let mut block8: Vec<_> = blocks(&BLOCK8, channels_8, self.block8.saturating_sub(1));
        if self.block8 > 0 {
            block8.push(BLOCK8.last(channels_8, make));
        }
        let [last] = make.channels([CONV_7B]);
        let classifier = ClassifierConfig {
            dropout: self.dropout,
            ..ClassifierConfig::new(last, self.classes, self.kernels)
        };
        check_parameters(InceptionResNetV2 {
            stem,
            mixed_5b,
            block35,
            mixed_6a,
            block17,
            mixed_7a,
            block8,
            conv_7b: make.same([channels_8, last], [1, 1]),
            classifier: classifier.init(device),
            minimum_size: minimum_size(self.stem),
        })
    }
}

/// Returns the smallest image side at which no map is empty: that of which both reductions, 3x3 at stride 2 without
/// padding, leave a pixel.
fn minimum_size(stem: Stem) -> usize {
    let before_reduction = |side: usize| (side - 1) * 2 + 3;
    stem::minimum_size(stem, before_reduction(before_reduction(1)))
}
