//! Files that Keras, timm and torchvision really wrote give the outputs that those compute.
//!
//! `tests/scripts/make_weights_files.py` makes the files. Narrow networks are fixtures. Full-size ones are read
//! from the folder that the environment variable `XCEPTION_WEIGHTS_FILES` names, if ignored tests are run (`-- --ignored`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;
use support::fixtures;
use support::formula;
use support::reference::{numbers, values, worst};
use tempfile::TempDir;
use xception_models::weights::{Head, LoadOptions, load};
use xception_models::{ModelConfig, Network};

/// The largest difference allowed, relative to the largest logit.
const TOLERANCE: f64 = 1e-4;

/// A line of `files.json`.
#[derive(Deserialize)]
struct Entry {
    file: String,
    model: String,
    source: String,
    /// Logits of two images by the images' size.
    outputs: BTreeMap<usize, Value>,
    /// Number of classes of a new head, where the file's own isn't loaded.
    new_head: Option<usize>,
}

fn check(folder: &Path, entry: &Entry) {
    let scratch = tempfile::tempdir().unwrap();
    let path = unpacked(&folder.join(&entry.file), &scratch);
    let device = Device::flex();
    let options = LoadOptions {
        head: entry.new_head.map_or(Head::Keep, Head::New),
        ..LoadOptions::default()
    };
    let loaded = load(&path, &options, &device).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.config.name(), entry.model, "{}", entry.file);
    let source = serde_json::to_value(loaded.source).unwrap();
    assert_eq!(source, entry.source, "{}", entry.file);
    if let Some(classes) = entry.new_head {
        assert_eq!(loaded.model.classes(), classes);
    }
    for (&size, expected) in &entry.outputs {
        let shape = [2, 3, size, size];
        let images = TensorData::new(formula::images(shape), shape);
        let logits = values(loaded.model.forward(Tensor::from_data(images, &device)));
        let error = worst(&logits, &numbers(expected));
        println!("{} at {size}: {error:.1e}", entry.file);
        assert!(error < TOLERANCE, "{} at {size}: {error:.1e}", entry.file);
    }
}

/// The file, decompressed where its name ends with `.gz`.
fn unpacked(path: &Path, scratch: &TempDir) -> PathBuf {
    if path.extension().is_none_or(|extension| extension != "gz") {
        return path.to_owned();
    }
    let unpacked = scratch.path().join(path.file_stem().unwrap());
    let mut packed = GzDecoder::new(File::open(path).unwrap());
    io::copy(&mut packed, &mut File::create(&unpacked).unwrap()).unwrap();
    unpacked
}

fn check_all(folder: &Path) {
    let text = std::fs::read_to_string(folder.join("files.json")).unwrap();
    let entries: Vec<Entry> = serde_json::from_str(&text).unwrap();
    assert!(!entries.is_empty());
    for entry in &entries {
        check(folder, entry);
    }
}

#[test]
fn narrow_networks_agree() {
    check_all(&fixtures::folder());
}

#[test]
#[ignore = "reads the folder of full-size files that XCEPTION_WEIGHTS_FILES names"]
fn full_size_networks_agree() {
    let folder = std::env::var_os("XCEPTION_WEIGHTS_FILES")
        .expect("XCEPTION_WEIGHTS_FILES names the folder");
    check_all(Path::new(&folder));
}

#[test]
fn what_keras_does_otherwise_comes_with_the_weights() {
    let scratch = tempfile::tempdir().unwrap();
    let loaded = |name: &str| {
        let path = unpacked(&fixtures::folder().join(name), &scratch);
        load(&path, &LoadOptions::default(), &Device::flex()).unwrap()
    };
    let ModelConfig::Xception(xception) = loaded("xception.keras.gz").config else {
        panic!();
    };
    assert_eq!(xception.padding, xception_models::layers::Padding::Same);
    assert_eq!(xception.batch_norm_epsilon, 1e-3);
    assert_eq!((xception.middle_modules, xception.classes), (1, 10));
    let nested = loaded("xception_nested.h5.gz");
    assert_eq!(nested.preprocessing.size, [150, 150]);
    assert_eq!(nested.model.classes(), 5);
    let ModelConfig::Xception(two) = loaded("xception_two_dense.h5.gz").config else {
        panic!();
    };
    assert_eq!(two.fully_connected, [16]);
    let ModelConfig::InceptionV3(inception) = loaded("inception_v3.h5.gz").config else {
        panic!();
    };
    assert!(!inception.count_include_pad);
    let ModelConfig::InceptionResNetV2(residual) = loaded("inception_resnet_v2.h5.gz").config
    else {
        panic!();
    };
    assert!(!residual.count_include_pad);
    assert_eq!((residual.block17, residual.classes), (20, 10));
    let ModelConfig::ResNet(resnet) = loaded("resnet50.h5.gz").config else {
        panic!();
    };
    assert!(resnet.first_convolution_strided);
    let vgg = loaded("vgg16.h5.gz");
    assert_eq!(vgg.preprocessing.size, [64, 64]);
    let ModelConfig::Vgg(vgg) = vgg.config else {
        panic!();
    };
    assert_eq!((vgg.fully_connected, vgg.grid), (vec![24, 16], Some(2)));
    let ModelConfig::Vgg(averaged) = loaded("vgg16_nested.h5.gz").config else {
        panic!();
    };
    assert_eq!(
        (averaged.fully_connected, averaged.grid),
        (Vec::new(), Some(1))
    );
}

#[test]
fn a_head_that_a_file_does_not_describe_has_to_be_replaced() {
    let scratch = tempfile::tempdir().unwrap();
    let path = unpacked(
        &fixtures::folder().join("xception_two_dense.weights.h5.gz"),
        &scratch,
    );
    let error = load(&path, &LoadOptions::default(), &Device::flex()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("2 dense layers"), "{error}");
    let options = LoadOptions {
        head: Head::New(3),
        ..LoadOptions::default()
    };
    let loaded = load(&path, &options, &Device::flex()).unwrap();
    assert_eq!(loaded.model.classes(), 3);
}
