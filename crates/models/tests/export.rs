//! Exported files are read back, and agree to the bit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod support;

use burn::prelude::*;
use burn::tensor::Distribution;
use support::reference::values;
use xception_models::layers::{Activation, Padding, Stem};
use xception_models::preprocessing::{Filter, Labels};
use xception_models::weights::{
    Head, LoadOptions, Loaded, Source, WeightsError, load, save_burnpack, save_safetensors,
};
use xception_models::{
    FactorizedConfig, FactorizedConvolution, InceptionV3Config, ModelConfig, Network, ResNetConfig,
    ResNetDepth, XceptionConfig,
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
            ..xception
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
        let pooled = |loaded: &Loaded| {
            let features = loaded.model.forward_stages(images.clone(), &mut |_, _| ());
            values(loaded.model.pool(features))
        };
        assert_eq!(pooled(&loaded), pooled(&saved));
    }
}
