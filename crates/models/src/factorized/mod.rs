//! A network of factorized convolutional layers.
//!
//! - Paper: M. Wang, B. Liu, H. Foroosh, *Factorized Convolutional Neural Networks*, <https://arxiv.org/abs/1608.04337>:
//!   version 1 of August 2016 ("v1"); version 2 of January 2017 ("v2"), *Design of Efficient Convolutional Layers using
//!   Single Intra-channel Convolution, Topological Subdivisioning and Spatial "Bottleneck" Structure*; and the ICCV
//!   workshops 2017 ("ICCVW").
//! - **The network is this project's reconstruction and none of the paper's.** Its sources were the abstracts of the three
//!   versions, and algorithms 2, 3 and 4 of v1. The paper's networks, tables and accuracies could not be found in public
//!   text, and neither could weights or the authors' code, so that there is nothing to compare outputs with.
//! - From the paper: the single intra-channel convolution, with its residual connection before ReLU (algorithm 3); the
//!   connections of a topology (algorithm 4); of the spatial bottleneck one sentence (the abstract of v2). The layers have
//!   the details: [`SingleIntraChannelConv`](crate::layers::SingleIntraChannelConv),
//!   [`Topology`](crate::layers::Topology), [`SpatialBottleneck`](crate::layers::SpatialBottleneck).
//! - The project's own choices:
//!   - the plan: stem and channels are ResNet-34's, and a stage has as many layers as ResNet-34 has 3x3 convolutions between
//!     as many channels;
//!   - batch normalization after each projection, and no biases;
//!   - what leads to a stage, where algorithm 3 has no say because the number of channels changes: a separable convolution
//!     at stride 2 with batch normalization and ReLU, the same for every kind of layer;
//!   - the dense baseline: a convolution, batch normalization, and a residual connection before ReLU, as the others have;
//!   - the sizes of topologies: nearly equal axes, each connected with half its length;
//!   - all parts of the spatial bottleneck, and its stride of 2.
//! - Input: 224 x 224 pixels, RGB, normalized as ResNet's.
//! - With the small stem, the first convolution is 3x3 at stride 1, and there is no max pool.
//!
//! # Parameters and multiply-adds
//!
//! With 1000 classes, for one image of 224 x 224 pixels. A test computes both tables. Multiply-adds are not time: the
//! zeros of a topology are [multiplied](crate::layers::Topology::subdivide) too, though not counted.
//!
//! | layers | parameters | multiply-adds | dense layers' by these |
//! |---|---|---|---|
//! | dense | 20,251,624 | 3.491 G | 1.00 |
//! | single intra-channel | 2,944,488 | 0.534 G | 6.53 |
//! | single intra-channel, 2 bases | 5,188,584 | 0.930 G | 3.75 |
//! | single intra-channel, topologies of 2 axes | 1,316,328 | 0.255 G | 13.69 |
//! | spatial bottleneck | 3,004,392 | 0.248 G | 14.05 |
//! | spatial bottleneck, topologies of 2 axes | 1,376,232 | 0.175 G | 19.96 |
//!
//! The abstracts claim that the paper's networks are about as accurate as known ones with so many times less computation.
//! Beside these claims stand the ratios of the networks here, whose accuracy isn't known: the known network's multiply-adds
//! (torchvision's count) by those with single intra-channel layers, with topologies of 2 axes, and with spatial bottlenecks.
//!
//! | network | multiply-adds | claimed factor | single intra-channel | topologies | bottlenecks |
//! |---|---|---|---|---|---|
//! | VGG-16 | 15.47 G | 42 (v2, ICCVW) | 28.95 | 60.67 | 62.27 |
//! | ResNet-34 | 3.66 G | 7.32 (ICCVW) | 6.86 | 14.37 | 14.75 |
//! | ResNet-50 | 4.09 G | 4.5 (v2), 4.38 (ICCVW) | 7.65 | 16.04 | 16.46 |
//! | ResNet-101 | 7.80 G | 6.5 (v2), 5.85 (ICCVW) | 14.60 | 30.60 | 31.40 |
//! | GoogLeNet | 1.50 G | 3.4 (v1) | 2.80 | 5.88 | 6.03 |

#[cfg(test)]
mod complexity;
mod config;
mod convolution;
#[cfg(feature = "weights")]
mod names;
#[cfg(feature = "pretrained")]
pub(crate) mod published;
mod stage;
#[cfg(feature = "weights")]
mod weights;

use burn::module::Module;

pub use config::FactorizedConfig;
pub use convolution::FactorizedConvolution;
pub use stage::FactorizedStage;

use crate::layers::{Classifier, FeatureMap};
use crate::resnet::ResNetStem;
use crate::{ModelConfig, ModelInfo, Network, Observer};

/// Registered networks of the family.
pub(crate) const PUBLISHED: [ModelInfo; 1] = [ModelInfo {
    name: "factorized",
    paper: "after M. Wang et al., Factorized Convolutional Neural Networks, 2016",
    image_size: 224,
    configuration: || ModelConfig::Factorized(FactorizedConfig::default()),
}];

/// The factorized network: ResNet's stem, and four stages of layers of one kind.
///
/// The stages are `stem`, which includes the max pool, and `stage1` to `stage4`.
#[derive(Module, Debug)]
pub struct FactorizedNetwork {
    /// The stem: a convolution and, unless the stem is `small`, a max pool.
    pub stem: ResNetStem,
    /// Stages `stage1` to `stage4`; all but the first halve height and width.
    pub stages: Vec<FactorizedStage>,
    /// Classifier: dropout and a linear layer.
    pub classifier: Classifier,
}

impl Network for FactorizedNetwork {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let mut x = self.stem.forward(images); // [batch, 64, 56, 56] for 224 x 224 pixels
        observe("stem", &x);
        for (index, stage) in self.stages.iter().enumerate() {
            x = stage.forward(x); // [batch, 512, 7, 7] after the last
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
    use burn::module::{ModuleVisitor, Param};
    use burn::prelude::*;
    use burn::tensor::{Distribution, Gradients};

    use super::*;
    use crate::layers::{Kernels, Stem};

    const CONVOLUTIONS: [FactorizedConvolution; 3] = [
        FactorizedConvolution::Dense,
        FactorizedConvolution::SingleIntraChannel,
        FactorizedConvolution::SpatialBottleneck,
    ];

    fn small(convolution: FactorizedConvolution) -> FactorizedConfig {
        FactorizedConfig::new(10)
            .with_convolution(convolution)
            .with_layers([1, 2, 1, 1])
            .with_width(0.125)
    }

    #[test]
    fn stages_halve_the_size() {
        for convolution in CONVOLUTIONS {
            for (stem, size, sides) in [
                (Stem::Standard, 224, [56, 56, 28, 14, 7]),
                (Stem::Standard, 203, [51, 51, 26, 13, 7]),
                (Stem::Small, 32, [32, 32, 16, 8, 4]),
            ] {
                let config = small(convolution).with_stem(stem);
                let model = config.init(&Device::flex()).unwrap();
                let images = Tensor::zeros([1, 3, size, size], &Device::flex());
                let features = model.forward_features(images);
                let stages = features.stages.iter();
                let found: Vec<_> = stages.map(|s| (s.name.as_str(), s.output.dims())).collect();
                let [stem, rest @ ..] = sides;
                let mut expected = vec![("stem", [1, 8, stem, stem])];
                let names = ["stage1", "stage2", "stage3", "stage4"];
                for ((name, side), channels) in names.into_iter().zip(rest).zip([8, 16, 32, 64]) {
                    expected.push((name, [1, channels, side, side]));
                }
                assert_eq!(found, expected);
                assert_eq!(features.logits.dims(), [1, 10]);
            }
        }
    }

    #[test]
    fn topologies_follow_the_width() {
        let config = small(FactorizedConvolution::SingleIntraChannel).with_topology([1, 2, 2, 3]);
        for (width, expected) in [
            (1.0, [(64, 32), (128, 32), (256, 64), (512, 64)]),
            (0.3, [(16, 8), (40, 12), (80, 20), (152, 40)]),
        ] {
            let model = config
                .clone()
                .with_width(width)
                .init(&Device::flex())
                .unwrap();
            let found: Vec<_> = model
                .stages
                .iter()
                .map(|stage| {
                    let weight = &stage.single_intra_channel[0].bases[0].pointwise.weight;
                    let shape = weight.lazy_shape();
                    (shape[0], shape[1])
                })
                .collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn fused_it_gives_the_same_with_every_option() {
        let device = Device::flex();
        for convolution in CONVOLUTIONS {
            for topology in [[0; 4], [1, 2, 3, 2]] {
                for kernels in [Kernels::Native, Kernels::Burn] {
                    for (kernel, stride) in [(3, 2), (5, 3)] {
                        let config = small(convolution).with_topology(topology);
                        let config = config.with_kernels(kernels).with_kernel(kernel);
                        let config = config.with_bases(2).with_bottleneck_stride(stride);
                        let model = config.init(&device).unwrap();
                        let images = Tensor::random([2, 3, 45, 64], Distribution::Default, &device);
                        let expected = model.forward_features(images.clone());
                        let fused = model.fuse();
                        assert_eq!(fused.trainable_parameters(), 0);
                        let found = fused.forward_features(images);
                        for (expected, found) in expected.stages.iter().zip(found.stages) {
                            let scale = expected.output.clone().abs().max().into_scalar::<f32>();
                            let difference = (expected.output.clone() - found.output).abs().max();
                            let difference = difference.into_scalar::<f32>();
                            assert!(
                                difference < 2e-5 * scale.max(1e-3),
                                "{config:?} {}: {difference}",
                                found.name
                            );
                        }
                    }
                }
            }
        }
    }

    /// Counts the parameters, and those with gradients.
    struct WithGradients<'a> {
        gradients: &'a Gradients,
        counts: [usize; 2],
        in_statistics: bool,
    }

    impl ModuleVisitor for WithGradients<'_> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.in_statistics = name.starts_with("running_");
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.in_statistics = false;
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.in_statistics {
                return;
            }
            let gradient = param.val().grad(self.gradients);
            assert!(
                gradient
                    .iter()
                    .all(|gradient| gradient.dims() == param.val().dims())
            );
            let moves = gradient.is_some_and(|g| g.abs().max().into_scalar::<f32>() > 0.0);
            self.counts[0] += 1;
            self.counts[1] += usize::from(moves);
        }
    }

    #[test]
    fn every_parameter_has_a_gradient() {
        let device = Device::flex().autodiff();
        for convolution in CONVOLUTIONS {
            let config = small(convolution).with_topology([1, 2, 3, 2]);
            let model = config.init(&device).unwrap();
            let images = Tensor::random([4, 3, 64, 64], Distribution::Default, &device);
            let gradients = model.forward(images).powi_scalar(2).sum().backward();
            let mut found = WithGradients {
                gradients: &gradients,
                counts: [0, 0],
                in_statistics: false,
            };
            model.visit(&mut found);
            assert_eq!(found.counts[0], found.counts[1], "{convolution:?}");
            assert!(found.counts[0] > 20);
        }
    }

    #[test]
    fn the_smallest_image_passes_and_a_smaller_one_is_an_error() {
        for convolution in CONVOLUTIONS {
            for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
                let config = small(convolution).with_stem(stem);
                let model = config.init(&Device::flex()).unwrap();
                let minimum = model.minimum_size();
                assert!(model.check_size([minimum, minimum - 1]).is_err());
                let images = Tensor::zeros([1, 3, minimum, minimum], &Device::flex());
                assert_eq!(model.forward(images).dims(), [1, 10]);
            }
        }
    }

    #[test]
    fn is_read_from_json() {
        let text = r#"{"convolution": "spatial_bottleneck", "topology": [0, 2, 2, 3], "bases": 2}"#;
        let config: FactorizedConfig = serde_json::from_str(text).unwrap();
        let expected = FactorizedConfig::default()
            .with_convolution(FactorizedConvolution::SpatialBottleneck)
            .with_topology([0, 2, 2, 3])
            .with_bases(2);
        assert_eq!(config, expected);
        assert!(serde_json::from_str::<FactorizedConfig>(r#"{"layers": [1, 2, 3]}"#).is_err());
        assert!(serde_json::from_str::<FactorizedConfig>(r#"{"convolution": "sic"}"#).is_err());
    }

    #[test]
    fn options_out_of_range_are_errors_that_name_them() {
        let base = FactorizedConfig::default;
        for (config, expected) in [
            (
                base().with_kernel(4),
                "`kernel` is 4, but has to be an odd number",
            ),
            (base().with_kernel(9), "`kernel` is 9"),
            (base().with_bases(0), "`bases` is 0"),
            (base().with_bases(65), "`bases` is 65"),
            (base().with_layers([1, 0, 1, 1]), "`layers` is 0"),
            (base().with_layers([1, 1, 1, usize::MAX]), "`layers` is"),
            (base().with_topology([0, 0, 5, 0]), "`topology` is 5"),
            (base().with_bottleneck_stride(0), "`bottleneck_stride` is 0"),
            (base().with_width(0.0), "`width` is 0"),
        ] {
            let error = config.init(&Device::flex()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
