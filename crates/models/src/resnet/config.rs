//! Configuration of ResNet and ResNeXt.

use burn::prelude::*;

use super::block::ResNetBlockConfig;
use super::cardinality::{Cardinality, GROUPS, WIDTH_PER_GROUP};
use super::{ResNet, ResNetDepth, ResNetStemConfig};
use crate::ModelError;
use crate::layers::ClassifierConfig;
use crate::limits::check_parameters;
use crate::options::network_config;

/// Channels of the stem's convolution.
const STEM: usize = 64;
/// Number of channels and stride of each stage, before the bottleneck's expansion (table 1).
pub(super) const STAGES: [(usize, usize); 4] = [(64, 1), (128, 2), (256, 2), (512, 2)];

network_config! {
    /// Configuration of [`ResNet`], and of ResNeXt, which has its bottlenecks in groups.
    #[schemars(
        description = "The options of ResNet and ResNeXt; each may be left out.",
        example = serde_json::json!({"depth": 18, "stem": "small"})
    )]
    ResNetConfig {
        /// Number of layers with weights.
        #[schemars(example = 18)]
        depth, with_depth: ResNetDepth = ResNetDepth::ResNet50;
        /// Number of groups in which the 3x3 convolution of a bottleneck is computed, ResNeXt's
        /// cardinality: 1 in ResNet, 32 in ResNeXt-50 32x4d.
        #[schemars(example = 32, transform = GROUPS.of_number())]
        groups, with_groups: usize = Cardinality::RESNET.groups;
        /// Channels of each group in the first stage, and twice as many in each stage after it: 64 in
        /// ResNet's single group, 4 in ResNeXt-50 32x4d. With the factor `width`, all groups together
        /// are rounded to a multiple of 8 and of `groups`.
        #[schemars(example = 4, transform = WIDTH_PER_GROUP.of_number())]
        width_per_group, with_width_per_group: usize = Cardinality::RESNET.width_per_group;
        /// Whether a bottleneck takes its stride in the first 1x1 convolution, as in the paper and in
        /// Keras, rather than in the 3x3, as in torchvision.
        first_convolution_strided, with_first_convolution_strided: bool = false;
    }
    channels: [64, 128, 256, 512];
    dropout: "none in the paper";
    batch_norm_epsilon: 1e-5, "1e-5 in torchvision, 1.001e-5 in Keras", example 1.001e-5;
}

impl ResNetConfig {
    /// Returns the name of the network: `resnet50`, or `resnext50_32x4d` for 32 groups of 4 channels.
    pub fn name(&self) -> String {
        self.cardinality().name(self.depth.layers())
    }

    /// Checks that every option is in its range, and that blocks in groups are bottlenecks.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        self.check_shared()?;
        let (kind, _) = self.depth.blocks();
        self.cardinality().check(kind)
    }

    fn cardinality(&self) -> Cardinality {
        Cardinality {
            groups: self.groups,
            width_per_group: self.width_per_group,
        }
    }

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// If an option is out of its range, or the network would have too many parameters.
    pub fn init(&self, device: &Device) -> Result<ResNet, ModelError> {
        self.check()?;
        let width = self.layer_width()?;

        let stem = ResNetStemConfig {
            stem: self.stem,
            channels: width.channels(STEM),
            options: self.layer_options(),
        };
        let (kind, blocks) = self.depth.blocks();
        let mut channels_in = stem.channels;
        let mut stages = Vec::new();
        for ((published, first_stride), blocks) in STAGES.into_iter().zip(blocks) {
            let mut stage = Vec::new();
            for index in 0..blocks {
                let config = ResNetBlockConfig {
                    kind,
                    channels_in,
                    channels: width.channels(published),
                    inner_channels: self.cardinality().inner_channels(width, published),
                    groups: self.groups,
                    stride: if index == 0 { first_stride } else { 1 },
                    first_convolution_strided: self.first_convolution_strided,
                    options: self.layer_options(),
                };
                stage.push(config.init(device));
                channels_in = config.channels_out();
            }
            stages.push(stage);
        }
        check_parameters(ResNet {
            stem: stem.init(device),
            stages,
            classifier: ClassifierConfig {
                dropout: self.dropout,
                ..ClassifierConfig::new(channels_in, self.classes, self.kernels)
            }
            .init(device),
        })
    }
}
