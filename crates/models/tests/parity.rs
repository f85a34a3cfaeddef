//! The networks agree with timm's, torchvision's and pytorchcv's to float precision, stage by stage, on weights imported
//! under their original names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod support;

use burn::prelude::*;
use support::reference::{Reference, numbers, values, worst};
use xception_models::weights::{LoadOptions, Loaded, Source};
use xception_models::{Features, ModelConfig, Network, OutputStride};

/// Largest difference allowed, relative to the largest value of the stage or the logits.
const TOLERANCE: f64 = 5e-5;

/// Compares all stages that the network's reference names; `rename` maps their names to this crate's.
fn compare(name: &str, source: Source, rename: impl Fn(&str) -> Option<String>) {
    compare_with(name, name, source, rename);
}

/// Compares a network with the reference of this name.
fn compare_with(
    reference: &str,
    name: &str,
    source: Source,
    rename: impl Fn(&str) -> Option<String>,
) {
    let device = Device::flex();
    let reference = Reference::read(reference);
    let loaded = reference.load(&reference.state(), &device);
    assert_eq!(loaded.source, source);
    assert_eq!(loaded.config.name(), name);
    check(&reference, &loaded, rename);
}

/// Compares a loaded network, and its fused form, with the reference.
fn check(reference: &Reference, loaded: &Loaded, rename: impl Fn(&str) -> Option<String>) {
    let parameters = reference.0["parameters"].as_u64().unwrap();
    assert_eq!(loaded.model.trainable_parameters() as u64, parameters);

    let images = reference.images(&Device::flex());
    let features = loaded.model.forward_features(images.clone());
    check_features(reference, features, &loaded.config.name(), &rename);
    let features = loaded.model.fuse().forward_features(images);
    let name = format!("{}, fused", loaded.config.name());
    check_features(reference, features, &name, &rename);
}

/// Compares stages and logits with the reference.
fn check_features(
    reference: &Reference,
    features: Features,
    name: &str,
    rename: impl Fn(&str) -> Option<String>,
) {
    let mut errors = Vec::new();
    for (stage, expected) in reference.0["features"].as_object().unwrap() {
        let Some(ours) = rename(stage) else { continue };
        let output = features.stage(&ours).expect(&ours).clone();
        let shape: Vec<usize> = serde_json::from_value(expected["shape"].clone()).unwrap();
        assert_eq!(output.dims().to_vec(), shape, "{stage}");
        let output = values(output);
        let count = output.len() as f64;
        let mean = output.iter().sum::<f64>() / count;
        let variance = output.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        let moments = numbers(&serde_json::json!([expected["mean"], expected["std"]]));
        let first = numbers(&expected["first"]);
        errors.push((stage.as_str(), worst(&[mean, variance.sqrt()], &moments)));
        errors.push((stage, worst(&output[..first.len()], &first)));
    }
    let logits = worst(&values(features.logits), &numbers(&reference.0["logits"]));
    errors.push(("logits", logits));
    let heads = features.auxiliary_logits;
    let expected = match heads.is_empty() {
        true => Vec::new(),
        false => numbers(&reference.0["aux_logits"]),
    };
    let of_a_head = expected.len() / heads.len().max(1);
    for (auxiliary, expected) in heads.into_iter().zip(expected.chunks(of_a_head.max(1))) {
        errors.push(("auxiliary logits", worst(&values(auxiliary), expected)));
    }
    let (stage, error) = errors
        .into_iter()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap();
    println!("{name}: logits {logits:.1e}, worst {error:.1e} at {stage}");
    assert!(error < TOLERANCE, "{name}: {error:.1e} at {stage}");
}

fn same_name(stage: &str) -> Option<String> {
    Some(stage.to_owned())
}

#[test]
fn xception_agrees_with_timm() {
    // timm numbers the blocks from the start of the entry flow, and the paper from the stem; `bn1` is inside the
    // stem.
    compare("xception", Source::Timm, |stage| {
        let number: u32 = stage.strip_prefix("block")?.parse().ok()?;
        Some(format!("block{}", number + 1))
    });
}

#[test]
fn xception41_agrees_with_timm() {
    compare("xception41", Source::Timm, same_name);
}

#[test]
fn xception65_agrees_with_timm() {
    compare("xception65", Source::Timm, same_name);
}

#[test]
fn xception71_agrees_with_timm() {
    compare("xception71", Source::Timm, same_name);
}

#[test]
fn aligned_xceptions_with_pre_activation_agree_with_timm() {
    compare("xception41p", Source::Timm, same_name);
    compare("xception65p", Source::Timm, same_name);
}

#[test]
fn aligned_xceptions_agree_with_timm_at_other_output_strides() {
    let device = Device::flex();
    for (reference, name, stride) in [
        ("xception41_stride16", "xception41", OutputStride::Sixteen),
        ("xception41p_stride8", "xception41p", OutputStride::Eight),
        ("xception71_stride8", "xception71", OutputStride::Eight),
    ] {
        let reference = Reference::read(reference);
        let ModelConfig::AlignedXception(config) = ModelConfig::named(name).unwrap() else {
            panic!("{name}");
        };
        let config = config.with_classes(10).with_output_stride(stride);
        let config = ModelConfig::AlignedXception(config);
        let options = LoadOptions {
            config: Some(config.clone()),
            ..LoadOptions::default()
        };
        let loaded = reference.load_with(&reference.state(), &options, &device);
        assert_eq!(loaded.config, config);
        check(&reference, &loaded, same_name);
        if name == "xception71" {
            // Its shortcuts show the output stride.
            let loaded = reference.load(&reference.state(), &device);
            assert_eq!(loaded.config, config);
        }
    }
}

#[test]
fn inception_resnet_v2_agrees_with_timm() {
    compare("inception_resnet_v2", Source::Timm, same_name);
}

#[test]
fn inception_v2_agrees_with_pytorchcv() {
    // The reference has the outputs of whole stages.
    compare_with("bn_inception", "inception_v2", Source::Pytorchcv, |stage| {
        let last = match stage {
            "features.stage1" => "stage1.unit2",
            "features.stage2" => "stage2.unit5",
            "features.stage3" => "stage3.unit3",
            _ => stage.strip_prefix("features.")?,
        };
        Some(last.to_owned())
    });
}

#[test]
fn googlenet_agrees_with_torchvision() {
    for reference in ["googlenet", "googlenet_aux"] {
        compare_with(reference, "googlenet", Source::Torchvision, same_name);
    }
}

#[test]
fn inception_v3_agrees_with_torchvision() {
    compare("inception_v3", Source::Torchvision, same_name);
}

#[test]
fn inception_v3_without_auxiliary_classifier_has_the_same_logits() {
    let device = Device::flex();
    let reference = Reference::read("inception_v3");
    let mut state = reference.state();
    state.retain(|(name, _)| !name.starts_with("AuxLogits"));
    let loaded = reference.load(&state, &device);
    let ModelConfig::InceptionV3(config) = &loaded.config else {
        panic!("{:?}", loaded.config);
    };
    assert!(!config.auxiliary);
    let images = reference.images(&device).narrow(0, 0, 1);
    let logits = values(loaded.model.forward(images));
    let expected = numbers(&reference.0["logits"][0]);
    assert!(worst(&logits, &expected) < TOLERANCE);
}

#[test]
fn resnets_agree_with_torchvision() {
    for depth in [18, 34, 50, 101, 152] {
        compare(&format!("resnet{depth}"), Source::Torchvision, same_name);
    }
}

#[test]
fn resnext_agrees_with_torchvision() {
    compare("resnext50_32x4d", Source::Torchvision, same_name);
}

#[test]
fn mobilenet_v1_agrees_with_timm() {
    // timm's reference has the output of the first convolution's normalization, including its activation.
    compare("mobilenet_v1", Source::Timm, |stage| {
        (stage == "bn1").then(|| "conv1".to_owned())
    });
}

#[test]
fn vgg16_agrees_with_torchvision() {
    compare("vgg16", Source::Torchvision, |stage| {
        (stage == "features").then(|| "conv5".to_owned())
    });
}

#[test]
fn shufflenet_v1_agrees_with_pytorchcv() {
    compare_with(
        "shufflenet_g3",
        "shufflenet_v1",
        Source::Pytorchcv,
        |stage| Some(stage.strip_prefix("features.")?.to_owned()),
    );
}
