//! ResNet, with 18, 34, 50, 101 or 152 layers, and ResNeXt, which has its bottlenecks in groups.
//!
//! - Papers: K. He, X. Zhang, S. Ren, J. Sun, *Deep Residual Learning for Image Recognition*, CVPR
//!   2016, <https://arxiv.org/abs/1512.03385>; table 1 has all five networks. S. Xie, R. Girshick, P. Dollár, Z. Tu, K. He,
//!   *Aggregated Residual Transformations for Deep Neural Networks*, CVPR 2017, <https://arxiv.org/abs/1611.05431>; table 1
//!   has ResNeXt-50, and table 2 the numbers of groups and their widths at equal complexity.
//! - Implementation: torchvision's `resnet18` to `resnet152`, and `resnext50_32x4d`.
//! - Input: 224 x 224 pixels, RGB, scaled to [0, 1], then normalized with ImageNet's mean (0.485,
//!   0.456, 0.406) and standard deviation (0.229, 0.224, 0.225) of each channel.
//! - Reference, on ImageNet's validation set (one crop, one model, torchvision's first weights):
//!
//!   | network | parameters | top-1 | top-5 |
//!   |---|---|---|---|
//!   | ResNet-18 | 11,689,512 | 69.8 % | 89.1 % |
//!   | ResNet-34 | 21,797,672 | 73.3 % | 91.4 % |
//!   | ResNet-50 | 25,557,032 | 76.1 % | 92.9 % |
//!   | ResNet-101 | 44,549,160 | 77.4 % | 93.5 % |
//!   | ResNet-152 | 60,192,808 | 78.3 % | 94.0 % |
//!   | ResNeXt-50 32x4d | 25,028,904 | 77.6 % | 93.7 % |
//!
//! - ResNeXt divides a bottleneck into groups: `groups` is their number, the cardinality C in the paper, and
//!   `width_per_group` the channels of each in the first stage, the paper's d. Any C x d is a network, such as 2x40d; one
//!   group of 64 channels is ResNet, one of 128 torchvision's `wide_resnet50_2`. The width multiplier keeps the inner
//!   channels divisible by the groups, since it rounds them to a multiple of the least common multiple of 8 and the groups,
//!   or of that part of it that divides the inner channels at width 1.
//! - A bottleneck has its stride in the 3x3 convolution, as in torchvision ("ResNet v1.5") and in ResNeXt (section 4 of its
//!   paper). The paper of ResNet and Keras have it in the first 1x1, for which there is an option.
//! - The small stem is the paper's stem for CIFAR-10, followed by the four stages of the ImageNet networks; the
//!   paper's networks for CIFAR-10 have three.

mod block;
mod cardinality;
mod config;
mod depth;
#[cfg(feature = "weights")]
mod keras_names;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
mod stem;
#[cfg(feature = "weights")]
mod torchvision_names;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;

pub use block::ResNetBlock;
pub use config::ResNetConfig;
pub use depth::ResNetDepth;
pub use stem::ResNetStem;
pub(crate) use stem::ResNetStemConfig;

use crate::layers::{Classifier, FeatureMap};
use crate::{ModelConfig, ModelInfo, Network, Observer};

/// Published networks of the family.
pub(crate) const PUBLISHED: [ModelInfo; 6] = [
    resnet("resnet18", || config(ResNetDepth::ResNet18)),
    resnet("resnet34", || config(ResNetDepth::ResNet34)),
    resnet("resnet50", || config(ResNetDepth::ResNet50)),
    resnet("resnet101", || config(ResNetDepth::ResNet101)),
    resnet("resnet152", || config(ResNetDepth::ResNet152)),
    ModelInfo {
        name: "resnext50_32x4d",
        paper: "S. Xie et al., Aggregated Residual Transformations, CVPR 2017",
        image_size: 224,
        configuration: || {
            ModelConfig::ResNet(ResNetConfig {
                groups: 32,
                width_per_group: 4,
                ..ResNetConfig::default()
            })
        },
    },
];

const fn resnet(name: &'static str, configuration: fn() -> ModelConfig) -> ModelInfo {
    ModelInfo {
        name,
        paper: "K. He et al., Deep Residual Learning, CVPR 2016",
        image_size: 224,
        configuration,
    }
}

fn config(depth: ResNetDepth) -> ModelConfig {
    ModelConfig::ResNet(ResNetConfig {
        depth,
        ..ResNetConfig::default()
    })
}

/// ResNet or ResNeXt: a stem and four stages of residual blocks (table 1).
///
/// The stages are `stem`, which includes the max pool, and `layer1` to `layer4`, as in torchvision (`conv2_x` to
/// `conv5_x` in the paper).
#[derive(Module, Debug)]
pub struct ResNet {
    /// The stem: a convolution and, unless the stem is `small`, a max pool.
    pub stem: ResNetStem,
    /// Stages `layer1` to `layer4`; the first block of all but the first stage halves height and width.
    pub stages: Vec<Vec<ResNetBlock>>,
    /// Classifier: dropout and a linear layer.
    pub classifier: Classifier,
}

impl Network for ResNet {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let mut x = self.stem.forward(images); // [batch, 64, 56, 56] for 224 x 224 pixels
        observe("stem", &x);
        for (index, blocks) in self.stages.iter().enumerate() {
            for block in blocks {
                x = block.forward(x); // [batch, 512 or 2048, 7, 7] after the last
            }
            observe(&format!("layer{}", index + 1), &x);
        }
        x
    }

    fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// Returns one pixel: the padding of each window is half its size, so that any input leaves an output.
    fn minimum_size(&self) -> usize {
        1
    }
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use super::*;
    use crate::Summary;
    use crate::layers::Stem;

    fn small(depth: ResNetDepth) -> ResNetConfig {
        ResNetConfig::new(10).with_depth(depth).with_width(0.125)
    }

    #[test]
    fn has_torchvisions_numbers_of_parameters() {
        let expected = [11_689_512, 21_797_672, 25_557_032, 44_549_160, 60_192_808];
        for (depth, expected) in ResNetDepth::ALL.into_iter().zip(expected) {
            let model = ResNetConfig::new(1000)
                .with_depth(depth)
                .init(&Device::flex())
                .unwrap();
            assert_eq!(model.trainable_parameters(), expected, "{depth:?}");
        }
    }

    fn resnext(depth: ResNetDepth, groups: usize, width_per_group: usize) -> ResNetConfig {
        ResNetConfig {
            depth,
            groups,
            width_per_group,
            ..ResNetConfig::default()
        }
    }

    #[test]
    fn every_cardinality_of_equal_complexity_has_its_parameters() {
        // Table 2 of the ResNeXt paper, which gives all of them about 4.1 billion multiply-adds (table 3). The numbers
        // are those of the convolutions and the linear layer of torchvision's `ResNet` with these groups and widths.
        for (groups, width_per_group, parameters, multiply_adds) in [
            (1, 64, 25_557_032, 4_089_184_256),
            (2, 40, 25_425_000, 4_124_508_160),
            (4, 24, 25_292_968, 4_159_832_064),
            (8, 14, 25_603_016, 4_267_409_408),
            (32, 4, 25_028_904, 4_230_479_872),
        ] {
            let config = resnext(ResNetDepth::ResNet50, groups, width_per_group);
            let model = config.init(&Device::flex()).unwrap();
            assert_eq!(model.trainable_parameters(), parameters, "{groups}");
            let summary = Summary::new(&model, [224, 224]).unwrap();
            assert_eq!(summary.multiply_adds(), multiply_adds, "{groups}");
        }
    }

    #[test]
    fn torchvisions_other_networks_in_groups_have_their_parameters() {
        for (depth, groups, width_per_group, parameters) in [
            (ResNetDepth::ResNet101, 32, 8, 88_791_336),
            (ResNetDepth::ResNet101, 64, 4, 83_455_272),
            (ResNetDepth::ResNet50, 1, 128, 68_883_240), // wide_resnet50_2
        ] {
            let model = resnext(depth, groups, width_per_group).init(&Device::flex());
            assert_eq!(model.unwrap().trainable_parameters(), parameters);
        }
    }

    #[test]
    fn the_name_has_groups_and_their_width() {
        for (depth, groups, width_per_group, name) in [
            (ResNetDepth::ResNet50, 1, 64, "resnet50"),
            (ResNetDepth::ResNet50, 32, 4, "resnext50_32x4d"),
            (ResNetDepth::ResNet101, 32, 8, "resnext101_32x8d"),
            (ResNetDepth::ResNet50, 2, 40, "resnext50_2x40d"),
            (ResNetDepth::ResNet50, 1, 128, "resnext50_1x128d"),
        ] {
            let config = resnext(depth, groups, width_per_group);
            assert_eq!(config.name(), name);
            assert_eq!(ModelConfig::ResNet(config).image_size(), 224);
        }
    }

    #[test]
    fn basic_blocks_in_groups_are_an_error_that_says_why() {
        for depth in [ResNetDepth::ResNet18, ResNetDepth::ResNet34] {
            for (groups, width_per_group, start) in [
                (
                    32,
                    4,
                    "`groups` is 32, but has to be 1 with a depth of 18 or 34",
                ),
                (1, 4, "`width_per_group` is 4, but has to be 64"),
            ] {
                let config = resnext(depth, groups, width_per_group);
                let error = config.init(&Device::flex()).unwrap_err().to_string();
                assert!(error.starts_with(start), "{error}");
                assert!(error.contains("only bottlenecks are divided"), "{error}");
            }
        }
    }

    #[test]
    fn groups_stay_whole_at_any_width() {
        for width in [0.05, 0.3, 0.6, 1.1] {
            let config = resnext(ResNetDepth::ResNet50, 6, 10).with_width(width);
            let model = config.with_classes(10).init(&Device::flex()).unwrap();
            let images = Tensor::zeros([1, 3, 33, 32], &Device::flex());
            assert_eq!(model.forward(images).dims(), [1, 10]);
        }
    }

    #[test]
    fn stages_halve_the_size() {
        for (depth, expansion) in [(ResNetDepth::ResNet18, 1), (ResNetDepth::ResNet50, 4)] {
            let model = small(depth).init(&Device::flex()).unwrap();
            let images = Tensor::zeros([1, 3, 224, 224], &Device::flex());
            let features = model.forward_features(images);
            let stages = features.stages.iter();
            let found: Vec<_> = stages.map(|s| (s.name.as_str(), s.output.dims())).collect();
            let expected = [
                ("stem", [1, 8, 56, 56]),
                ("layer1", [1, 8 * expansion, 56, 56]),
                ("layer2", [1, 16 * expansion, 28, 28]),
                ("layer3", [1, 32 * expansion, 14, 14]),
                ("layer4", [1, 64 * expansion, 7, 7]),
            ];
            assert_eq!(found, expected);
            assert_eq!(features.pooled.dims(), [1, 64 * expansion]);
            assert_eq!(features.logits.dims(), [1, 10]);
            assert!(features.auxiliary_logits.is_empty());
        }
    }

    #[test]
    fn the_small_stems_keep_the_resolution_but_for_a_pool() {
        for (stem, expected) in [
            (Stem::Small, [32, 32, 16, 8, 4]),
            (Stem::SmallPooled, [16, 16, 8, 4, 2]),
        ] {
            let config = ResNetConfig {
                stem,
                ..small(ResNetDepth::ResNet18)
            };
            let model = config.init(&Device::flex()).unwrap();
            let features = model.forward_features(Tensor::zeros([2, 3, 32, 32], &Device::flex()));
            let sides: Vec<_> = features.stages.iter().map(|s| s.output.dims()[2]).collect();
            assert_eq!(sides, expected);
            assert_eq!(features.logits.dims(), [2, 10]);
        }
    }

    #[test]
    fn a_shortcut_has_weights_only_where_the_shape_changes() {
        for (depth, expected) in [
            (ResNetDepth::ResNet18, [false, true, true, true]),
            (ResNetDepth::ResNet50, [true, true, true, true]),
        ] {
            let model = small(depth).init(&Device::flex()).unwrap();
            for (blocks, first) in model.stages.iter().zip(expected) {
                let has_weights: Vec<_> = blocks.iter().map(|b| b.shortcut.is_some()).collect();
                assert_eq!(has_weights[0], first);
                assert!(has_weights[1..].iter().all(|has_weights| !has_weights));
            }
        }
    }

    #[test]
    fn the_width_is_a_factor_on_the_channels() {
        let model = ResNetConfig::new(10)
            .with_depth(ResNetDepth::ResNet50)
            .with_width(0.5);
        let model = model.init(&Device::flex()).unwrap();
        let features = model.forward_features(Tensor::zeros([1, 3, 32, 32], &Device::flex()));
        let channels: Vec<_> = features.stages.iter().map(|s| s.output.dims()[1]).collect();
        assert_eq!(channels, [32, 128, 256, 512, 1024]);
    }

    #[test]
    fn the_smallest_image_passes_and_a_smaller_one_is_an_error() {
        for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
            let config = ResNetConfig {
                stem,
                ..small(ResNetDepth::ResNet50)
            };
            let model = config.init(&Device::flex()).unwrap();
            let minimum = model.minimum_size();
            assert!(model.check_size([minimum, minimum - 1]).is_err());
            let images = Tensor::zeros([1, 3, minimum, minimum], &Device::flex());
            assert_eq!(model.forward(images).dims(), [1, 10]);
        }
    }

    #[test]
    fn is_read_from_json() {
        let config: ResNetConfig = serde_json::from_str(r#"{"depth": 34, "classes": 10}"#).unwrap();
        assert_eq!(
            config,
            ResNetConfig::new(10).with_depth(ResNetDepth::ResNet34)
        );
        assert!(serde_json::from_str::<ResNetConfig>(r#"{"layers": 34}"#).is_err());
    }

    #[test]
    fn options_out_of_range_are_errors() {
        let base = || small(ResNetDepth::ResNet18);
        let configs = [
            ResNetConfig {
                classes: 0,
                ..base()
            },
            ResNetConfig {
                width: 0.0,
                ..base()
            },
            ResNetConfig {
                dropout: 1.0,
                ..base()
            },
            ResNetConfig {
                batch_norm_epsilon: 0.0,
                ..base()
            },
            resnext(ResNetDepth::ResNet50, 0, 4),
            resnext(ResNetDepth::ResNet50, 1025, 4),
            resnext(ResNetDepth::ResNet50, 32, 0),
            resnext(ResNetDepth::ResNet50, 32, usize::MAX),
        ];
        for config in configs {
            assert!(config.init(&Device::flex()).is_err(), "{config:?}");
        }
    }
}
