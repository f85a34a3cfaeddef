//! Inception V3.
//!
//! - Paper: C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, *Rethinking the Inception Architecture for
//!   Computer Vision*, CVPR 2016, <https://arxiv.org/abs/1512.00567>. The network is the one that the authors
//!   published, which differs from the paper's table 1 in details.
//! - Implementation: torchvision's `inception_v3`, which follows the authors' code.
//! - Input: 299 x 299 pixels, RGB, scaled to [-1, 1].
//! - Reference: 23,834,568 parameters with 1000 classes, 27,161,264 with the auxiliary classifier; 78.2 % top-1,
//!   94.1 % top-5 on ImageNet's validation set in the Xception paper (one crop, one model), 77.29 % and 93.45 % with
//!   torchvision's weights.
//! - The auxiliary classifier is off by default, as in the Xception paper's comparison; in torchvision it is on.
//!   Dropout is 0 by default, as in the other networks; in torchvision it is 0.5.
//! - Weights are initialized as in this crate's other networks (He); torchvision draws them from a truncated normal
//!   distribution.
//! - With the small stem, the auxiliary classifier has no average pool.

mod auxiliary;
mod config;
pub(crate) mod convolutions;
mod inception_a;
mod inception_b;
mod inception_c;
mod inception_d;
mod inception_e;
#[cfg(feature = "weights")]
mod keras_names;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
pub(crate) mod stem;
#[cfg(feature = "weights")]
mod torchvision_names;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;

pub use auxiliary::InceptionAuxiliary;
pub use config::InceptionV3Config;
pub use inception_a::InceptionA;
pub use inception_b::InceptionB;
pub use inception_c::InceptionC;
pub use inception_d::InceptionD;
pub use inception_e::InceptionE;
pub use stem::InceptionV3Stem;

use crate::layers::{Classifier, FeatureMap};
use crate::network::Head;
use crate::{AuxiliaryClassifier, ModelConfig, ModelInfo, Network, Observer};
use config::{INCEPTION_A, INCEPTION_B, INCEPTION_C, INCEPTION_D, INCEPTION_E};

/// Published networks of the family.
pub(crate) const PUBLISHED: [ModelInfo; 1] = [ModelInfo {
    name: "inception_v3",
    paper: "C. Szegedy et al., Rethinking the Inception Architecture, CVPR 2016",
    image_size: 299,
    configuration: || ModelConfig::InceptionV3(InceptionV3Config::default()),
}];

/// Stage whose output is the auxiliary classifier's input: the last at 17 x 17.
const AUXILIARY_STAGE: &str = INCEPTION_C[INCEPTION_C.len() - 1].0;

/// Inception V3: a stem, modules at three resolutions, and reductions between them.
///
/// The stages are named as in torchvision: `Conv2d_1a_3x3` to `Conv2d_4a_3x3` and `Mixed_5b` to `Mixed_7c`; the two
/// pools of the standard stem are the stages `maxpool1` and `maxpool2`.
#[derive(Module, Debug)]
pub struct InceptionV3 {
    /// Stages `Conv2d_1a_3x3` to `maxpool2`.
    pub stem: InceptionV3Stem,
    /// Modules `Mixed_5b` to `Mixed_5d`, at 35 x 35.
    pub inception_a: Vec<InceptionA>,
    /// Reduction `Mixed_6a`, to 17 x 17.
    pub inception_b: InceptionB,
    /// Modules `Mixed_6b` to `Mixed_6e`, at 17 x 17.
    pub inception_c: Vec<InceptionC>,
    /// Reduction `Mixed_7a`, to 8 x 8.
    pub inception_d: InceptionD,
    /// Modules `Mixed_7b` and `Mixed_7c`, at 8 x 8.
    pub inception_e: Vec<InceptionE>,
    /// Classifier: dropout and a linear layer.
    pub classifier: Classifier,
    /// Auxiliary classifier `AuxLogits`, on the output of `Mixed_6e`.
    pub auxiliary: Option<InceptionAuxiliary>,
    /// Smallest height and width of an image, in pixels.
    pub minimum_size: usize,
}

impl Network for InceptionV3 {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        // Shapes are for 299 x 299 pixels.
        let mut x = self.stem.stages(images, observe); // [batch, 192, 35, 35]
        for (module, (name, _)) in self.inception_a.iter().zip(INCEPTION_A) {
            x = module.forward(x); // [batch, 256, 35, 35], then [batch, 288, 35, 35] twice
            observe(name, &x);
        }
        x = self.inception_b.forward(x); // [batch, 768, 17, 17]
        observe(INCEPTION_B, &x);
        for (module, (name, _)) in self.inception_c.iter().zip(INCEPTION_C) {
            x = module.forward(x); // [batch, 768, 17, 17]
            observe(name, &x);
        }
        x = self.inception_d.forward(x); // [batch, 1280, 8, 8]
        observe(INCEPTION_D, &x);
        for (module, name) in self.inception_e.iter().zip(INCEPTION_E) {
            x = module.forward(x); // [batch, 2048, 8, 8]
            observe(name, &x);
        }
        x
    }

    fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    fn auxiliary_classifiers(&self) -> Vec<AuxiliaryClassifier<'_>> {
        let heads = self.auxiliary.iter();
        let at = |head| AuxiliaryClassifier {
            stage: AUXILIARY_STAGE,
            head,
        };
        heads.map(|head| at(head as &dyn Head)).collect()
    }

    fn minimum_size(&self) -> usize {
        self.minimum_size
    }
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use super::*;
    use crate::layers::Stem;

    fn small() -> InceptionV3Config {
        InceptionV3Config::new(10).with_width(0.1)
    }

    #[test]
    fn has_torchvisions_numbers_of_parameters() {
        for (auxiliary, expected) in [(false, 23_834_568), (true, 27_161_264)] {
            let config = InceptionV3Config {
                auxiliary,
                ..InceptionV3Config::new(1000)
            };
            let model = config.init(&Device::flex()).unwrap();
            assert_eq!(model.trainable_parameters(), expected);
        }
    }

    #[test]
    fn fully_connected_layers_come_before_the_last() {
        let parameters = |units: Vec<usize>| {
            let model = small().with_fully_connected(units).init(&Device::flex());
            model.unwrap().trainable_parameters()
        };
        let features = 208; // 2048 channels at width 0.1
        let head = features * 10 + 10;
        let expected = parameters(vec![]) - head + (features * 32 + 32) + (32 * 10 + 10);
        assert_eq!(parameters(vec![32]), expected);
        assert!(small().with_fully_connected(vec![0]).check().is_err());
    }

    #[test]
    fn stages_are_torchvisions() {
        let model = small().init(&Device::flex()).unwrap();
        let features = model.forward_features(Tensor::zeros([1, 3, 299, 299], &Device::flex()));
        let stages = features.stages.iter();
        let found: Vec<_> = stages
            .map(|s| (s.name.as_str(), s.output.dims()[2]))
            .collect();
        let expected = [
            ("Conv2d_1a_3x3", 149),
            ("Conv2d_2a_3x3", 147),
            ("Conv2d_2b_3x3", 147),
            ("maxpool1", 73),
            ("Conv2d_3b_1x1", 73),
            ("Conv2d_4a_3x3", 71),
            ("maxpool2", 35),
            ("Mixed_5b", 35),
            ("Mixed_5c", 35),
            ("Mixed_5d", 35),
            ("Mixed_6a", 17),
            ("Mixed_6b", 17),
            ("Mixed_6c", 17),
            ("Mixed_6d", 17),
            ("Mixed_6e", 17),
            ("Mixed_7a", 8),
            ("Mixed_7b", 8),
            ("Mixed_7c", 8),
        ];
        assert_eq!(found, expected);
        assert_eq!(features.logits.dims(), [1, 10]);
    }

    #[test]
    fn channels_are_the_published_ones_times_the_width() {
        let channels = |width: f64, name: &str| {
            let config = InceptionV3Config {
                stem: Stem::Small,
                ..InceptionV3Config::new(10).with_width(width)
            };
            let model = config.init(&Device::flex()).unwrap();
            let features = model.forward_features(Tensor::zeros([1, 3, 7, 7], &Device::flex()));
            features.stage(name).unwrap().dims()[1]
        };
        for (name, published) in [
            ("Conv2d_4a_3x3", 192),
            ("Mixed_5b", 256),
            ("Mixed_5d", 288),
            ("Mixed_6a", 768),
            ("Mixed_6e", 768),
            ("Mixed_7a", 1280),
            ("Mixed_7c", 2048),
        ] {
            assert_eq!(channels(1.0, name), published, "{name}");
            assert_eq!(channels(0.5, name), published / 2, "{name}");
        }
    }

    #[test]
    fn the_small_stem_keeps_the_resolution() {
        let config = InceptionV3Config {
            stem: Stem::Small,
            ..small()
        };
        let model = config.init(&Device::flex()).unwrap();
        let features = model.forward_features(Tensor::zeros([2, 3, 32, 32], &Device::flex()));
        let side = |name| features.stage(name).map(|output| output.dims()[2]);
        assert_eq!(side("Conv2d_1a_3x3"), Some(32));
        assert_eq!(side("Mixed_5d"), Some(32));
        assert_eq!(side("Mixed_6e"), Some(15));
        assert_eq!(side("Mixed_7c"), Some(7));
        assert_eq!(side("maxpool1"), None);
        assert_eq!(features.logits.dims(), [2, 10]);
    }

    #[test]
    fn auxiliary_logits_where_there_is_an_auxiliary_classifier() {
        let device = Device::flex();
        for (stem, size) in [
            (Stem::Standard, 299),
            (Stem::Small, 32),
            (Stem::SmallPooled, 32),
        ] {
            let outputs = |auxiliary| {
                let config = InceptionV3Config {
                    auxiliary,
                    stem,
                    ..small()
                };
                let model = config.init(&device).unwrap();
                let images = Tensor::zeros([1, 3, size, size], &device);
                let features = model.forward_features(images.clone());
                let (logits, auxiliary) = model.forward_auxiliary(images);
                assert_eq!(logits.into_data(), features.logits.into_data());
                let data = |all: Vec<Tensor<2>>| all.into_iter().next().map(Tensor::into_data);
                let auxiliary = data(auxiliary);
                assert_eq!(auxiliary, data(features.auxiliary_logits));
                auxiliary
            };
            assert_eq!(outputs(false), None);
            assert_eq!(outputs(true).unwrap().shape().as_slice(), [1, 10]);
        }
    }

    #[test]
    fn the_smallest_image_passes_and_a_smaller_one_is_an_error() {
        for (stem, auxiliary, expected) in [
            (Stem::Standard, false, 75),
            (Stem::Standard, true, 299),
            (Stem::Small, false, 7),
            (Stem::Small, true, 11),
            (Stem::SmallPooled, false, 15),
            (Stem::SmallPooled, true, 23),
        ] {
            let config = InceptionV3Config {
                stem,
                auxiliary,
                ..small()
            };
            let model = config.init(&Device::flex()).unwrap();
            let minimum = model.minimum_size();
            assert_eq!(minimum, expected);
            assert!(model.check_size([minimum, minimum - 1]).is_err());
            let images = Tensor::zeros([1, 3, minimum, minimum], &Device::flex());
            let (logits, auxiliary_logits) = model.forward_auxiliary(images);
            assert_eq!(logits.dims(), [1, 10]);
            assert_eq!(auxiliary_logits.len(), usize::from(auxiliary));
        }
    }

    #[test]
    fn options_out_of_range_are_errors() {
        let configs = [
            InceptionV3Config {
                classes: 0,
                ..small()
            },
            InceptionV3Config {
                width: 0.0,
                ..small()
            },
            InceptionV3Config {
                dropout: 1.0,
                ..small()
            },
            InceptionV3Config {
                batch_norm_epsilon: 0.0,
                ..small()
            },
        ];
        for config in configs {
            assert!(config.init(&Device::flex()).is_err(), "{config:?}");
        }
    }
}
