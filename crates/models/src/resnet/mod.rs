//! ResNet, with 18, 34, 50, 101 or 152 layers.
//!
//! - Paper: K. He, X. Zhang, S. Ren, J. Sun, *Deep Residual Learning for Image Recognition*, CVPR
//!   2016, <https://arxiv.org/abs/1512.03385>; table 1 has all five networks.
//! - Implementation: torchvision's `resnet18` to `resnet152`.
//! - Input: 224 x 224 pixels, RGB, scaled to [0, 1], then normalized with ImageNet's mean (0.485,
//!   0.456, 0.406) and standard deviation (0.229, 0.224, 0.225) of each channel.
//! - Reference, on ImageNet's validation set (one crop, one model, torchvision's first weights):
//!
//!   | layers | parameters | top-1 | top-5 |
//!   |---|---|---|---|
//!   | 18 | 11,689,512 | 69.8 % | 89.1 % |
//!   | 34 | 21,797,672 | 73.3 % | 91.4 % |
//!   | 50 | 25,557,032 | 76.1 % | 92.9 % |
//!   | 101 | 44,549,160 | 77.4 % | 93.5 % |
//!   | 152 | 60,192,808 | 78.3 % | 94.0 % |
//!
//! - A bottleneck has its stride in the 3x3 convolution, as in torchvision ("ResNet v1.5"). The paper and Keras have
//!   it in the first 1x1, for which there is an option.
//! - The small stem is the paper's stem for CIFAR-10, followed by the four stages of the ImageNet networks; the
//!   paper's networks for CIFAR-10 have three.

mod block;
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
pub(crate) const PUBLISHED: [ModelInfo; 5] = [
    published("resnet18", || config(ResNetDepth::ResNet18)),
    published("resnet34", || config(ResNetDepth::ResNet34)),
    published("resnet50", || config(ResNetDepth::ResNet50)),
    published("resnet101", || config(ResNetDepth::ResNet101)),
    published("resnet152", || config(ResNetDepth::ResNet152)),
];

const fn published(name: &'static str, configuration: fn() -> ModelConfig) -> ModelInfo {
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

/// ResNet: a stem and four stages of residual blocks (table 1).
///
/// The stages are `stem`, which includes the max pool, and `layer1` to `layer4`, as in torchvision (`conv2_x` to
/// `conv5_x` in the paper).
#[derive(Module, Debug)]
pub struct ResNet {
    /// The stem: a convolution and, in the standard stem, a max pool.
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
    fn the_small_stem_keeps_the_resolution() {
        let config = ResNetConfig {
            stem: Stem::Small,
            ..small(ResNetDepth::ResNet18)
        };
        let model = config.init(&Device::flex()).unwrap();
        let features = model.forward_features(Tensor::zeros([2, 3, 32, 32], &Device::flex()));
        let sides: Vec<_> = features.stages.iter().map(|s| s.output.dims()[2]).collect();
        assert_eq!(sides, [32, 32, 16, 8, 4]);
        assert_eq!(features.logits.dims(), [2, 10]);
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
        for stem in [Stem::Standard, Stem::Small] {
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
        ];
        for config in configs {
            assert!(config.init(&Device::flex()).is_err(), "{config:?}");
        }
    }
}
