//! ShuffleNet V1.
//!
//! - Paper: X. Zhang, X. Zhou, M. Lin, J. Sun, *ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile
//!   Devices*, CVPR 2018, <https://arxiv.org/abs/1707.01083>; table 1 has all five networks, figure 2 the units.
//! - Implementation: pytorchcv's `shufflenet_g3_w1`, and those with 1, 2, 4 and 8 groups.
//! - Input: 224 x 224 pixels, RGB, scaled to [0, 1], then normalized with ImageNet's mean (0.485, 0.456, 0.406) and
//!   standard deviation (0.229, 0.224, 0.225) of each channel, as in pytorchcv.
//! - Reference: parameters with 1000 classes, multiply-adds without the classifier (table 1), and accuracy on ImageNet's
//!   validation set with one crop, in the paper (table 2) and of pytorchcv's weights:
//!
//!   | groups | parameters | multiply-adds | top-1 in the paper | top-1 | top-5 |
//!   |---|---|---|---|---|---|
//!   | 1 | 1,531,936 | 143 M | 66.4 % | 65.1 % | 86.1 % |
//!   | 2 | 1,733,848 | 140 M | 67.3 % | 65.8 % | 86.4 % |
//!   | 3 | 1,865,728 | 137 M | 67.4 % | 65.6 % | 86.5 % |
//!   | 4 | 1,968,344 | 133 M | 67.2 % | 65.8 % | 86.7 % |
//!   | 8 | 2,434,768 | 137 M | 67.6 % | 65.9 % | 86.6 % |
//!
//! - The width multiplier rounds the first convolution's channels to a multiple of the groups, and the stages' to multiples
//!   of 4 times the groups, rather than of 8, and so are given channels. So 0.75, 0.5 and 0.25 give pytorchcv's narrow
//!   networks with 1 and 3 groups.
//! - With the small stem, the first convolution has stride 1, and the max pool is left out.

mod config;
mod groups;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
#[cfg(feature = "weights")]
mod pytorchcv_names;
mod unit;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;
use xception_kernels::Padding2d;

pub use config::ShuffleNetV1Config;
pub use groups::ShuffleNetGroups;
pub use unit::ShuffleUnit;

use crate::layers::{Classifier, ConvNorm, Epilogue, FeatureMap};
use crate::{ModelConfig, ModelInfo, Network, Observer};

/// Published networks of the family.
pub(crate) const PUBLISHED: [ModelInfo; 1] = [ModelInfo {
    name: "shufflenet_v1",
    paper: "X. Zhang et al., ShuffleNet, CVPR 2018",
    image_size: 224,
    configuration: || ModelConfig::ShuffleNetV1(ShuffleNetV1Config::default()),
}];

/// ShuffleNet V1: a convolution, a max pool and three stages of units with convolutions in groups (table 1).
///
/// The stages are named as in pytorchcv: `init_block`, which includes the max pool, and `stage1` to `stage3`, which are
/// stages 2 to 4 in the paper.
#[derive(Module, Debug)]
pub struct ShuffleNetV1 {
    /// First convolution: 24 filters of 3x3, at stride 2 in the standard stem.
    pub stem: ConvNorm,
    /// Whether a max pool of 3x3 at stride 2 follows the first convolution.
    pub stem_pool: bool,
    /// Units of the stages `stage1` to `stage3`; the first unit of each stage halves height and width.
    pub stages: Vec<Vec<ShuffleUnit>>,
    /// Classifier: dropout and a linear layer.
    pub classifier: Classifier,
}

impl Network for ShuffleNetV1 {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let mut epilogue = Epilogue::relu(); // [batch, 24, 112, 112] for 224 x 224 pixels
        if self.stem_pool {
            let padding = Padding2d::symmetric(1);
            epilogue = epilogue.then_max_pool(3, 2, padding, self.stem.kernels); // [batch, 24, 56, 56]
        }
        let mut x = self.stem.forward(images, epilogue);
        observe("init_block", &x);
        for (index, units) in self.stages.iter().enumerate() {
            for unit in units {
                x = unit.forward(x); // [batch, 960, 7, 7] after the last, with 3 groups
            }
            observe(&format!("stage{}", index + 1), &x);
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
    use crate::layers::{OperationKind, Stem};
    use crate::{Graph, StageKind, Summary};

    fn network(groups: ShuffleNetGroups, width: f64) -> ShuffleNetV1 {
        let config = ShuffleNetV1Config::new(1000).with_groups(groups);
        config.with_width(width).init(&Device::flex()).unwrap()
    }

    #[test]
    fn has_pytorchcvs_numbers_of_parameters() {
        use ShuffleNetGroups::{Eight, Four, One, Three, Two};
        for (groups, width, expected) in [
            (One, 1.0, 1_531_936),
            (Two, 1.0, 1_733_848),
            (Three, 1.0, 1_865_728),
            (Four, 1.0, 1_968_344),
            (Eight, 1.0, 2_434_768),
            (One, 0.75, 975_214),
            (Three, 0.75, 1_238_266),
            (One, 0.5, 534_484),
            (Three, 0.5, 718_324),
            (One, 0.25, 209_746),
            (Three, 0.25, 305_902),
        ] {
            let found = network(groups, width).trainable_parameters();
            assert_eq!(found, expected, "{groups:?} {width}");
        }
    }

    #[test]
    fn has_the_papers_complexity() {
        // Table 1, in millions of multiply-adds, to which the classifier doesn't belong.
        for (groups, expected) in ShuffleNetGroups::ALL
            .into_iter()
            .zip([143, 140, 137, 133, 137])
        {
            let summary = Summary::new(&network(groups, 1.0), [224, 224]).unwrap();
            let features = summary.stages.iter().filter(|s| s.name != "classifier");
            let multiply_adds: u64 = features.map(|stage| stage.multiply_adds).sum();
            assert_eq!(
                (multiply_adds + 500_000) / 1_000_000,
                expected,
                "{groups:?}"
            );
        }
    }

    #[test]
    fn stages_halve_the_size() {
        for (stem, size, sides) in [
            (Stem::Standard, 224, [56, 28, 14, 7]),
            (Stem::Small, 32, [32, 16, 8, 4]),
            (Stem::SmallPooled, 32, [16, 8, 4, 2]),
        ] {
            for groups in ShuffleNetGroups::ALL {
                let config = ShuffleNetV1Config::new(10)
                    .with_groups(groups)
                    .with_stem(stem);
                let model = config.init(&Device::flex()).unwrap();
                let images = Tensor::zeros([1, 3, size, size], &Device::flex());
                let features = model.forward_features(images);
                let stages = features.stages.iter();
                let found: Vec<_> = stages.map(|s| (s.name.as_str(), s.output.dims())).collect();
                let channels = groups.channels();
                let expected = [
                    ("init_block", [1, 24, sides[0], sides[0]]),
                    ("stage1", [1, channels, sides[1], sides[1]]),
                    ("stage2", [1, 2 * channels, sides[2], sides[2]]),
                    ("stage3", [1, 4 * channels, sides[3], sides[3]]),
                ];
                assert_eq!(found, expected);
                assert_eq!(features.logits.dims(), [1, 10]);
            }
        }
    }

    #[test]
    fn channels_are_shuffled_once_a_unit_and_never_in_one_group() {
        for groups in ShuffleNetGroups::ALL {
            let graph = Graph::new(&network(groups, 1.0), [224, 224]).unwrap();
            let of = |kind: fn(&OperationKind) -> bool| {
                let stages = graph
                    .stages
                    .iter()
                    .filter(|s| s.kind == StageKind::Features);
                let operations = stages.flat_map(|stage| graph.operations_of(stage));
                operations.filter(|operation| kind(&operation.kind)).count()
            };
            let shuffles = of(|kind| matches!(kind, OperationKind::ChannelShuffle { .. }));
            let units = 4 + 8 + 4;
            let expected = if groups.number() == 1 { 0 } else { units };
            assert_eq!(shuffles, expected);
            // In two convolutions of each unit but the first unit's first one.
            let grouped = of(|kind| match kind {
                OperationKind::Convolution { groups, inputs, .. } => *groups > 1 && groups < inputs,
                _ => false,
            });
            let expected = if groups.number() == 1 {
                0
            } else {
                2 * units - 1
            };
            assert_eq!(grouped, expected);
            assert_eq!(of(|kind| *kind == OperationKind::Concatenation), 3);
        }
    }

    #[test]
    fn channels_in_groups_stay_whole_at_any_width() {
        for groups in ShuffleNetGroups::ALL {
            for width in [0.001, 0.02, 0.1, 0.3, 0.77, 1.3] {
                let config = ShuffleNetV1Config::new(10).with_groups(groups);
                let model = config.with_width(width).init(&Device::flex()).unwrap();
                let images = Tensor::zeros([1, 3, 33, 32], &Device::flex());
                assert_eq!(model.forward(images).dims(), [1, 10], "{groups:?} {width}");
            }
        }
    }

    #[test]
    fn the_smallest_image_passes_and_a_smaller_one_is_an_error() {
        for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
            let config = ShuffleNetV1Config::new(10).with_width(0.25).with_stem(stem);
            let model = config.init(&Device::flex()).unwrap();
            let minimum = model.minimum_size();
            assert!(model.check_size([minimum, minimum - 1]).is_err());
            let images = Tensor::zeros([1, 3, minimum, minimum], &Device::flex());
            assert_eq!(model.forward(images).dims(), [1, 10]);
        }
    }

    #[test]
    fn the_name_has_other_numbers_of_groups() {
        let config = ShuffleNetV1Config::new(10);
        assert_eq!(config.name(), "shufflenet_v1");
        let config = config.with_groups(ShuffleNetGroups::Eight);
        assert_eq!(config.name(), "shufflenet_v1_g8");
        assert_eq!(ModelConfig::ShuffleNetV1(config).image_size(), 224);
    }

    #[test]
    fn is_read_from_json() {
        let read = |text| serde_json::from_str::<ShuffleNetV1Config>(text);
        let config = ShuffleNetV1Config::new(10).with_groups(ShuffleNetGroups::Four);
        assert_eq!(read(r#"{"groups": 4, "classes": 10}"#).unwrap(), config);
        let error = read(r#"{"groups": 6}"#).unwrap_err().to_string();
        assert!(error.contains("`groups` is 6"), "{error}");
        assert!(read(r#"{"group": 3}"#).is_err());
    }
}
