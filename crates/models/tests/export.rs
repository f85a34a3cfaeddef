//! Exported files are read back, and agree to the bit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod support;

use burn::prelude::*;
use burn::tensor::Distribution;
use support::reference::{values, write};
use xception_formats::read_safetensors;
use xception_models::layers::{Activation, Order, Padding, Segments, Stem};
use xception_models::preprocessing::{Filter, Labels};
use xception_models::weights::{
    Head, LoadOptions, Loaded, Source, WeightsError, load, save_burnpack, save_safetensors,
};
use xception_models::{
    AlignedXceptionConfig, AlignedXceptionDepth, FactorizedConfig, FactorizedConvolution,
    GoogLeNetConfig, InceptionResNetV2Config, InceptionV2Config, InceptionV3Config, ModelConfig,
    Network, OutputStride, ResNetConfig, ResNetDepth, ShuffleNetGroups, ShuffleNetV1Config,
    VggConfig, XceptionConfig,
};

/// Makes narrow networks with every option that a file has to record.
fn configs() -> Vec<ModelConfig> {
    let xception = XceptionConfig {
        middle_modules: 1,
        ..XceptionConfig::new(7).with_width(0.1)
    };
    vec![
        ModelConfig::Xception(xception.clone()),
        ModelConfig::Xception(XceptionConfig {
            residual: false,
            intermediate_activation: Activation::Elu,
            fully_connected: vec![24, 16],
            padding: Padding::Same,
            stem: Stem::Small,
            batch_norm_epsilon: 1e-3,
            ..xception.clone()
        }),
        ModelConfig::Xception(XceptionConfig {
            segments: Segments::Number(4),
            order: Order::PointwiseFirst,
            norm_between: true,
            channels: [(728, 20), (2048, 100)].into(),
            ..xception
        }),
        ModelConfig::AlignedXception(
            AlignedXceptionConfig::new(7)
                .with_depth(AlignedXceptionDepth::Xception41)
                .with_width(0.1),
        ),
        ModelConfig::AlignedXception(AlignedXceptionConfig {
            depth: AlignedXceptionDepth::Xception71,
            preactivation: true,
            output_stride: OutputStride::Eight,
            channels: [(728, 20), (1536, 100)].into(),
            dropout: 0.5,
            stem: Stem::Small,
            batch_norm_epsilon: 1e-5,
            ..AlignedXceptionConfig::new(7).with_width(0.1)
        }),
        ModelConfig::GoogLeNet(GoogLeNetConfig::new(7).with_width(0.1)),
        ModelConfig::GoogLeNet(GoogLeNetConfig {
            auxiliary: true,
            stem: Stem::Small,
            batch_norm_epsilon: 1e-5,
            ..GoogLeNetConfig::new(7).with_width(0.2)
        }),
        ModelConfig::InceptionResNetV2(InceptionResNetV2Config::new(7).with_width(0.1)),
        ModelConfig::InceptionResNetV2(InceptionResNetV2Config {
            block35: 0,
            block17: 2,
            block8: 1,
            count_include_pad: true,
            stem: Stem::Small,
            ..InceptionResNetV2Config::new(7).with_width(0.2)
        }),
        ModelConfig::InceptionV2(InceptionV2Config::new(7).with_width(0.1)),
        ModelConfig::InceptionV2(InceptionV2Config {
            count_include_pad: false,
            stem: Stem::Small,
            ..InceptionV2Config::new(7).with_width(0.2)
        }),
        ModelConfig::Factorized(FactorizedConfig {
            convolution: FactorizedConvolution::Dense,
            layers: [1, 1, 2, 1],
            ..FactorizedConfig::new(7).with_width(0.125)
        }),
        ModelConfig::Factorized(FactorizedConfig {
            bases: 2,
            kernel: 5,
            topology: [1, 2, 0, 3],
            stem: Stem::Small,
            ..FactorizedConfig::new(7).with_width(0.125)
        }),
        ModelConfig::Factorized(FactorizedConfig {
            convolution: FactorizedConvolution::SpatialBottleneck,
            bottleneck_stride: 3,
            topology: [2; 4],
            ..FactorizedConfig::new(7).with_width(0.125)
        }),
        ModelConfig::InceptionV3(InceptionV3Config::new(7).with_width(0.1)),
        ModelConfig::InceptionV3(InceptionV3Config {
            auxiliary: true,
            count_include_pad: false,
            fully_connected: vec![24, 16],
            stem: Stem::Small,
            ..InceptionV3Config::new(7).with_width(0.2)
        }),
        ModelConfig::ResNet(
            ResNetConfig::new(7)
                .with_depth(ResNetDepth::ResNet18)
                .with_width(0.125),
        ),
        ModelConfig::ResNet(ResNetConfig {
            first_convolution_strided: true,
            stem: Stem::Small,
            ..ResNetConfig::new(7)
                .with_depth(ResNetDepth::ResNet50)
                .with_width(0.125)
        }),
        ModelConfig::Vgg(VggConfig {
            fully_connected: vec![24, 16],
            dropout: 0.5,
            ..VggConfig::new(7).with_width(0.125)
        }),
        ModelConfig::Vgg(VggConfig {
            batch_norm: true,
            fully_connected: vec![24],
            grid: Some(2),
            ..VggConfig::new(7).with_width(0.125)
        }),
        ModelConfig::Vgg(VggConfig {
            separable: true,
            stem: Stem::Small,
            fully_connected: vec![24],
            ..VggConfig::new(7).with_width(0.125)
        }),
        ModelConfig::Vgg(
            VggConfig::plain_separable()
                .with_classes(7)
                .with_width(0.125),
        ),
        ModelConfig::ResNet(ResNetConfig {
            groups: 4,
            width_per_group: 24,
            first_convolution_strided: true,
            ..ResNetConfig::new(7).with_width(0.25)
        }),
        ModelConfig::ShuffleNetV1(ShuffleNetV1Config::new(7).with_width(0.5)),
        ModelConfig::ShuffleNetV1(ShuffleNetV1Config {
            groups: ShuffleNetGroups::Eight,
            stem: Stem::Small,
            ..ShuffleNetV1Config::new(7).with_width(0.25)
        }),
    ]
}

fn network(config: &ModelConfig) -> Loaded {
    let device = Device::flex();
    Loaded {
        source: Source::Native,
        model: config.init(&device).unwrap(),
        preprocessing: Source::Native
            .preprocessing(config)
            .with_size([80, 96])
            .with_filter(Filter::Nearest),
        labels: Some(Labels::new(
            ["a", "b c", "d\"", "e,", "\u{e9}", "", "g"]
                .map(str::to_owned)
                .to_vec(),
        )),
        multi_label: matches!(config, ModelConfig::Xception(_)),
        config: config.clone(),
    }
}

type Save = fn(&Loaded, &std::path::Path) -> Result<(), WeightsError>;

#[test]
fn export_and_import_are_bit_identical() {
    let device = Device::flex();
    let images = Tensor::<4>::random([2, 3, 80, 80], Distribution::Default, &device);
    for config in configs() {
        let saved = network(&config);
        let expected = values(saved.model.forward(images.clone()));
        let folder = tempfile::tempdir().unwrap();
        for (name, save) in [
            ("a.safetensors", save_safetensors as Save),
            ("a.bpk", save_burnpack as Save),
        ] {
            let path = folder.path().join(name);
            save(&saved, &path).unwrap();
            let loaded = load(&path, &LoadOptions::default(), &device).unwrap();
            assert_eq!(loaded.config, config);
            assert_eq!(loaded.preprocessing, saved.preprocessing);
            assert_eq!(loaded.labels, saved.labels);
            assert_eq!(loaded.multi_label, saved.multi_label);
            assert_eq!(loaded.source, Source::Native);
            assert_eq!(values(loaded.model.forward(images.clone())), expected);

            // Loaded and saved again, with other identities of parameters, the file has the same bytes.
            let again = folder.path().join(format!("again-{name}"));
            save(&loaded, &again).unwrap();
            let bytes = |path: &std::path::Path| std::fs::read(path).unwrap();
            assert!(bytes(&path) == bytes(&again), "{name} of {}", config.name());
        }
    }
}

#[test]
fn a_point_of_the_spectrum_is_recognized_without_metadata() {
    let device = Device::flex();
    for (segments, order, norm_between) in [
        (Segments::Channels, Order::DepthwiseFirst, true),
        (Segments::Channels, Order::PointwiseFirst, false),
        (Segments::Number(4), Order::DepthwiseFirst, false),
        (Segments::Number(1), Order::PointwiseFirst, true),
    ] {
        let config = XceptionConfig::new(7)
            .with_width(0.25)
            .with_middle_modules(1)
            .with_segments(segments)
            .with_order(order)
            .with_norm_between(norm_between);
        let saved = network(&ModelConfig::Xception(config.clone()));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        save_safetensors(&saved, &path).unwrap();
        let bare = folder.path().join("bare.safetensors");
        let tensors = read_safetensors(&path).unwrap().tensors;
        let tensors: Vec<_> = tensors
            .iter()
            .filter(|(name, _)| !name.ends_with("num_batches_tracked"))
            .map(|(name, tensor)| {
                (
                    name.clone(),
                    tensor.shape().to_vec(),
                    tensor.read().unwrap(),
                )
            })
            .collect();
        write(&bare, &tensors);
        let loaded = load(&bare, &LoadOptions::default(), &device).unwrap();
        assert_eq!(loaded.config, ModelConfig::Xception(config));
        let images = Tensor::<4>::random([1, 3, 80, 80], Distribution::Default, &device);
        let expected = values(saved.model.forward(images.clone()));
        assert_eq!(values(loaded.model.forward(images)), expected);
    }
}

#[test]
fn a_new_head_replaces_the_classifier_only() {
    let device = Device::flex();
    let images = Tensor::<4>::random([1, 3, 80, 80], Distribution::Default, &device);
    let options = LoadOptions {
        head: Head::New(3),
        ..LoadOptions::default()
    };
    for config in configs() {
        let saved = network(&config);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        save_safetensors(&saved, &path).unwrap();
        let loaded = load(&path, &options, &device).unwrap();
        assert_eq!(loaded.model.classes(), 3);
        let features =
            |loaded: &Loaded| values(loaded.model.forward_stages(images.clone(), &mut |_, _| ()));
        assert_eq!(features(&loaded), features(&saved));
        assert_eq!(loaded.model.forward(images.clone()).dims(), [1, 3]);
    }
}
