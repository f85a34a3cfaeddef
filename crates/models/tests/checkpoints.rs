//! PyTorch's checkpoints are read in every form in which PyTorch writes them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod support;

use burn::prelude::*;
use support::fixtures;
use support::reference::values;
use xception_models::weights::{LoadOptions, Loaded, Source, WeightsError, load};
use xception_models::{ModelConfig, Network, ResNetDepth};

fn loaded(name: &str, options: &LoadOptions) -> Result<Loaded, WeightsError> {
    load(&fixtures::folder().join(name), options, &Device::flex())
}

fn logits(loaded: &Loaded) -> Vec<f64> {
    let images = Tensor::ones([1, 3, 32, 32], &Device::flex());
    values(loaded.model.forward(images))
}

#[test]
fn every_container_gives_the_same_network() {
    let first = loaded("resnet18.pth", &LoadOptions::default()).unwrap();
    assert_eq!(first.source, Source::Torchvision);
    let ModelConfig::ResNet(config) = &first.config else {
        panic!("{:?}", first.config);
    };
    assert_eq!((config.depth, config.classes), (ResNetDepth::ResNet18, 4));
    for name in [
        "resnet18_legacy.pth",
        "resnet18_wrapped.pth",
        "resnet18_long_names_x.pth",
    ] {
        let other = loaded(name, &LoadOptions::default()).unwrap();
        assert_eq!(other.config, first.config, "{name}");
        assert_eq!(logits(&other), logits(&first), "{name}");
    }
}

#[test]
fn half_precision_is_read() {
    let whole = logits(&loaded("resnet18.pth", &LoadOptions::default()).unwrap());
    let half = logits(&loaded("resnet18_half.pth", &LoadOptions::default()).unwrap());
    let largest = whole.iter().fold(0.0f64, |a, b| a.max(b.abs()));
    assert_eq!(whole.len(), half.len());
    for (a, b) in whole.iter().zip(&half) {
        assert!((a - b).abs() < 0.02 * largest && a != b);
    }
}

#[test]
fn of_two_networks_in_a_file_one_has_to_be_named() {
    let error = loaded("resnet18_twice.pth", &LoadOptions::default()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("ema., model."), "{error}");
    let options = LoadOptions {
        prefix: Some("ema.".to_owned()),
        ..LoadOptions::default()
    };
    // Both are copies of one network.
    let average = loaded("resnet18_twice.pth", &options).unwrap();
    let first = loaded("resnet18.pth", &LoadOptions::default()).unwrap();
    assert_eq!(logits(&average), logits(&first));
}
