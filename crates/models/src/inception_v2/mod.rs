//! Inception V2, the batch-normalized Inception.
//!
//! - Paper: S. Ioffe, C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
//!   Shift*, ICML 2015, <https://arxiv.org/abs/1502.03167>; figure 5 is the network.
//! - Implementation: pytorchcv's `bninception`.
//! - Input: 224 x 224 pixels, RGB, scaled to [0, 1], then normalized with ImageNet's mean (0.485, 0.456, 0.406) and
//!   standard deviation (0.229, 0.224, 0.225) of each channel.
//! - Reference: 11,295,240 parameters with 1000 classes; 74.8 % top-1, 92.2 % top-5 on ImageNet's validation set in the
//!   paper (figure 4, one crop, one model), 74.63 % and 92.26 % with pytorchcv's weights.
//! - Figure 5 says that 4b to 4d have 576 channels and 4e has 1024; the branches in its columns add up to 576, 608, 608
//!   and 1056. Here, as in pytorchcv, the columns count.
//! - Convolutions have a bias, although normalization follows, as in pytorchcv.
//! - The first layer is a convolution, as in pytorchcv; the paper's is a separable convolution with channel multiplier 8.
//! - There is no auxiliary classifier, as in pytorchcv. Those of GoogLeNet, from which the network derives, are left out.
//! - Where a map has an odd number of rows or columns before a reduction, its pool has the convolutions' windows. In
//!   pytorchcv such images, for instance of 75 x 75 pixels, are an error.
//! - Weights are initialized as in this crate's other networks (He); pytorchcv draws them from a uniform distribution.
//! - With the small stem, the first convolution has stride 1, and the stem has no pools.

mod config;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
#[cfg(feature = "weights")]
mod pytorchcv_names;
mod stem;
mod unit;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;

pub use config::InceptionV2Config;
pub use stem::InceptionV2Stem;
pub use unit::{InceptionUnit, Pool};

use crate::layers::{Classifier, FeatureMap};
use crate::{ModelConfig, ModelInfo, Network, Observer};

/// Published networks of the family.
pub(crate) const PUBLISHED: [ModelInfo; 1] = [ModelInfo {
    name: "inception_v2",
    paper: "S. Ioffe, C. Szegedy, Batch Normalization, ICML 2015",
    image_size: 224,
    configuration: || ModelConfig::InceptionV2(InceptionV2Config::default()),
}];

/// Inception V2: a stem, and Inception modules at three resolutions with reductions between them.
///
/// The stages are named as in pytorchcv: `init_block`, which includes the pools, and
///
/// | stage | in the paper |
/// |---|---|
/// | `stage1.unit1` and `.unit2` | 3a and 3b |
/// | `stage2.unit1` to `.unit5` | 3c, the reduction, and 4a to 4d |
/// | `stage3.unit1` to `.unit3` | 4e, the reduction, 5a and 5b |
#[derive(Module, Debug)]
pub struct InceptionV2 {
    /// The stem: three convolutions and, in the standard stem, two max pools.
    pub stem: InceptionV2Stem,
    /// The units of each stage; the first unit of all stages but the first is a reduction.
    pub stages: Vec<Vec<InceptionUnit>>,
    /// Classifier: dropout and a linear layer.
    pub classifier: Classifier,
}

impl Network for InceptionV2 {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let mut x = self.stem.forward(images); // [batch, 192, 28, 28] for 224 x 224 pixels
        observe("init_block", &x);
        for (stage, units) in self.stages.iter().enumerate() {
            for (unit, module) in units.iter().enumerate() {
                x = module.forward(x); // [batch, 320, 28, 28], [batch, 608, 14, 14] and [batch, 1024, 7, 7] after the last
                observe(&format!("stage{}.unit{}", stage + 1, unit + 1), &x);
            }
        }
        x
    }

    fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// Returns one pixel: any input leaves an output, since each window is padded, or a pool's may reach over the border.
    fn minimum_size(&self) -> usize {
        1
    }
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use super::*;
    use crate::layers::{Kernels, Stem};

    fn small() -> InceptionV2Config {
        InceptionV2Config::new(10).with_width(0.1)
    }

    fn stages(config: &InceptionV2Config, size: [usize; 2]) -> Vec<(String, [usize; 3])> {
        let model = config.init(&Device::flex()).unwrap();
        let images = Tensor::zeros([1, 3, size[0], size[1]], &Device::flex());
        let features = model.forward_features(images);
        assert_eq!(features.logits.dims(), [1, config.classes]);
        let stages = features.stages.into_iter();
        let shape = |[_, channels, height, width]: [usize; 4]| [channels, height, width];
        stages
            .map(|stage| (stage.name, shape(stage.output.dims())))
            .collect()
    }

    #[test]
    fn has_pytorchcvs_number_of_parameters() {
        let model = InceptionV2Config::new(1000).init(&Device::flex()).unwrap();
        assert_eq!(model.trainable_parameters(), 11_295_240);
    }

    #[test]
    fn stages_are_pytorchcvs() {
        let found = stages(&InceptionV2Config::new(10), [224, 224]);
        let expected = [
            ("init_block", [192, 28, 28]),
            ("stage1.unit1", [256, 28, 28]),
            ("stage1.unit2", [320, 28, 28]),
            ("stage2.unit1", [576, 14, 14]),
            ("stage2.unit2", [576, 14, 14]),
            ("stage2.unit3", [576, 14, 14]),
            ("stage2.unit4", [608, 14, 14]),
            ("stage2.unit5", [608, 14, 14]),
            ("stage3.unit1", [1056, 7, 7]),
            ("stage3.unit2", [1024, 7, 7]),
            ("stage3.unit3", [1024, 7, 7]),
        ];
        assert_eq!(
            found,
            expected.map(|(name, shape)| (name.to_owned(), shape))
        );
    }

    #[test]
    fn the_width_is_a_factor_on_the_channels() {
        let channels = |width| {
            let config = InceptionV2Config::new(10).with_width(width);
            stages(&config, [32, 32]).into_iter().map(|(_, [c, ..])| c)
        };
        assert!(channels(0.5).eq(channels(1.0).map(|channels| channels / 2)));
    }

    #[test]
    fn the_small_stems_keep_the_resolution_but_for_a_pool() {
        for (stem, sides) in [
            (Stem::Small, [32, 32, 16, 8]),
            (Stem::SmallPooled, [16, 16, 8, 4]),
        ] {
            let found = stages(&small().with_stem(stem), [32, 32]);
            let side = |name: &str| found.iter().find(|(n, _)| n == name).unwrap().1[1];
            let names = ["init_block", "stage1.unit2", "stage2.unit5", "stage3.unit3"];
            assert_eq!(names.map(side), sides);
        }
    }

    #[test]
    fn the_smallest_image_passes_and_a_smaller_one_is_an_error() {
        for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
            for kernels in [Kernels::Native, Kernels::Burn] {
                let config = small().with_stem(stem).with_kernels(kernels);
                let model = config.init(&Device::flex()).unwrap();
                assert_eq!(model.minimum_size(), 1);
                assert!(model.check_size([1, 0]).is_err());
                // Every residue of the strides' product, so that each map has an odd and an even number of pixels.
                for size in 1..=33 {
                    let images = Tensor::ones([1, 3, size, 34 - size], &Device::flex());
                    let logits = model.forward(images.clone());
                    let fused = model.fuse().forward(images);
                    let largest = logits.clone().abs().max().into_scalar::<f32>();
                    let difference = (logits - fused).abs().max().into_scalar::<f32>();
                    let tolerance = 1e-4 * largest.max(1.0);
                    assert!(difference < tolerance, "{size}: {difference} of {largest}");
                }
            }
        }
    }

    #[test]
    fn options_out_of_range_are_errors() {
        let configs = [
            small().with_classes(0),
            small().with_width(0.0),
            small().with_dropout(1.0),
            small().with_batch_norm_epsilon(0.0),
        ];
        for config in configs {
            assert!(config.init(&Device::flex()).is_err(), "{config:?}");
        }
    }
}
