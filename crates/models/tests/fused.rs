//! A fused network's outputs agree with those of the network from which it was made.

#![allow(clippy::unwrap_used)]

use burn::module::{Module, ModuleMapper, Param};
use burn::prelude::*;
use burn::tensor::Distribution;
use xception_models::layers::{Activation, Kernels, Order, Padding, Segments, Stem};
use xception_models::{
    AlignedXceptionConfig, AlignedXceptionDepth, FactorizedConfig, FactorizedConvolution,
    GoogLeNetConfig, InceptionResNetV2Config, InceptionV2Config, InceptionV3Config, MODELS,
    ModelConfig, Network, OutputStride, ResNetConfig, ResNetDepth, ShuffleNetGroups,
    ShuffleNetV1Config, VggConfig, XceptionConfig,
};

/// Largest difference allowed, relative to the largest value.
const TOLERANCE: f32 = 1e-4;

/// A mapper that gives each normalization its own statistics and parameters, as training does.
struct Trained {
    device: Device,
    statistic: bool,
}

impl ModuleMapper for Trained {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.statistic = name == "running_var" || name == "gamma";
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (low, high) = if self.statistic {
            (0.5, 1.5)
        } else {
            (-0.3, 0.3)
        };
        match D {
            1 => param.map(|tensor| {
                let noise = Distribution::Uniform(low, high);
                Tensor::random(tensor.dims(), noise, &self.device)
            }),
            _ => param,
        }
    }
}

fn device() -> Device {
    Device::flex()
}

fn check(config: &ModelConfig, size: [usize; 2], batch: usize, device: &Device) {
    device.seed(7);
    let model = config.init(device).unwrap();
    let model = model.map(&mut Trained {
        device: device.clone(),
        statistic: false,
    });
    let fused = model.fuse();
    assert_eq!(fused.num_params(), 0);
    assert_eq!(fused.classes(), model.classes());
    assert_eq!(fused.minimum_size(), model.minimum_size());
    let images = Tensor::random([batch, 3, size[0], size[1]], Distribution::Default, device);
    let expected = model.forward_features(images.clone());
    let found = fused.forward_features(images.clone());
    assert_eq!(expected.stages.len(), found.stages.len());
    for (expected, found) in expected.stages.into_iter().zip(found.stages) {
        assert_eq!(expected.name, found.name);
        close(expected.output, found.output, &expected.name, config);
    }
    close(expected.pooled, found.pooled, "pooled", config);
    close(expected.logits.clone(), found.logits, "logits", config);
    close(expected.logits, fused.forward(images), "forward", config);
    let (expected, found) = (expected.auxiliary_logits, found.auxiliary_logits);
    assert_eq!(expected.len(), found.len());
    for (expected, found) in expected.into_iter().zip(found) {
        close(expected, found, "auxiliary", config);
    }
}

fn close<const D: usize>(expected: Tensor<D>, found: Tensor<D>, name: &str, config: &ModelConfig) {
    assert_eq!(expected.dims(), found.dims(), "{name}");
    let largest = expected.clone().abs().max().into_scalar::<f32>();
    let difference = (expected - found).abs().max().into_scalar::<f32>();
    assert!(
        difference <= TOLERANCE * largest,
        "{name}: {difference} of {largest}, {config:?}"
    );
}

fn small() -> XceptionConfig {
    XceptionConfig {
        middle_modules: 2,
        ..XceptionConfig::new(10).with_width(0.1)
    }
}

/// Lists configurations of Xception, each with another option changed.
fn variants() -> Vec<XceptionConfig> {
    let mut variants = vec![small()];
    for intermediate_activation in [Activation::Relu, Activation::Elu] {
        variants.push(XceptionConfig {
            intermediate_activation,
            ..small()
        });
    }
    variants.push(XceptionConfig {
        residual: false,
        ..small()
    });
    variants.push(XceptionConfig {
        padding: Padding::Same,
        ..small()
    });
    variants.push(XceptionConfig {
        stem: Stem::Small,
        ..small()
    });
    variants.push(XceptionConfig {
        fully_connected: vec![24, 17],
        ..small()
    });
    variants.push(XceptionConfig {
        dropout: 0.5,
        batch_norm_epsilon: 1e-3,
        ..small()
    });
    variants.push(small().with_width(0.27));
    for order in [Order::DepthwiseFirst, Order::PointwiseFirst] {
        for segments in [1, 4, 32].map(Segments::Number) {
            variants.push(small().with_order(order).with_segments(segments));
        }
        let between = small().with_order(order).with_norm_between(true);
        variants.push(between.with_intermediate_activation(Activation::Relu));
    }
    variants.push(XceptionConfig {
        middle_modules: 0,
        ..small()
    });
    variants
}

#[test]
fn every_network_gives_the_same_fused() {
    for info in MODELS.iter() {
        let config = info.config().with_width(0.25).with_classes(12);
        check(&config, [75, 80], 2, &device());
    }
}

#[test]
fn xception_gives_the_same_with_every_option() {
    for config in variants() {
        for kernels in [Kernels::Native, Kernels::Burn] {
            let config = ModelConfig::Xception(config.clone()).with_kernels(kernels);
            check(&config, [47, 64], 2, &device());
        }
    }
}

#[test]
fn aligned_xceptions_give_the_same_with_every_option() {
    for depth in AlignedXceptionDepth::ALL {
        for preactivation in [false, true] {
            for output_stride in OutputStride::ALL {
                for stem in [Stem::Standard, Stem::Small] {
                    for kernels in [Kernels::Native, Kernels::Burn] {
                        let config = AlignedXceptionConfig {
                            depth,
                            preactivation,
                            output_stride,
                            stem,
                            kernels,
                            ..AlignedXceptionConfig::new(10).with_width(0.1)
                        };
                        let config = ModelConfig::AlignedXception(config);
                        check(&config, [33, 50], 2, &device());
                    }
                }
            }
        }
    }
}

#[test]
fn the_smallest_images_pass() {
    for (stem, size) in [(Stem::Standard, 7), (Stem::Small, 1)] {
        let config = XceptionConfig { stem, ..small() };
        check(&ModelConfig::Xception(config), [size, size], 1, &device());
    }
}

#[test]
fn inception_resnet_v2_gives_the_same_with_every_option() {
    for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
        for count_include_pad in [false, true] {
            for kernels in [Kernels::Native, Kernels::Burn] {
                for [block35, block17, block8] in [[2, 1, 2], [0, 0, 0], [0, 1, 1]] {
                    let config = InceptionResNetV2Config {
                        block35,
                        block17,
                        block8,
                        count_include_pad,
                        kernels,
                        stem,
                        ..InceptionResNetV2Config::new(10).with_width(0.1)
                    };
                    let size = match stem {
                        Stem::Standard => [80, 91],
                        Stem::Small => [15, 24],
                        Stem::SmallPooled => [31, 40],
                    };
                    check(&ModelConfig::InceptionResNetV2(config), size, 2, &device());
                }
            }
        }
    }
}

#[test]
fn inception_v2_gives_the_same_with_every_option() {
    for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
        for count_include_pad in [false, true] {
            for kernels in [Kernels::Native, Kernels::Burn] {
                let config = InceptionV2Config::new(10).with_width(0.1).with_stem(stem);
                let config = config.with_count_include_pad(count_include_pad);
                let config = ModelConfig::InceptionV2(config.with_kernels(kernels));
                for size in [[50, 33], [64, 39]] {
                    check(&config, size, 2, &device());
                }
            }
        }
    }
}

#[test]
fn options_of_the_other_networks() {
    for auxiliary in [false, true] {
        for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
            for kernels in [Kernels::Native, Kernels::Burn] {
                let config = GoogLeNetConfig {
                    auxiliary,
                    stem,
                    kernels,
                    ..GoogLeNetConfig::new(10).with_width(0.1)
                };
                check(&ModelConfig::GoogLeNet(config), [75, 50], 2, &device());
            }
            let config = InceptionV3Config {
                auxiliary,
                stem,
                ..InceptionV3Config::new(10).with_width(0.1)
            };
            let size = if stem == Stem::Small { 40 } else { 299 };
            check(
                &ModelConfig::InceptionV3(config),
                [size, size],
                1,
                &device(),
            );
        }
    }
}

#[test]
fn resnet_and_resnext_give_the_same_with_every_option() {
    for (groups, width_per_group) in [(1, 64), (32, 4), (8, 14), (3, 20)] {
        for first_convolution_strided in [false, true] {
            for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
                for kernels in [Kernels::Native, Kernels::Burn] {
                    let config = ResNetConfig {
                        groups,
                        width_per_group,
                        first_convolution_strided,
                        stem,
                        kernels,
                        ..ResNetConfig::new(10)
                            .with_depth(ResNetDepth::ResNet50)
                            .with_width(0.125)
                    };
                    check(&ModelConfig::ResNet(config), [50, 33], 3, &device());
                }
            }
        }
    }
}

#[test]
fn vgg_gives_the_same_with_every_option() {
    let small = VggConfig {
        fully_connected: vec![24, 17],
        ..VggConfig::new(10).with_width(0.1)
    };
    let mut variants = Vec::new();
    for (batch_norm, separable) in [(false, false), (true, false), (false, true), (true, true)] {
        for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
            for grid in [None, Some(1), Some(2)] {
                variants.push(VggConfig {
                    batch_norm,
                    separable,
                    stem,
                    grid,
                    ..small.clone()
                });
            }
        }
    }
    variants.push(small.clone().with_fully_connected(Vec::new()));
    variants.push(small.with_dropout(0.5));
    for config in variants {
        for kernels in [Kernels::Native, Kernels::Burn] {
            let config = ModelConfig::Vgg(config.clone()).with_kernels(kernels);
            check(&config, [65, 98], 2, &device());
        }
    }
}

#[test]
fn shufflenet_gives_the_same_with_every_option() {
    for groups in ShuffleNetGroups::ALL {
        for stem in [Stem::Standard, Stem::Small, Stem::SmallPooled] {
            for kernels in [Kernels::Native, Kernels::Burn] {
                let config = ShuffleNetV1Config::new(10).with_groups(groups);
                let config = config.with_width(0.3).with_stem(stem);
                let config = config.with_dropout(0.5).with_kernels(kernels);
                check(&ModelConfig::ShuffleNetV1(config), [50, 33], 3, &device());
            }
        }
    }
}

#[test]
fn options_of_the_factorized_network() {
    for convolution in [
        FactorizedConvolution::Dense,
        FactorizedConvolution::SingleIntraChannel,
        FactorizedConvolution::SpatialBottleneck,
    ] {
        for (topology, kernel, stem) in
            [([0; 4], 3, Stem::Standard), ([1, 2, 3, 2], 5, Stem::Small)]
        {
            let config = FactorizedConfig {
                convolution,
                topology,
                kernel,
                stem,
                bases: 2,
                layers: [1, 2, 2, 1],
                ..FactorizedConfig::new(10).with_width(0.125)
            };
            for kernels in [Kernels::Native, Kernels::Burn] {
                let config = ModelConfig::Factorized(config.clone()).with_kernels(kernels);
                check(&config, [47, 33], 2, &device());
            }
        }
    }
}

#[test]
#[allow(deprecated)] // Burn deprecates NdArray; this project still supports it
fn runs_on_ndarray() {
    for info in MODELS.iter() {
        let config = info.config().with_width(0.1).with_classes(10);
        check(&config, [75, 75], 2, &Device::ndarray());
    }
}

/// Checks that fusing includes the last step of training, whose running statistics are kept apart until they are
/// needed.
#[test]
fn a_network_in_training_is_fused_with_its_last_step() {
    let training = device().autodiff();
    for info in MODELS.iter() {
        let config = info.config().with_width(0.1).with_classes(10);
        training.seed(11);
        let model = config.init(&training).unwrap();
        let images = || Tensor::random([4, 3, 75, 75], Distribution::Default, &training);
        for _ in 0..2 {
            model.forward(images());
        }
        // Fused first, since merging the statistics merges them for all copies.
        let fused = model.fuse();
        let images = images().inner();
        let expected = model.valid().forward(images.clone());
        close(expected, fused.forward(images), "trained", &config);
    }
}

#[test]
fn from_a_training_device_it_computes_on_the_device_inside() {
    let training = device().autodiff();
    let model = small().init(&training).unwrap();
    let fused = model.fuse();
    let images = Tensor::random([1, 3, 64, 64], Distribution::Default, &device());
    let expected = fused.forward(images.clone()).into_data();
    let logits = fused.forward(Tensor::from_inner(images));
    assert!(!logits.device().is_autodiff());
    assert_eq!(logits.into_data(), expected);
}
