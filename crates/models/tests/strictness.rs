//! Missing, unused and misshapen tensors are errors that name the tensors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod support;

use burn::prelude::*;
use support::reference::write;
use xception_formats::read_safetensors;
use xception_models::layers::Stem;
use xception_models::preprocessing::Filter;
use xception_models::weights::{
    Head, LoadOptions, Loaded, Source, WeightsError, export_names, load, save_safetensors,
};
use xception_models::{
    FactorizedConfig, FactorizedConvolution, ModelConfig, Network, ResNetConfig, ResNetDepth,
    XceptionConfig,
};

type Tensors = Vec<(String, Vec<usize>, Vec<f32>)>;

/// Makes a narrow network's tensors under torchvision's names.
fn tensors() -> Tensors {
    exported(ModelConfig::ResNet(
        ResNetConfig::new(7)
            .with_depth(ResNetDepth::ResNet18)
            .with_width(0.125),
    ))
}

/// Makes a network's tensors under the names with which it is exported.
fn exported(config: ModelConfig) -> Tensors {
    let loaded = Loaded {
        source: Source::Native,
        model: config.init(&Device::flex()).unwrap(),
        preprocessing: Source::Native.preprocessing(&config),
        labels: None,
        config: config.clone(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    save_safetensors(&loaded, &path).unwrap();
    let read = read_safetensors(&path).unwrap();
    export_names(&config)
        .into_iter()
        .map(|(_, name)| {
            let tensor = &read.tensors[&name];
            (name, tensor.shape().to_vec(), tensor.read().unwrap())
        })
        .collect()
}

fn load_with(tensors: &Tensors, options: &LoadOptions) -> Result<Loaded, WeightsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.safetensors");
    write(&path, tensors);
    load(&path, options, &Device::flex())
}

fn error(tensors: &Tensors) -> String {
    load_with(tensors, &LoadOptions::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn the_older_name_of_xceptions_classifier_brings_its_own_preprocessing() {
    let config = XceptionConfig::new(7).with_width(0.125);
    let mut tensors = exported(ModelConfig::Xception(config));
    let timm = load_with(&tensors, &LoadOptions::default()).unwrap();
    for (name, _, _) in &mut tensors {
        *name = name.replace("fc.", "last_linear.");
    }
    let cadene = load_with(&tensors, &LoadOptions::default()).unwrap();
    assert_eq!((timm.source, cadene.source), (Source::Timm, Source::Cadene));
    assert_eq!(cadene.preprocessing.resize.filter, Filter::Bilinear);
    let images = Tensor::ones([1, 3, 96, 96], &Device::flex());
    let [a, b] = [timm, cadene].map(|loaded| loaded.model.forward(images.clone()).into_data());
    assert_eq!(a, b);
}

#[test]
fn all_tensors_without_metadata_are_enough() {
    let loaded = load_with(&tensors(), &LoadOptions::default()).unwrap();
    assert_eq!(loaded.model.classes(), 7);
    assert_eq!(loaded.source, Source::Torchvision);
}

#[test]
fn names_and_shapes_show_the_options_of_the_factorized_network() {
    for convolution in [
        FactorizedConvolution::Dense,
        FactorizedConvolution::SingleIntraChannel,
        FactorizedConvolution::SpatialBottleneck,
    ] {
        let bases = match convolution {
            FactorizedConvolution::Dense => 1,
            _ => 2,
        };
        for (topology, kernel, stem) in
            [([0; 4], 3, Stem::Standard), ([1, 2, 0, 3], 5, Stem::Small)]
        {
            let config = ModelConfig::Factorized(FactorizedConfig {
                convolution,
                topology,
                kernel,
                stem,
                bases,
                layers: [1, 3, 2, 1],
                ..FactorizedConfig::new(7).with_width(0.25)
            });
            let tensors = exported(config.clone());
            let loaded = load_with(&tensors, &LoadOptions::default()).unwrap();
            assert_eq!(loaded.config, config);
            assert_eq!(loaded.source, Source::Native);
            let options = LoadOptions {
                head: Head::New(3),
                ..LoadOptions::default()
            };
            assert_eq!(load_with(&tensors, &options).unwrap().model.classes(), 3);
        }
    }
}

#[test]
fn a_misspelt_tensor_is_missing_and_unused_with_a_hint() {
    let mut tensors = tensors();
    let wrong = tensors
        .iter_mut()
        .find(|(name, ..)| name == "layer2.0.bn1.bias")
        .unwrap();
    wrong.0 = "layer2.0.bn1.bais".to_owned();
    let error = error(&tensors);
    assert!(
        error.contains("1 missing: layer2.0.bn1.bias (there is layer2.0.bn1.bais)"),
        "{error}"
    );
    assert!(error.contains("1 unused: layer2.0.bn1.bais"), "{error}");
}

#[test]
fn ten_are_listed_and_the_rest_counted() {
    let mut tensors = tensors();
    tensors.retain(|(name, ..)| !name.contains("bn2"));
    let error = error(&tensors);
    assert!(error.contains("32 missing: layer1.0.bn2.weight"), "{error}");
    assert!(error.contains("and 22 more"), "{error}");
}

#[test]
fn another_shape_is_said_with_both() {
    let mut tensors = tensors();
    let wrong = tensors
        .iter_mut()
        .find(|(name, ..)| name == "layer4.1.bn2.bias")
        .unwrap();
    wrong.1 = vec![32];
    wrong.2.truncate(32);
    let error = error(&tensors);
    assert!(
        error.contains("layer4.1.bn2.bias is [32] but has to be [64]"),
        "{error}"
    );
}

#[test]
fn what_is_unused_can_be_allowed() {
    let mut tensors = tensors();
    tensors.push(("more".to_owned(), vec![1], vec![0.0]));
    assert!(error(&tensors).contains("1 unused: more"));
    let options = LoadOptions {
        allow_unused: true,
        ..LoadOptions::default()
    };
    let loaded = load_with(&tensors, &options).unwrap();
    assert_eq!(loaded.source, Source::Torchvision);
    tensors.pop();
    let whole = load_with(&tensors, &LoadOptions::default()).unwrap();
    let images = Tensor::ones([1, 3, 64, 64], &Device::flex());
    let [a, b] = [loaded, whole].map(|loaded| loaded.model.forward(images.clone()).into_data());
    assert_eq!(a, b);
}

#[test]
fn without_a_classifier_a_new_one_is_asked_for() {
    let mut tensors = tensors();
    tensors.retain(|(name, ..)| !name.starts_with("fc"));
    let error = load_with(&tensors, &LoadOptions::default()).unwrap_err();
    let WeightsError::NoClassifier { missing, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(missing, &["fc.weight", "fc.bias"]);
    assert!(
        error.to_string().contains("without a classifier"),
        "{error}"
    );
    let options = LoadOptions {
        head: Head::New(3),
        ..LoadOptions::default()
    };
    assert_eq!(load_with(&tensors, &options).unwrap().model.classes(), 3);
}

#[test]
fn features_need_the_backbone_only() {
    let options = LoadOptions {
        head: Head::Unused,
        ..LoadOptions::default()
    };
    let images = Tensor::ones([1, 3, 64, 64], &Device::flex());
    let pooled = |tensors: &Tensors| {
        let loaded = load_with(tensors, &options).unwrap();
        let features = loaded.model.forward_stages(images.clone(), &mut |_, _| ());
        loaded.model.pool(features).into_data()
    };
    let whole = tensors();
    let mut without = whole.clone();
    without.retain(|(name, ..)| !name.starts_with("fc."));
    assert_eq!(pooled(&without), pooled(&whole));
    // A head of several layers in place of the usual one.
    let mut several = whole.clone();
    for (name, ..) in &mut several {
        *name = name.replace("fc.", "fc.1.");
    }
    several.push(("fc.0.weight".to_owned(), vec![1], vec![0.0]));
    assert_eq!(pooled(&several), pooled(&whole));
    // An additional tensor in the backbone is an error.
    let mut more = whole;
    more.push(("layer1.0.se.weight".to_owned(), vec![1], vec![0.0]));
    let error = load_with(&more, &options).unwrap_err().to_string();
    assert!(error.contains("1 unused: layer1.0.se.weight"), "{error}");
}

#[test]
fn tensors_of_no_network_are_named() {
    let tensors = vec![("encoder.weight".to_owned(), vec![1], vec![0.0])];
    let error = error(&tensors);
    assert!(error.contains("encoder.weight"), "{error}");
}
