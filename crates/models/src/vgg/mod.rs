//! VGG-16, also with batch normalization, and as a plain stack of separable convolutions.
//!
//! - Paper: K. Simonyan, A. Zisserman, *Very Deep Convolutional Networks for Large-Scale Image Recognition*, ICLR 2015,
//!   <https://arxiv.org/abs/1409.1556>; the network is configuration D of table 1.
//! - Implementation: torchvision's `vgg16` and `vgg16_bn`.
//! - Input: 224 x 224 pixels, RGB, scaled to [0, 1], then normalized with ImageNet's mean (0.485, 0.456, 0.406) and
//!   standard deviation (0.229, 0.224, 0.225) of each channel.
//! - Reference, on ImageNet's validation set (one crop, one model, torchvision's weights):
//!
//!   | network | parameters | top-1 | top-5 |
//!   |---|---|---|---|
//!   | `vgg16` | 138,357,544 | 71.6 % | 90.4 % |
//!   | `vgg16_bn` | 138,365,992 | 73.4 % | 91.5 % |
//!
//!   The Xception paper compares itself with 71.5 % and 90.1 % (table 1).
//! - `separable_vgg16`, of 2,190,952 parameters, has depthwise separable convolutions in place of all but the first,
//!   batch normalization, global average pooling and a single linear layer. Section 4.6 of the Xception paper mentions
//!   such models: stacks of separable convolutions without residual connections. It doesn't describe them, so that this
//!   is the closest network here, for ablations, and no published one.
//! - Images of other sizes are taken as in torchvision: the last map is averaged to a grid of 7 x 7. The first fully
//!   connected layer takes all of its pixels.
//! - Dropout is 0 by default, as in the other networks; in the paper and in torchvision it is 0.5, before the last
//!   layer and after each fully connected layer before it.
//! - Convolutions are initialized as in torchvision (He); linear layers as in this crate's other networks, where
//!   torchvision draws them from a normal distribution with standard deviation 0.01.
//! - With the small stem, the first pool is left out, so that images of 32 x 32 pixels leave a last map of 2 x 2. It is
//!   averaged to a single pixel, and the first fully connected layer has 512 inputs, unless the option `grid` says
//!   otherwise.
//! - A new classifier, for fine-tuning, is a single linear layer on the mean of the last map's pixels. The fully
//!   connected layers aren't kept: they are most of the network, and made for images of one size. Loaded for its
//!   features alone, the network has these means too.

mod config;
#[cfg(feature = "weights")]
mod keras_names;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
mod stage;
#[cfg(feature = "weights")]
mod torchvision_names;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;

pub use config::VggConfig;
pub use stage::VggStage;

use crate::layers::{Classifier, FeatureMap, adaptive_average_pool, global_average_pool};
use crate::{ModelConfig, ModelInfo, Network, Observer};

/// Published networks of the family, and the plain stack of separable convolutions.
pub(crate) const PUBLISHED: [ModelInfo; 3] = [
    ModelInfo {
        name: "vgg16",
        paper: "K. Simonyan, A. Zisserman, Very Deep Convolutional Networks, ICLR 2015",
        image_size: 224,
        configuration: || ModelConfig::Vgg(VggConfig::default()),
    },
    ModelInfo {
        name: "vgg16_bn",
        paper: "K. Simonyan, A. Zisserman, Very Deep Convolutional Networks, ICLR 2015, with batch normalization",
        image_size: 224,
        configuration: || ModelConfig::Vgg(VggConfig::default().with_batch_norm(true)),
    },
    ModelInfo {
        name: "separable_vgg16",
        paper: "F. Chollet, Xception, CVPR 2017, section 4.6: VGG-16 of separable convolutions",
        image_size: 224,
        configuration: || ModelConfig::Vgg(VggConfig::plain_separable()),
    },
];

/// VGG-16: five stages of 3x3 convolutions, with ReLU after each and a max pool after each stage.
///
/// The stages are `conv1` to `conv5`, as the paper groups the convolutions, each with its pool.
#[derive(Module, Debug)]
pub struct Vgg {
    /// Stages `conv1` to `conv5`.
    pub stages: Vec<VggStage>,
    /// Classifier: fully connected layers, each with ReLU and dropout, and a linear layer.
    pub classifier: Classifier,
    /// Height and width of the grid to which the last map is averaged before it is flattened.
    pub grid: usize,
}

impl Network for Vgg {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let mut x = images;
        for (index, stage) in self.stages.iter().enumerate() {
            // For 224 x 224 pixels: [batch, 64, 112, 112], [batch, 128, 56, 56], [batch, 256, 28, 28],
            // [batch, 512, 14, 14] and [batch, 512, 7, 7].
            x = stage.forward(x);
            observe(&format!("conv{}", index + 1), &x);
        }
        x
    }

    fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// Returns the side that the pools halve to one pixel.
    fn minimum_size(&self) -> usize {
        let pools = self.stages.iter().filter(|stage| stage.pool);
        1 << pools.count()
    }

    /// Averages the last map to the grid, and flattens it.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, channels, height, width]`
    /// - output: `[batch, channels * grid * grid, 1, 1]`
    fn pool_map(&self, features: FeatureMap) -> FeatureMap {
        match self.grid {
            1 => global_average_pool(features),
            side => adaptive_average_pool(features, [side, side]).flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::Stem;

    fn small() -> VggConfig {
        VggConfig {
            fully_connected: vec![24, 16],
            ..VggConfig::new(10).with_width(0.125)
        }
    }

    #[test]
    fn has_torchvisions_numbers_of_parameters() {
        for (batch_norm, expected) in [(false, 138_357_544), (true, 138_365_992)] {
            let config = VggConfig::new(1000).with_batch_norm(batch_norm);
            let model = config.init(&Device::flex()).unwrap();
            assert_eq!(model.trainable_parameters(), expected);
        }
    }

    #[test]
    fn the_separable_stack_has_the_sum_of_its_layers() {
        let model = VggConfig::plain_separable().init(&Device::flex()).unwrap();
        let separable = |inputs: usize, outputs: usize| 9 * inputs + inputs * outputs + 2 * outputs;
        let layers = [
            3 * 9 * 64 + 64 + 2 * 64, // the first convolution with its bias and its normalization
            separable(64, 64),
            separable(64, 128),
            separable(128, 128),
            separable(128, 256),
            2 * separable(256, 256),
            separable(256, 512),
            5 * separable(512, 512),
            512 * 1000 + 1000,
        ];
        assert_eq!(layers.iter().sum::<usize>(), 2_190_952);
        assert_eq!(model.trainable_parameters(), 2_190_952);
    }

    #[test]
    fn stages_halve_the_size() {
        for (stem, size, sides) in [
            (Stem::Standard, 224, [112, 56, 28, 14, 7]),
            (Stem::Small, 32, [32, 16, 8, 4, 2]),
            (Stem::SmallPooled, 32, [16, 8, 4, 2, 1]),
        ] {
            for (batch_norm, separable) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                let config = VggConfig {
                    stem,
                    batch_norm,
                    separable,
                    ..small()
                };
                let model = config.init(&Device::flex()).unwrap();
                let images = Tensor::zeros([1, 3, size, size], &Device::flex());
                let features = model.forward_features(images);
                let stages = features.stages.iter();
                let found: Vec<_> = stages.map(|s| (s.name.as_str(), s.output.dims())).collect();
                let expected: Vec<_> = ["conv1", "conv2", "conv3", "conv4", "conv5"]
                    .into_iter()
                    .zip([8, 16, 32, 64, 64])
                    .zip(sides)
                    .map(|((name, channels), side)| (name, [1, channels, side, side]))
                    .collect();
                assert_eq!(found, expected, "{config:?}");
                let cells = if stem == Stem::Standard { 49 } else { 1 };
                assert_eq!(features.pooled.dims(), [1, 64 * cells]);
                assert_eq!(features.logits.dims(), [1, 10]);
            }
        }
    }

    #[test]
    fn all_but_the_first_convolution_are_separable() {
        for separable in [false, true] {
            let config = small().with_separable(separable);
            let model = config.init(&Device::flex()).unwrap();
            let lists = |stage: &VggStage| (stage.dense.len(), stage.separable.len());
            let found: Vec<_> = model.stages.iter().map(lists).collect();
            let expected = match separable {
                false => [(2, 0), (2, 0), (3, 0), (3, 0), (3, 0)],
                true => [(1, 1), (0, 2), (0, 3), (0, 3), (0, 3)],
            };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_grid_is_flattened_channel_by_channel() {
        let device = Device::flex();
        let model = small().with_grid(Some(2)).init(&device).unwrap();
        let map = Tensor::<1, Int>::arange(0..64 * 16, &device).float();
        let map = map.reshape([1, 64, 4, 4]);
        let pooled = model.pool(map).into_data().try_to_vec::<f32>().unwrap();
        // The mean of 0, 1, 4 and 5 is that of the first cell; the next cell is 2 further, the next row of cells 8.
        assert_eq!(pooled[..6], [2.5, 4.5, 10.5, 12.5, 18.5, 20.5]);
        assert_eq!((pooled.len(), model.features()), (256, 256));
    }

    #[test]
    fn gradients_pass_through_the_grid() {
        let device = Device::flex().autodiff();
        // A last map of 2 x 2, whose pixels are repeated; of 7 x 7; and of 8 x 8, whose pixels are averaged.
        for size in [64, 224, 256] {
            let model = small().init(&device).unwrap().train();
            let images = Tensor::random([1, 3, size, size], Distribution::Default, &device);
            let gradients = model.forward(images).sum().backward();
            let kernel = model.stages[0].dense[0].conv.weight.val();
            let gradient = kernel.grad(&gradients).unwrap().abs().max();
            assert!(gradient.into_scalar::<f32>() > 0.0, "{size}");
        }
    }

    #[test]
    fn the_smallest_image_passes_and_a_smaller_one_is_an_error() {
        for (stem, expected) in [(Stem::Standard, 32), (Stem::Small, 16)] {
            let model = small().with_stem(stem).init(&Device::flex()).unwrap();
            let minimum = model.minimum_size();
            assert_eq!(minimum, expected);
            assert!(model.check_size([minimum, minimum - 1]).is_err());
            let images = Tensor::zeros([1, 3, minimum, minimum], &Device::flex());
            let features = model.forward_features(images);
            assert_eq!(features.stage("conv5").unwrap().dims(), [1, 64, 1, 1]);
            assert_eq!(features.logits.dims(), [1, 10]);
        }
    }

    #[test]
    fn is_read_from_json() {
        let text = r#"{"batch_norm": true, "grid": 1, "fully_connected": [], "classes": 10}"#;
        let config: VggConfig = serde_json::from_str(text).unwrap();
        let expected = VggConfig {
            batch_norm: true,
            grid: Some(1),
            fully_connected: Vec::new(),
            ..VggConfig::new(10)
        };
        assert_eq!(config, expected);
        assert!(serde_json::from_str::<VggConfig>(r#"{"depth": 19}"#).is_err());
    }

    #[test]
    fn options_out_of_range_are_errors() {
        let configs = [
            VggConfig::new(0),
            small().with_width(0.0),
            small().with_dropout(1.0),
            small().with_batch_norm_epsilon(0.0),
            small().with_grid(Some(0)),
            small().with_grid(Some(33)),
            small().with_fully_connected(vec![0]),
            small().with_fully_connected(vec![8; 9]),
            // Wide layers on a large grid are more than any machine holds.
            VggConfig::new(10).with_grid(Some(32)).with_width(4.0),
        ];
        for config in configs {
            assert!(config.init(&Device::flex()).is_err(), "{config:?}");
        }
    }
}
