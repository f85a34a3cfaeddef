//! GoogLeNet, the first network of Inception modules.
//!
//! - Paper: C. Szegedy, W. Liu, Y. Jia, P. Sermanet, S. Reed, D. Anguelov, D. Erhan, V. Vanhoucke, A. Rabinovich,
//!   *Going Deeper with Convolutions*, CVPR 2015, <https://arxiv.org/abs/1409.4842>; table 1 is the network.
//! - Implementation: torchvision's `googlenet`, which follows the authors' later code rather than the paper: batch
//!   normalization follows each convolution, in place of the local response normalization; the third branch of a module
//!   has a 3x3 convolution in place of the 5x5; and the last max pool is 2x2 instead of 3x3.
//! - Input: 224 x 224 pixels, RGB, scaled to [-1, 1]. torchvision documents ImageNet's mean and standard deviation,
//!   which the network with the published weights turns back into this range (`transform_input`); the preprocessing of
//!   the weights here does without the detour.
//! - Reference: 6,624,904 parameters with 1000 classes, 13,004,888 with the auxiliary classifiers; 69.8 % top-1, 89.5 %
//!   top-5 on ImageNet's validation set (one crop, one model, torchvision's weights).
//! - The two auxiliary classifiers are off by default, as in torchvision with published weights. Dropout before their
//!   last layer has a probability of 0.7, as in the paper, whatever the option `dropout` says. The paper adds their
//!   losses with a weight of 0.3 each; the default of a recipe's `auxiliary_weight`, 0.4, is that of Inception V3.
//! - torchvision's file holds both auxiliary classifiers, which were never trained. They are loaded with the rest; a
//!   network that gets a new classifier, for fine-tuning, leaves them out, and so does one that is loaded for its
//!   features.
//! - Dropout before the last layer is 0 by default, as in the other networks; it is 0.4 in the paper and 0.2 in
//!   torchvision.
//! - Weights are initialized as in this crate's other networks (He); torchvision draws them from a truncated normal
//!   distribution.
//! - Max pools round the size of their outputs up, as in torchvision. Here that goes for images of any size;
//!   torchvision refuses those below 15 pixels.
//! - With the small stem, the first convolution is 3x3 at stride 1, and there are no pools before the first module.

mod auxiliary;
mod config;
mod module;
mod pool;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
mod stem;
#[cfg(feature = "weights")]
mod torchvision_names;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;

pub use auxiliary::GoogLeNetAuxiliary;
pub use config::GoogLeNetConfig;
pub use module::GoogLeNetModule;
pub use stem::GoogLeNetStem;

use crate::layers::{Classifier, FeatureMap, Kernels};
use crate::{AuxiliaryClassifier, ModelConfig, ModelInfo, Network, Observer};
use config::MODULES;
use pool::halve;

/// Published networks of the family.
pub(crate) const PUBLISHED: [ModelInfo; 1] = [ModelInfo {
    name: "googlenet",
    paper: "C. Szegedy et al., Going Deeper with Convolutions, CVPR 2015",
    image_size: 224,
    configuration: || ModelConfig::GoogLeNet(GoogLeNetConfig::default()),
}];

/// GoogLeNet: a stem, nine modules, and two max pools between them.
///
/// The stages are named as in torchvision: `conv1`, `conv2` and `conv3`, `inception3a` to `inception5b`, and the pools
/// `maxpool1` to `maxpool4`, of which the small stem has no first two.
#[derive(Module, Debug)]
pub struct GoogLeNet {
    /// Stages `conv1` to `maxpool2`.
    pub stem: GoogLeNetStem,
    /// Modules `inception3a` to `inception5b`.
    pub modules: Vec<GoogLeNetModule>,
    /// Classifier: dropout and a linear layer.
    pub classifier: Classifier,
    /// The auxiliary classifiers on the outputs of `inception4a` and `inception4d`, or none.
    pub auxiliary: Vec<GoogLeNetAuxiliary>,
    /// The implementation of the pools.
    #[module(skip)]
    pub kernels: Kernels,
}

impl Network for GoogLeNet {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let mut x = self.stem.stages(images, observe); // [batch, 192, 28, 28] for 224 x 224 pixels
        for (module, row) in self.modules.iter().zip(&MODULES) {
            x = module.forward(x); // 28 x 28, 14 x 14 from `inception4a` on, and 7 x 7 from `inception5a` on
            observe(row.name, &x);
            if let Some(pool) = &row.pool {
                x = halve(x, pool.kernel, self.kernels);
                observe(pool.name, &x);
            }
        }
        x // [batch, 1024, 7, 7]
    }

    fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    fn auxiliary_classifiers(&self) -> Vec<AuxiliaryClassifier<'_>> {
        let stages = MODULES.iter().filter(|row| row.auxiliary);
        let heads = self.auxiliary.iter().zip(stages);
        heads
            .map(|(head, row)| AuxiliaryClassifier {
                stage: row.name,
                head,
            })
            .collect()
    }

    /// Returns one pixel: convolutions are padded by half their kernel and pools round up, so that any input leaves an
    /// output.
    fn minimum_size(&self) -> usize {
        1
    }
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::Stem;

    fn small() -> GoogLeNetConfig {
        GoogLeNetConfig::new(10).with_width(0.125)
    }

    #[test]
    fn has_torchvisions_numbers_of_parameters() {
        for (auxiliary, expected) in [(false, 6_624_904), (true, 13_004_888)] {
            let config = GoogLeNetConfig::new(1000).with_auxiliary(auxiliary);
            let model = config.init(&Device::flex()).unwrap();
            assert_eq!(model.trainable_parameters(), expected);
        }
    }

    #[test]
    fn stages_are_torchvisions() {
        let config = GoogLeNetConfig::new(10);
        let model = config.init(&Device::flex()).unwrap();
        let features = model.forward_features(Tensor::zeros([1, 3, 224, 224], &Device::flex()));
        let stages = features.stages.iter();
        let found: Vec<_> = stages
            .map(|s| (s.name.as_str(), s.output.dims()[1], s.output.dims()[2]))
            .collect();
        let expected = [
            ("conv1", 64, 112),
            ("maxpool1", 64, 56),
            ("conv2", 64, 56),
            ("conv3", 192, 56),
            ("maxpool2", 192, 28),
            ("inception3a", 256, 28),
            ("inception3b", 480, 28),
            ("maxpool3", 480, 14),
            ("inception4a", 512, 14),
            ("inception4b", 512, 14),
            ("inception4c", 512, 14),
            ("inception4d", 528, 14),
            ("inception4e", 832, 14),
            ("maxpool4", 832, 7),
            ("inception5a", 832, 7),
            ("inception5b", 1024, 7),
        ];
        assert_eq!(found, expected);
        assert_eq!(features.logits.dims(), [1, 10]);
    }

    #[test]
    fn channels_are_the_published_ones_times_the_width() {
        let channels = |width: f64| {
            let config = GoogLeNetConfig::new(10).with_width(width);
            let model = config.init(&Device::flex()).unwrap();
            let features = model.forward_features(Tensor::zeros([1, 3, 32, 32], &Device::flex()));
            let stages = features.stages.iter();
            let found: Vec<_> = stages.map(|s| s.output.dims()[1]).collect();
            found
        };
        let doubled: Vec<_> = channels(1.0).iter().map(|channels| 2 * channels).collect();
        assert_eq!(channels(2.0), doubled);
    }

    #[test]
    fn the_small_stems_keep_the_resolution_but_for_a_pool() {
        for (stem, pool, sides) in [
            (Stem::Small, None, [32, 32, 16, 8]),
            (Stem::SmallPooled, Some(16), [32, 16, 8, 4]),
        ] {
            let config = small().with_stem(stem).with_auxiliary(true);
            let model = config.init(&Device::flex()).unwrap();
            let features = model.forward_features(Tensor::zeros([2, 3, 32, 32], &Device::flex()));
            let side = |name| features.stage(name).map(|output| output.dims()[2]);
            assert_eq!((side("maxpool1"), side("maxpool2")), (pool, None));
            let names = ["conv1", "inception3b", "inception4e", "inception5b"];
            assert_eq!(names.map(side), sides.map(Some));
            assert_eq!(features.logits.dims(), [2, 10]);
            assert_eq!(features.auxiliary_logits.len(), 2);
        }
    }

    #[test]
    fn auxiliary_logits_where_there_are_auxiliary_classifiers() {
        let device = Device::flex();
        for auxiliary in [false, true] {
            let model = small().with_auxiliary(auxiliary).init(&device).unwrap();
            let at = model.auxiliary_classifiers();
            let stages: Vec<_> = at.iter().map(|classifier| classifier.stage).collect();
            let images = Tensor::random([1, 3, 96, 96], Distribution::Default, &device);
            let features = model.forward_features(images.clone());
            let (logits, auxiliary_logits) = model.forward_auxiliary(images);
            assert_eq!(logits.into_data(), features.logits.into_data());
            let data = |all: Vec<Tensor<2>>| all.into_iter().map(Tensor::into_data);
            let found: Vec<_> = data(auxiliary_logits).collect();
            assert_eq!(found, data(features.auxiliary_logits).collect::<Vec<_>>());
            match auxiliary {
                false => assert!(stages.is_empty() && found.is_empty()),
                true => {
                    assert_eq!(stages, ["inception4a", "inception4d"]);
                    assert_eq!(found.len(), 2);
                    assert_ne!(found[0], found[1]);
                }
            }
        }
    }

    #[test]
    fn every_classifier_has_gradients_down_to_the_stem() {
        let device = Device::flex().autodiff();
        let model = small().with_auxiliary(true).init(&device).unwrap().train();
        for classifier in 0..3 {
            let images = Tensor::random([2, 3, 64, 64], Distribution::Default, &device);
            let (logits, mut all) = model.forward_auxiliary(images);
            all.push(logits);
            // Of one image and class, since normalization over the batch can cancel the gradients of a sum.
            let logit = all.swap_remove(classifier).slice([0..1, 0..1]);
            let gradients = logit.sum().backward();
            let kernel = model.stem.convolutions[0].conv.weight.val();
            let gradient = kernel.grad(&gradients).unwrap().abs().max();
            assert!(gradient.into_scalar::<f32>() > 0.0, "{classifier}");
        }
    }

    #[test]
    fn dropout_of_the_auxiliary_classifiers_is_the_papers() {
        let model = small().with_auxiliary(true).init(&Device::flex()).unwrap();
        assert_eq!(model.classifier.dropout.prob, 0.0);
        for head in &model.auxiliary {
            assert_eq!(head.classifier.dropout.prob, 0.7);
        }
    }

    #[test]
    fn the_smallest_image_passes_and_a_smaller_one_is_an_error() {
        for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
            let config = small().with_stem(stem).with_auxiliary(true);
            let model = config.init(&Device::flex()).unwrap();
            let minimum = model.minimum_size();
            assert_eq!(minimum, 1);
            assert!(model.check_size([minimum, minimum - 1]).is_err());
            for size in [minimum, 2, 14] {
                let images = Tensor::zeros([1, 3, size, size], &Device::flex());
                let (logits, auxiliary_logits) = model.forward_auxiliary(images);
                assert_eq!(logits.dims(), [1, 10]);
                assert_eq!(auxiliary_logits.len(), 2);
            }
        }
    }

    #[test]
    fn options_out_of_range_are_errors() {
        let configs = [
            GoogLeNetConfig::new(0),
            small().with_width(0.0),
            small().with_dropout(1.0),
            small().with_batch_norm_epsilon(0.0),
        ];
        for config in configs {
            assert!(config.init(&Device::flex()).is_err(), "{config:?}");
        }
    }
}
