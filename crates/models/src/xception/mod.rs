//! Xception.
//!
//! - Paper: F. Chollet, *Xception: Deep Learning with Depthwise Separable Convolutions*, CVPR 2017,
//!   <https://arxiv.org/abs/1610.02357>; figure 5 is the network.
//! - Implementations: the author's in Keras (`keras.applications.Xception`), and timm's port
//!   (`legacy_xception`).
//! - Input: 299 x 299 pixels, RGB, scaled to [-1, 1].
//! - Reference: 22,855,952 parameters with 1000 classes; 79.0 % top-1, 94.5 % top-5 on ImageNet's
//!   validation set (one crop, one model).
//! - The two implementations differ in padding at stride 2 and in batch normalization's epsilon;
//!   both can be set. The defaults are timm's.
//!
//! Ablations can change the residual connections (section 4.6), the activation between depthwise and pointwise
//! convolution (section 4.7), the fully connected layers (section 4.5.1), the number of middle modules, the width, and
//! the stem.

mod config;
mod exit_flow;
#[cfg(feature = "weights")]
mod keras_names;
mod module;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
mod stem;
#[cfg(feature = "weights")]
mod timm_names;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;

pub use config::XceptionConfig;
pub use exit_flow::ExitFlow;
pub use module::XceptionModule;
pub use stem::XceptionStem;

use crate::layers::{Classifier, FeatureMap};
use crate::{ModelConfig, ModelInfo, Network, Observer, Section};

/// Published networks of the family.
pub(crate) const PUBLISHED: [ModelInfo; 1] = [ModelInfo {
    name: "xception",
    paper: "F. Chollet, Xception, CVPR 2017",
    image_size: 299,
    configuration: || ModelConfig::Xception(XceptionConfig::default()),
}];

/// Xception: entry flow, middle flow and exit flow (figure 5).
///
/// The stages are the paper's modules, named `block1` to `block14` as in Keras.
#[derive(Module, Debug)]
pub struct Xception {
    /// Module 1: two dense convolutions.
    pub stem: XceptionStem,
    /// Modules 2 to 4, each with a max pool at stride 2.
    pub entry_flow: Vec<XceptionModule>,
    /// Modules 5 to 12 in the paper's network, all of the same form.
    pub middle_flow: Vec<XceptionModule>,
    /// Modules 13 and 14.
    pub exit_flow: ExitFlow,
    /// Classifier: optional fully connected layers, dropout and a linear layer.
    pub classifier: Classifier,
    /// Smallest height and width of an image, in pixels.
    pub minimum_size: usize,
}

impl Network for Xception {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let mut number = 0;
        let mut stage = |output: &FeatureMap| {
            number += 1;
            observe(&format!("block{number}"), output);
        };

        let mut x = self.stem.forward(images); // [batch, 64, 147, 147] for 299 x 299 pixels
        stage(&x);
        for module in &self.entry_flow {
            x = module.forward(x); // [batch, 728, 19, 19] after the last
            stage(&x);
        }
        for module in &self.middle_flow {
            x = module.forward(x); // [batch, 728, 19, 19]
            stage(&x);
        }
        x = self.exit_flow.module.forward(x); // [batch, 1024, 10, 10]
        stage(&x);
        x = self.exit_flow.forward_last(x); // [batch, 2048, 10, 10]
        stage(&x);
        x
    }

    fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    fn sections(&self) -> Vec<Section> {
        let entry = 1;
        let middle = entry + 1 + self.entry_flow.len();
        let exit = middle + self.middle_flow.len();
        let section = |name, first| Section {
            name,
            first_stage: format!("block{first}"),
        };
        let mut sections = vec![section("Entry flow", entry)];
        if exit > middle {
            sections.push(section("Middle flow", middle));
        }
        sections.push(section("Exit flow", exit));
        sections
    }

    fn minimum_size(&self) -> usize {
        self.minimum_size
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::prelude::*;
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::{Activation, Padding, Stem};

    fn small() -> XceptionConfig {
        XceptionConfig {
            middle_modules: 1,
            ..XceptionConfig::new(10).with_width(0.1)
        }
    }

    #[test]
    fn has_the_papers_number_of_parameters() {
        let model = XceptionConfig::new(1000).init(&Device::flex()).unwrap();
        assert_eq!(model.trainable_parameters(), 22_855_952);
    }

    #[test]
    fn stages_are_the_papers_modules() {
        let config = XceptionConfig {
            middle_modules: 8,
            ..small()
        };
        let model = config.init(&Device::flex()).unwrap();
        let features = model.forward_features(Tensor::zeros([2, 3, 75, 75], &Device::flex()));
        let names: Vec<_> = features.stages.iter().map(|s| s.name.clone()).collect();
        let expected: Vec<_> = (1..=14).map(|number| format!("block{number}")).collect();
        assert_eq!(names, expected);
        let side = |name| features.stage(name).unwrap().dims()[2];
        let sides = [
            side("block1"),
            side("block2"),
            side("block4"),
            side("block14"),
        ];
        assert_eq!(sides, [35, 18, 5, 3]);
        assert_eq!(features.pooled.dims(), [2, 208]);
        assert_eq!(features.logits.dims(), [2, 10]);
    }

    #[test]
    fn the_small_stem_keeps_the_resolution() {
        let config = XceptionConfig {
            stem: Stem::Small,
            ..small()
        };
        let model = config.init(&Device::flex()).unwrap();
        let features = model.forward_features(Tensor::zeros([1, 3, 32, 32], &Device::flex()));
        assert_eq!(features.stage("block1").unwrap().dims(), [1, 8, 32, 32]);
        assert_eq!(features.stages.last().unwrap().output.dims()[2], 2);
    }

    #[test]
    fn every_option_changes_the_output_of_the_same_weights() {
        let device = Device::flex();
        let images = || Tensor::random([1, 3, 64, 64], Distribution::Default, &device);
        let (base, images) = (small().init(&device).unwrap(), images());
        let logits = |model: &Xception| {
            let logits = model.forward(images.clone()).into_data();
            logits.try_to_vec::<f32>().unwrap()
        };
        let expected = logits(&base);
        let with_the_same_weights = |config: XceptionConfig| {
            let record = base.clone().into_record().allow_unused(!config.residual);
            config.init(&device).unwrap().load_record(record)
        };
        assert_eq!(logits(&with_the_same_weights(small())), expected);

        let plain = with_the_same_weights(XceptionConfig {
            residual: false,
            ..small()
        });
        assert!(plain.trainable_parameters() < base.trainable_parameters());
        assert_ne!(logits(&plain), expected);
        for intermediate_activation in [Activation::Relu, Activation::Elu] {
            let model = with_the_same_weights(XceptionConfig {
                intermediate_activation,
                ..small()
            });
            assert_ne!(logits(&model), expected, "{intermediate_activation:?}");
        }
        let same = with_the_same_weights(XceptionConfig {
            padding: Padding::Same,
            ..small()
        });
        assert_ne!(logits(&same), expected);
    }

    #[test]
    fn fully_connected_layers_come_before_the_last() {
        let parameters = |fully_connected| {
            let config = XceptionConfig {
                fully_connected,
                ..small()
            };
            config.init(&Device::flex()).unwrap().trainable_parameters()
        };
        let expected = parameters(vec![]) - (208 * 10 + 10)
            + (208 * 32 + 32)
            + (32 * 16 + 16)
            + (16 * 10 + 10);
        assert_eq!(parameters(vec![32, 16]), expected);
    }

    #[test]
    fn dropout_acts_in_training_only() {
        let config = XceptionConfig {
            dropout: 0.5,
            ..small()
        };
        let device = Device::flex().autodiff();
        let model = config.init(&device).unwrap();
        // The normalized features of images without structure could all be zero.
        let images = Tensor::random([2, 3, 64, 64], Distribution::Default, &device);
        let pooled = model.pool(model.forward_stages(images, &mut |_, _| ()));
        let logits = |pooled: Tensor<2>| model.classify(pooled).into_data();
        assert_ne!(logits(pooled.clone()), logits(pooled.clone()));
        let model = model.valid();
        let logits = |pooled: Tensor<2>| model.classify(pooled).into_data();
        let pooled = pooled.inner();
        assert_eq!(logits(pooled.clone()), logits(pooled));
    }

    #[test]
    fn the_smallest_image_passes_and_a_smaller_one_is_an_error() {
        for (stem, padding) in [
            (Stem::Standard, Padding::Same),
            (Stem::Standard, Padding::Symmetric),
            (Stem::Small, Padding::Symmetric),
        ] {
            let config = XceptionConfig {
                stem,
                padding,
                ..small()
            };
            let model = config.init(&Device::flex()).unwrap();
            let minimum = model.minimum_size();
            assert!(model.check_size([minimum, minimum - 1]).is_err());
            let images = Tensor::zeros([1, 3, minimum, minimum], &Device::flex());
            assert_eq!(model.forward(images).dims(), [1, 10]);
        }
    }
}
