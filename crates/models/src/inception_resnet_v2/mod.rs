//! Inception-ResNet V2.
//!
//! - Paper: C. Szegedy, S. Ioffe, V. Vanhoucke, A. Alemi, *Inception-v4, Inception-ResNet and the Impact of Residual
//!   Connections on Learning*, 2016, <https://arxiv.org/abs/1602.07261>. The network is the one that the authors
//!   published with their weights.
//! - Implementations: timm's `inception_resnet_v2` and Keras' `InceptionResNetV2`, which agree with each other.
//! - Input: 299 x 299 pixels, RGB, scaled to [-1, 1].
//! - Reference: 55,843,464 parameters with 1000 classes; 80.43 % top-1, 95.31 % top-5 on ImageNet's validation set with
//!   timm's weights (one crop, one model), 80.26 % and 95.25 % with Keras'.
//! - The paper has half as many blocks (figure 15), the stem of Inception-v4 (figure 3), and 384, 1154 and 2048 channels
//!   at the three resolutions; the published network has the stem of Inception V3, and 320, 1088 and 2080.
//! - The last block is special in the published network: its sum isn't scaled, and no activation follows.
//! - There is no auxiliary classifier, as in timm and in Keras; the authors' code has one on the last map of 17 x 17 pixels.
//! - Dropout is 0 by default, as in the other networks; in the paper it is 0.2.
//! - In Keras normalizations have no scale: weights from there have ones.
//! - Weights are initialized as in this crate's other networks (He).
//! - With the small stem, the convolutions of the stem keep the size, and there are no pools in it.

mod block;
mod branches;
mod config;
#[cfg(feature = "weights")]
mod keras_names;
mod mixed_5b;
#[cfg(feature = "weights")]
mod names;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
mod reduction;
#[cfg(feature = "weights")]
mod timm_names;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;

pub use block::InceptionResNetBlock;
pub use config::InceptionResNetV2Config;
pub use mixed_5b::Mixed5b;
pub use reduction::Reduction;

use crate::inception_v3::InceptionV3Stem;
use crate::inception_v3::convolutions::relu;
use crate::inception_v3::stem::StageNames;
use crate::layers::{Classifier, ConvNorm, FeatureMap};
use crate::{ModelConfig, ModelInfo, Network, Observer};

/// Published networks of the family.
pub(crate) const PUBLISHED: [ModelInfo; 1] = [ModelInfo {
    name: "inception_resnet_v2",
    paper: "C. Szegedy et al., Inception-v4 and Inception-ResNet, 2016",
    image_size: 299,
    configuration: || ModelConfig::InceptionResNetV2(InceptionResNetV2Config::default()),
}];

/// Names of the stem's stages.
const STEM_STAGES: StageNames = StageNames {
    convolutions: [
        "conv2d_1a",
        "conv2d_2a",
        "conv2d_2b",
        "conv2d_3b",
        "conv2d_4a",
    ],
    pools: ["maxpool_3a", "maxpool_5a"],
};

/// Inception-ResNet V2: the stem of Inception V3, and residual blocks at three resolutions with reductions between them.
///
/// The stages are named as in timm: those of the stem from `conv2d_1a` to `maxpool_5a`; `mixed_5b`, `mixed_6a` and
/// `mixed_7a`; `repeat`, `repeat_1` and `repeat_2`, each all blocks of a resolution; `block8`, the last block; and
/// `conv2d_7b`. Without blocks there is no stage of theirs.
#[derive(Module, Debug)]
pub struct InceptionResNetV2 {
    /// Stages `conv2d_1a` to `maxpool_5a`.
    pub stem: InceptionV3Stem,
    /// Stage `mixed_5b`, at 35 x 35.
    pub mixed_5b: Mixed5b,
    /// Stage `repeat`: blocks at 35 x 35.
    pub block35: Vec<InceptionResNetBlock>,
    /// Reduction `mixed_6a`, to 17 x 17.
    pub mixed_6a: Reduction,
    /// Stage `repeat_1`: blocks at 17 x 17.
    pub block17: Vec<InceptionResNetBlock>,
    /// Reduction `mixed_7a`, to 8 x 8.
    pub mixed_7a: Reduction,
    /// Stages `repeat_2` and, with the last of them, `block8`: blocks at 8 x 8.
    pub block8: Vec<InceptionResNetBlock>,
    /// Stage `conv2d_7b`: 1536 filters of 1x1.
    pub conv_7b: ConvNorm,
    /// Classifier: dropout and a linear layer.
    pub classifier: Classifier,
    /// Smallest height and width of an image, in pixels.
    pub minimum_size: usize,
}

impl Network for InceptionResNetV2 {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        // Shapes are for 299 x 299 pixels.
        let mut x = self.stem.stages(images, observe); // [batch, 192, 35, 35]
        x = self.mixed_5b.forward(x); // [batch, 320, 35, 35]
        observe("mixed_5b", &x);
        x = repeat("repeat", &self.block35, x, observe);
        x = self.mixed_6a.forward(x); // [batch, 1088, 17, 17]
        observe("mixed_6a", &x);
        x = repeat("repeat_1", &self.block17, x, observe);
        x = self.mixed_7a.forward(x); // [batch, 2080, 8, 8]
        observe("mixed_7a", &x);
        let (blocks, last) = self.block8.split_at(self.block8.len().saturating_sub(1));
        x = repeat("repeat_2", blocks, x, observe);
        x = repeat("block8", last, x, observe);
        x = self.conv_7b.forward(x, relu()); // [batch, 1536, 8, 8]
        observe("conv2d_7b", &x);
        x
    }

    fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    fn minimum_size(&self) -> usize {
        self.minimum_size
    }
}

/// Passes a map through blocks, which are a stage together if there are any.
fn repeat(
    stage: &str,
    blocks: &[InceptionResNetBlock],
    input: FeatureMap,
    observe: Observer,
) -> FeatureMap {
    if blocks.is_empty() {
        return input;
    }
    let output = blocks.iter().fold(input, |x, block| block.forward(x));
    observe(stage, &output);
    output
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use super::*;
    use crate::layers::{Kernels, Stem};

    /// Makes the configuration of a narrow network with these numbers of blocks.
    fn small([block35, block17, block8]: [usize; 3]) -> InceptionResNetV2Config {
        InceptionResNetV2Config {
            block35,
            block17,
            block8,
            ..InceptionResNetV2Config::new(10).with_width(0.1)
        }
    }

    fn stages(config: &InceptionResNetV2Config, size: usize) -> Vec<(String, [usize; 3])> {
        let model = config.init(&Device::flex()).unwrap();
        let features = model.forward_features(Tensor::zeros([1, 3, size, size], &Device::flex()));
        assert_eq!(features.logits.dims(), [1, config.classes]);
        let shape = |[_, channels, height, width]: [usize; 4]| [channels, height, width];
        let stages = features.stages.into_iter();
        stages
            .map(|stage| (stage.name, shape(stage.output.dims())))
            .collect()
    }

    #[test]
    fn has_timms_number_of_parameters() {
        let model = InceptionResNetV2Config::new(1000).init(&Device::flex());
        assert_eq!(model.unwrap().trainable_parameters(), 55_843_464);
    }

    #[test]
    fn stages_are_timms() {
        let config = InceptionResNetV2Config {
            width: 1.0,
            ..small([1, 1, 2])
        };
        let expected = [
            ("conv2d_1a", [32, 149, 149]),
            ("conv2d_2a", [32, 147, 147]),
            ("conv2d_2b", [64, 147, 147]),
            ("maxpool_3a", [64, 73, 73]),
            ("conv2d_3b", [80, 73, 73]),
            ("conv2d_4a", [192, 71, 71]),
            ("maxpool_5a", [192, 35, 35]),
            ("mixed_5b", [320, 35, 35]),
            ("repeat", [320, 35, 35]),
            ("mixed_6a", [1088, 17, 17]),
            ("repeat_1", [1088, 17, 17]),
            ("mixed_7a", [2080, 8, 8]),
            ("repeat_2", [2080, 8, 8]),
            ("block8", [2080, 8, 8]),
            ("conv2d_7b", [1536, 8, 8]),
        ];
        let expected = expected.map(|(name, shape)| (name.to_owned(), shape));
        assert_eq!(stages(&config, 299), expected);
    }

    #[test]
    fn without_blocks_there_are_no_stages_of_theirs() {
        let names = |blocks| {
            let stages = stages(&small(blocks), 75).into_iter();
            let names = stages.map(|(name, _)| name);
            let blocks = names.filter(|name| name.contains("repeat") || name.contains("block"));
            blocks.collect::<Vec<_>>()
        };
        assert!(names([0, 0, 0]).is_empty());
        assert_eq!(names([0, 1, 1]), ["repeat_1", "block8"]);
        assert_eq!(names([1, 0, 2]), ["repeat", "repeat_2", "block8"]);
    }

    #[test]
    fn the_width_is_a_factor_on_the_channels() {
        let channels = |width| {
            let config = small([1, 1, 1]).with_width(width);
            stages(&config, 75).into_iter().map(|(_, [c, ..])| c)
        };
        assert!(channels(0.5).eq(channels(1.0).map(|channels| channels / 2)));
    }

    #[test]
    fn the_small_stem_keeps_the_resolution() {
        let config = small([1, 1, 1]).with_stem(Stem::Small);
        let found = stages(&config, 32);
        let side = |name: &str| found.iter().find(|(n, _)| n == name).unwrap().1[1];
        let names = ["conv2d_1a", "repeat", "repeat_1", "conv2d_7b"];
        assert_eq!(names.map(side), [32, 32, 15, 7]);
        assert!(found.iter().all(|(name, _)| !name.starts_with("maxpool")));
    }

    #[test]
    fn the_last_block_is_not_rectified() {
        let model = small([0, 0, 2]).init(&Device::flex()).unwrap();
        let images = Tensor::random(
            [1, 3, 75, 75],
            burn::tensor::Distribution::Default,
            &Device::flex(),
        );
        let features = model.forward_features(images);
        let least = |name| {
            let output = features.stage(name).unwrap().clone();
            output.min().into_scalar::<f32>()
        };
        assert!(least("repeat_2") >= 0.0 && least("block8") < 0.0);
        let blocks = model.block8.iter();
        let scales: Vec<_> = blocks.map(|block| block.expansion.scale).collect();
        assert_eq!(scales, [0.2, 1.0]);
    }

    #[test]
    fn the_smallest_image_passes_and_a_smaller_one_is_an_error() {
        for (stem, expected) in [
            (Stem::Standard, 75),
            (Stem::Small, 7),
            (Stem::SmallPooled, 15),
        ] {
            for kernels in [Kernels::Native, Kernels::Burn] {
                let config = small([1, 1, 1]).with_stem(stem).with_kernels(kernels);
                let model = config.init(&Device::flex()).unwrap();
                let minimum = model.minimum_size();
                assert_eq!(minimum, expected);
                assert!(model.check_size([minimum, minimum - 1]).is_err());
                let images = Tensor::zeros([1, 3, minimum, minimum], &Device::flex());
                assert_eq!(model.forward(images).dims(), [1, 10]);
            }
        }
    }

    #[test]
    fn options_out_of_range_are_errors() {
        let configs = [
            small([1, 1, 1]).with_classes(0),
            small([1, 1, 1]).with_width(0.0),
            small([1, 1, 1]).with_dropout(1.0),
            small([1, 1, 1]).with_batch_norm_epsilon(0.0),
            small([1025, 1, 1]),
            small([1, 1025, 1]),
            small([1, 1, 1025]),
        ];
        for config in configs {
            assert!(config.init(&Device::flex()).is_err(), "{config:?}");
        }
    }

    #[test]
    fn is_read_from_json() {
        let config = r#"{"block35": 1, "block17": 0, "block8": 2, "classes": 10, "width": 0.1}"#;
        let config: InceptionResNetV2Config = serde_json::from_str(config).unwrap();
        assert_eq!(config, small([1, 0, 2]));
        assert!(serde_json::from_str::<InceptionResNetV2Config>(r#"{"blocks": 5}"#).is_err());
    }
}
