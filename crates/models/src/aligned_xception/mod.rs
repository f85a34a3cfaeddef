//! The modified aligned Xception of DeepLab, with 41, 65 or 71 layers.
//!
//! - Papers: L.-C. Chen, Y. Zhu, G. Papandreou, F. Schroff, H. Adam, *Encoder-Decoder with Atrous Separable Convolution for
//!   Semantic Image Segmentation*, ECCV 2018, <https://arxiv.org/abs/1802.02611>; figure 4 is the network with 65 layers. It
//!   modifies the aligned Xception of J. Dai et al., *Deformable Convolutional Networks*, ICCV 2017,
//!   <https://arxiv.org/abs/1703.06211>, appendix.
//! - Implementation: timm's `xception41`, `xception65` and `xception71`, and with pre-activation its `xception41p` and
//!   `xception65p`.
//! - Input: 299 x 299 pixels, RGB, scaled to [-1, 1].
//! - Reference: parameters with 1000 classes, and accuracy on ImageNet's validation set, one crop, of the weights from
//!   TensorFlow and of those that timm trained (timm's results-imagenet.csv):
//!
//!   | network | parameters | TensorFlow, top-1 | top-5 | timm, top-1 | top-5 |
//!   |---|---|---|---|---|---|
//!   | `xception41` | 26,969,560 | 78.5 % | 94.3 % | | |
//!   | `xception65` | 39,916,312 | 79.6 % | 94.7 % | 83.2 % | 96.6 % |
//!   | `xception71` | 42,338,736 | 79.9 % | 94.9 % | | |
//!   | `xception41p` | 26,907,752 | | | 82.0 % | 95.8 % |
//!   | `xception65p` | 39,819,560 | | | 83.1 % | 96.5 % |
//!
//! - Against Xception, the network is deeper, a separable convolution with a stride takes the place of each max pool, and each
//!   depthwise convolution has a normalization of its own. In the paper ReLU follows that; in the published weights it does in
//!   the last module alone, as here.
//! - Every window is padded by the same on all sides.
//! - The output stride may be 16 or 8, for maps that are used pixel by pixel: dilated windows take the place of strides. The
//!   parameters are the same, so that the published weights can be loaded for it, with one exception: with 71 layers at output
//!   stride 8, one module no longer changes the shape of its input, and like timm's has no convolution in its shortcut.
//! - Pre-activation is timm's variant: normalization and ReLU come before each separable convolution and before the residual
//!   connection, and there are none between depthwise and pointwise convolution.
//! - With the small stem, the first convolution has stride 1.
//!
//! ```
//! use burn::prelude::*;
//! use xception_models::prelude::*;
//!
//! let device = Device::flex();
//! let network = AlignedXceptionConfig::new(10)
//!     .with_depth(AlignedXceptionDepth::Xception41)
//!     .with_output_stride(OutputStride::Eight)
//!     .with_width(0.125)
//!     .init(&device)?;
//! let images = Tensor::zeros([1, 3, 64, 64], &device);
//! let last = network.forward_stages(images, &mut |_, _| ());
//! assert_eq!(last.dims(), [1, 256, 8, 8]);
//! # Ok::<(), ModelError>(())
//! ```

mod config;
mod depth;
mod module;
mod output_stride;
mod plan;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
mod stem;
#[cfg(feature = "weights")]
mod timm_names;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;

pub use config::AlignedXceptionConfig;
pub use depth::AlignedXceptionDepth;
pub use module::AlignedXceptionModule;
pub use output_stride::OutputStride;
pub use stem::AlignedXceptionStem;

use crate::layers::{Classifier, FeatureMap};
use crate::{ModelConfig, ModelInfo, Network, Observer, Section};
use AlignedXceptionDepth::{Xception41, Xception65, Xception71};

/// Published networks of the family.
pub(crate) const PUBLISHED: [ModelInfo; 5] = [
    info("xception41", PAPER, || config(Xception41, false)),
    info("xception65", PAPER, || config(Xception65, false)),
    info("xception71", PAPER, || config(Xception71, false)),
    info("xception41p", VARIANT, || config(Xception41, true)),
    info("xception65p", VARIANT, || config(Xception65, true)),
];

const PAPER: &str =
    "L.-C. Chen et al., Encoder-Decoder with Atrous Separable Convolution, ECCV 2018";
const VARIANT: &str = "L.-C. Chen et al., Encoder-Decoder with Atrous Separable Convolution, ECCV 2018, with pre-activation \
                       as in timm";

const fn info(
    name: &'static str,
    paper: &'static str,
    configuration: fn() -> ModelConfig,
) -> ModelInfo {
    ModelInfo {
        name,
        paper,
        image_size: 299,
        configuration,
    }
}

fn config(depth: AlignedXceptionDepth, preactivation: bool) -> ModelConfig {
    ModelConfig::AlignedXception(AlignedXceptionConfig::published(depth, preactivation))
}

/// The modified aligned Xception: a stem, and the modules of entry flow, middle flow and exit flow (figure 4).
///
/// The stages are named as in timm: `stem`, and `blocks.0` to `blocks.12`, `.20` or `.22`. The last one includes the ReLU that
/// timm applies after it in networks with pre-activation.
#[derive(Module, Debug)]
pub struct AlignedXception {
    /// Two dense convolutions.
    pub stem: AlignedXceptionStem,
    /// The modules of all three flows; the exit flow has two.
    pub blocks: Vec<AlignedXceptionModule>,
    /// Number of modules in the entry flow.
    pub entry_modules: usize,
    /// Classifier: dropout and a linear layer.
    pub classifier: Classifier,
}

impl Network for AlignedXception {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let mut x = self.stem.forward(images); // [batch, 64, 150, 150] for 299 x 299 pixels
        observe("stem", &x);
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(x); // [batch, 2048, 10, 10] after the last, at output stride 32
            observe(&format!("blocks.{index}"), &x);
        }
        x
    }

    fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    fn sections(&self) -> Vec<Section> {
        let block = |name, index: usize| Section {
            name,
            first_stage: format!("blocks.{index}"),
        };
        vec![
            Section {
                name: "Entry flow",
                first_stage: "stem".to_owned(),
            },
            block("Middle flow", self.entry_modules),
            block("Exit flow", self.blocks.len() - 2),
        ]
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
    use crate::{Graph, Summary};

    fn small(depth: AlignedXceptionDepth) -> AlignedXceptionConfig {
        AlignedXceptionConfig::new(10)
            .with_depth(depth)
            .with_width(0.1)
    }

    #[test]
    fn has_timms_numbers_of_parameters() {
        // Those of timm's networks with `output_stride=8` too: a shortcut's convolution is missing in the third.
        for (depth, preactivation, parameters, at_stride_8) in [
            (Xception41, false, 26_969_560, 26_969_560),
            (Xception65, false, 39_916_312, 39_916_312),
            (Xception71, false, 42_338_736, 41_807_296),
            (Xception41, true, 26_907_752, 26_907_752),
            (Xception65, true, 39_819_560, 39_819_560),
        ] {
            let base = AlignedXceptionConfig::published(depth, preactivation);
            for (stride, expected) in [
                (OutputStride::ThirtyTwo, parameters),
                (OutputStride::Sixteen, parameters),
                (OutputStride::Eight, at_stride_8),
            ] {
                let config = base.clone().with_output_stride(stride);
                let model = config.init(&Device::flex()).unwrap();
                let name = config.name();
                assert_eq!(model.trainable_parameters(), expected, "{name} {stride:?}");
            }
        }
    }

    #[test]
    fn the_output_stride_is_that_of_the_last_map() {
        for depth in AlignedXceptionDepth::ALL {
            for preactivation in [false, true] {
                for stride in OutputStride::ALL {
                    for (stem, factor) in [
                        (Stem::Standard, 1),
                        (Stem::Small, 2),
                        (Stem::SmallPooled, 2),
                    ] {
                        let config = small(depth)
                            .with_preactivation(preactivation)
                            .with_output_stride(stride)
                            .with_stem(stem);
                        let model = config.init(&Device::flex()).unwrap();
                        let graph = Graph::new(&model, [64, 96]).unwrap();
                        let last = graph
                            .stages
                            .iter()
                            .rfind(|stage| stage.name.starts_with("blocks"));
                        let last = last.unwrap().operations.end - 1;
                        let output = graph.operations[last].output;
                        let sides = [64, 96].map(|side| factor * side / stride.number());
                        assert_eq!(output, [1, 208, sides[0], sides[1]], "{config:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_flows_are_the_papers() {
        for (depth, middle, exit) in [
            (Xception41, "blocks.3", "blocks.11"),
            (Xception65, "blocks.3", "blocks.19"),
            (Xception71, "blocks.5", "blocks.21"),
        ] {
            let model = small(depth).init(&Device::flex()).unwrap();
            let sections = model.sections();
            let found: Vec<_> = sections.iter().map(|s| s.first_stage.as_str()).collect();
            assert_eq!(found, ["stem", middle, exit]);
        }
    }

    #[test]
    fn multiply_adds_are_timms() {
        // Those of the convolutions and the linear layer of timm's networks.
        for (depth, expected) in [
            (Xception41, 9_204_134_312),
            (Xception65, 13_852_682_216),
            (Xception71, 17_946_553_928),
        ] {
            for preactivation in [false, true] {
                let config = AlignedXceptionConfig::published(depth, preactivation);
                let model = config.init(&Device::flex()).unwrap();
                let summary = Summary::new(&model, [299, 299]).unwrap();
                assert_eq!(summary.multiply_adds(), expected, "{}", config.name());
            }
        }
    }

    #[test]
    fn only_the_forty_one_layers_with_pre_activation_have_another_epsilon() {
        for depth in AlignedXceptionDepth::ALL {
            for preactivation in [false, true] {
                let config = AlignedXceptionConfig::published(depth, preactivation);
                let expected = match config.name().as_str() {
                    "xception41p" => 1e-5,
                    _ => 1e-3,
                };
                assert_eq!(config.batch_norm_epsilon, expected);
                assert_eq!(ModelConfig::AlignedXception(config).image_size(), 299);
            }
        }
    }

    #[test]
    fn the_smallest_image_passes() {
        for preactivation in [false, true] {
            for stride in OutputStride::ALL {
                let config = small(Xception41)
                    .with_preactivation(preactivation)
                    .with_output_stride(stride);
                let model = config.init(&Device::flex()).unwrap();
                let images = Tensor::zeros([1, 3, 1, 1], &Device::flex());
                assert_eq!(model.forward(images).dims(), [1, 10]);
                assert!(model.check_size([0, 9]).is_err());
            }
        }
    }
}
