//! MobileNet V1.
//!
//! - Paper: A. Howard et al., *MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications*, 2017,
//!   <https://arxiv.org/abs/1704.04861>; table 1 is the network.
//! - Implementations: timm's `mobilenetv1_100`, and the authors' in Keras (`keras.applications.MobileNet`).
//! - Input: 224 x 224 pixels, RGB, scaled to [-1, 1].
//! - Reference: 4,231,976 parameters with 1000 classes; 70.6 % top-1 on ImageNet's validation set in the paper (table 4).
//! - ReLU6 follows every normalization, as in both implementations; the paper says ReLU.
//! - The two implementations differ in padding at stride 2 and in batch normalization's epsilon; both can be set. The
//!   defaults are timm's.
//! - With the small stem, the first convolution has stride 1.

mod config;
#[cfg(feature = "weights")]
mod keras_names;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
#[cfg(feature = "weights")]
mod timm_names;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;

pub use config::MobileNetV1Config;

use crate::layers::{Activation, Classifier, ConvNorm, Epilogue, FeatureMap, SegmentedConvNorm};
use crate::{ModelConfig, ModelInfo, Network, Observer};

/// Published networks of the family.
pub(crate) const PUBLISHED: [ModelInfo; 1] = [ModelInfo {
    name: "mobilenet_v1",
    paper: "A. Howard et al., MobileNets, 2017",
    image_size: 224,
    configuration: || ModelConfig::MobileNetV1(MobileNetV1Config::default()),
}];

/// MobileNet V1: a convolution and 13 depthwise separable ones, with normalization and ReLU6 after each part.
///
/// The stages are named as in Keras: `conv1`, and `conv_pw_1` to `conv_pw_13`.
#[derive(Module, Debug)]
pub struct MobileNetV1 {
    /// First convolution: 32 filters of 3x3, at stride 2 in the standard stem.
    pub stem: ConvNorm,
    /// Separable convolutions.
    pub blocks: Vec<SegmentedConvNorm>,
    /// Classifier: dropout and a linear layer.
    pub classifier: Classifier,
}

impl Network for MobileNetV1 {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let relu6 = || Epilogue::from(Activation::Relu6);
        let mut x = self.stem.forward(images, relu6()); // [batch, 32, 112, 112] for 224 x 224 pixels
        observe("conv1", &x);
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(x, relu6()); // [batch, 1024, 7, 7] after the last
            observe(&format!("conv_pw_{}", index + 1), &x);
        }
        x
    }

    fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// Returns two pixels: with Keras' padding, a single pixel would leave an empty map at stride 2.
    fn minimum_size(&self) -> usize {
        2
    }
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::{Kernels, Padding, Stem};

    #[test]
    fn has_the_papers_number_of_parameters() {
        let model = MobileNetV1Config::new(1000).init(&Device::flex()).unwrap();
        assert_eq!(model.trainable_parameters(), 4_231_976);
    }

    #[test]
    fn stages_halve_the_size() {
        for (stem, size, sides) in [
            (Stem::Standard, 224, [112, 56, 7]),
            (Stem::Small, 32, [32, 16, 2]),
            (Stem::SmallPooled, 32, [32, 16, 2]),
        ] {
            for padding in [Padding::Symmetric, Padding::Same] {
                let config = MobileNetV1Config {
                    stem,
                    padding,
                    ..MobileNetV1Config::new(10).with_width(0.25)
                };
                let model = config.init(&Device::flex()).unwrap();
                let images = Tensor::zeros([1, 3, size, size], &Device::flex());
                let features = model.forward_features(images);
                let stages = ["conv1", "conv_pw_2", "conv_pw_13"];
                let found = stages.map(|name| features.stage(name).unwrap().dims()[2]);
                assert_eq!(found, sides);
                assert_eq!(features.logits.dims(), [1, 10]);
            }
        }
    }

    #[test]
    fn fused_it_gives_the_same_with_every_option() {
        let device = Device::flex();
        for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
            for padding in [Padding::Symmetric, Padding::Same] {
                for kernels in [Kernels::Native, Kernels::Burn] {
                    let config = MobileNetV1Config::new(10).with_width(0.3).with_stem(stem);
                    let config = config.with_padding(padding).with_kernels(kernels);
                    let model = config.init(&device).unwrap();
                    let images = Tensor::random([2, 3, 45, 64], Distribution::Default, &device);
                    let expected = model.forward_features(images.clone());
                    let fused = model.fuse().forward_features(images);
                    for (expected, found) in expected.stages.iter().zip(fused.stages) {
                        let scale = expected.output.clone().abs().max().into_scalar::<f32>();
                        let difference = (expected.output.clone() - found.output).abs().max();
                        let difference = difference.into_scalar::<f32>();
                        assert!(
                            difference < 2e-5 * scale.max(1e-3),
                            "{config:?} {}",
                            found.name
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_smallest_image_passes_and_a_smaller_one_is_an_error() {
        for padding in [Padding::Symmetric, Padding::Same] {
            // The two paddings differ if a strided layer has an odd number of pixels.
            for size in [32, 33, 47, 63] {
                let config = MobileNetV1Config {
                    padding,
                    ..MobileNetV1Config::new(10).with_width(0.25)
                };
                let model = config.init(&Device::flex()).unwrap();
                let images = Tensor::zeros([1, 3, size, size], &Device::flex());
                assert_eq!(model.forward(images).dims(), [1, 10]);
                assert!(model.check_size([model.minimum_size() - 1, 9]).is_err());
            }
        }
    }
}
