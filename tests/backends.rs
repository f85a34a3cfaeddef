//! One weights file gives the same logits on every backend of the build.
//!
//! The environment variable `XCEPTION_REQUIRE_BACKENDS`, with names separated by commas, makes a
//! backend without a device a failure; without it such a backend is passed over.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::{DType, Distribution, Gradients};
use xception::Backend;
use xception::models::layers::Stem;
use xception::models::weights::{LoadOptions, load};
use xception::models::{Model, ModelConfig, Network};
use xception::train::config::RunConfig;
use xception::train::device_name;
use xception::train::record::RunRecord;
use xception::train::training::Run;

/// Largest difference, relative to the largest logit, of the network as it is trained and as it is fused.
const TOLERANCE: f32 = 1e-4;

fn required(name: &str) -> bool {
    let names = std::env::var("XCEPTION_REQUIRE_BACKENDS").unwrap_or_default();
    names.split(',').any(|required| required == name)
}

/// The first device of each backend that this build has and this machine runs.
fn devices() -> Vec<(&'static str, Device)> {
    let mut devices = Vec::new();
    for (name, _, backend) in Backend::all() {
        match backend.map(|backend| backend.device()) {
            Some(Ok(device)) => devices.push((name, device)),
            Some(Err(error)) => assert!(!required(name), "{error}"),
            None => assert!(!required(name), "this build has no backend {name}"),
        }
    }
    devices
}

fn logits(
    config: &ModelConfig,
    file: &Path,
    images: &TensorData,
    fused: bool,
    device: &Device,
) -> Vec<f32> {
    let model = config.init(device).unwrap().load_file(file);
    let images = Tensor::<4>::from_data(images.clone(), device);
    let logits = match fused {
        true => model.fuse().forward(images),
        false => model.forward(images),
    };
    logits.into_data().try_to_vec::<f32>().unwrap()
}

fn agree(name: &str, side: usize) {
    let flex = Device::flex();
    let config = ModelConfig::named(name).unwrap();
    let config = config
        .with_width(0.1)
        .with_classes(10)
        .with_stem(Stem::Small);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.bpk");
    config.init(&flex).unwrap().save_file(&file).unwrap();
    let images = Tensor::<4>::random([2, 3, side, side], Distribution::Default, &flex).into_data();

    let expected = logits(&config, &file, &images, false, &flex);
    let largest = expected.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
    assert!(largest > 0.0);
    for (backend, device) in devices() {
        for fused in [false, true] {
            let found = logits(&config, &file, &images, fused, &device);
            assert!(found.iter().all(|logit| logit.is_finite()), "{backend}");
            let errors = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
            let worst = errors.fold(0.0_f32, f32::max) / largest;
            let form = if fused { ", fused" } else { "" };
            println!(
                "{name}{form} on {backend} ({}): {worst:.1e}",
                device_name(&device)
            );
            assert!(worst <= TOLERANCE, "{name}{form} on {backend}: {worst}");
        }
    }
}

#[test]
fn xception_agrees_on_all_backends() {
    agree("xception", 16);
}

/// Graphics backends tune every new shape, which takes minutes on a processor: one network is enough.
#[cfg(not(feature = "wgpu"))]
#[test]
fn inception_v3_and_resnets_agree_on_all_backends() {
    agree("inception_v3", 16);
    agree("resnet18", 16);
    agree("resnet50", 16);
}

/// The gradients of a network's parameters, by their paths.
struct Collector<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    found: BTreeMap<String, Vec<f32>>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            let values = gradient.into_data().try_to_vec::<f32>().unwrap();
            self.found.insert(self.path.join("."), values);
        }
    }
}

/// Computes the gradients of a step in training on images of an element type, beside the mean of the logits' squares.
fn step(
    config: &ModelConfig,
    file: &Path,
    images: &TensorData,
    element: DType,
    device: &Device,
) -> (f32, BTreeMap<String, Vec<f32>>) {
    let device = device.clone().autodiff();
    let model = config.init(&device).unwrap().load_file(file);
    let images = Tensor::<4>::from_data(images.clone(), &device).cast(element);
    let loss = model.forward(images).powi_scalar(2).mean();
    let value = loss.clone().into_scalar::<f32>();
    let mut collector = Collector {
        gradients: &loss.backward(),
        path: Vec::new(),
        found: BTreeMap::new(),
    };
    model.visit(&mut collector);
    (value, collector.found)
}

/// A network with a file of its weights, and images, for a training step.
struct Case {
    config: ModelConfig,
    folder: tempfile::TempDir,
    images: TensorData,
}

impl Case {
    /// Makes a network so narrow that graphics backends tune few kernels: numbers of channels next to each other are one to them.
    fn new() -> Self {
        let flex = Device::flex();
        let config = ModelConfig::named("xception").unwrap();
        let config = config
            .with_width(0.02)
            .with_classes(10)
            .with_stem(Stem::Small);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.bpk");
        config.init(&flex).unwrap().save_file(&file).unwrap();
        let images = Tensor::<4>::random([8, 3, 16, 16], Distribution::Default, &flex);
        Self {
            config,
            folder,
            images: images.into_data(),
        }
    }

    /// Computes the loss of a step in an element type, and the gradients.
    fn step(&self, element: DType, device: &Device) -> (f32, BTreeMap<String, Vec<f32>>) {
        let file = self.folder.path().join("model.bpk");
        step(&self.config, &file, &self.images, element, device)
    }
}

#[test]
fn the_gradients_of_a_training_step_agree_on_all_backends() {
    /// Largest difference, relative to the largest value of a parameter's gradient.
    const TOLERANCE: f32 = 1e-3;

    let case = Case::new();
    let (expected_loss, expected) = case.step(DType::F32, &Device::flex());
    assert!(expected.len() > 100);
    let largest_of = |values: &[f32]| values.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
    let largest_of_all = expected.values().map(|values| largest_of(values));
    let largest_of_all = largest_of_all.fold(0.0_f32, f32::max);
    for (backend, device) in devices() {
        let (loss, found) = case.step(DType::F32, &device);
        assert!((loss - expected_loss).abs() <= TOLERANCE * expected_loss);
        let mut worst = (0.0, "");
        for (name, expected) in &expected {
            // Where batch normalization follows another, the gradient is zero, but for rounding.
            let largest = largest_of(expected).max(1e-4 * largest_of_all);
            let errors = found[name].iter().zip(expected).map(|(a, b)| (a - b).abs());
            let off = errors.fold(0.0_f32, f32::max) / largest;
            if off > worst.0 {
                worst = (off, name);
            }
        }
        let name = device_name(&device);
        println!(
            "a step on {backend} ({name}): {:.1e} at {}",
            worst.0, worst.1
        );
        assert!(worst.0 <= TOLERANCE, "{backend}: {worst:?}");
    }
}

/// Returns the norm of the difference of all gradients, relative to that of those expected.
fn distance(found: &BTreeMap<String, Vec<f32>>, expected: &BTreeMap<String, Vec<f32>>) -> f64 {
    let squares =
        |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let values = |gradients: &BTreeMap<String, Vec<f32>>| -> Vec<f64> {
        gradients
            .values()
            .flatten()
            .copied()
            .map(f64::from)
            .collect()
    };
    let (found, expected) = (values(found), values(expected));
    assert_eq!(found.len(), expected.len());
    let difference = squares(&mut found.iter().zip(&expected).map(|(a, b)| a - b));
    (difference / squares(&mut expected.iter().copied())).sqrt()
}

/// The network amplifies rounding, so that two ways to round in half precision are as far from each other as from single precision.
/// Where a device has no matrix units, Burn's products sum in `f16` too: on Mesa's driver for the processor 2.5 times the distance
/// was seen.
#[test]
fn a_step_in_mixed_precision_is_as_near_to_single_precision_on_all_backends_that_have_it() {
    let case = Case::new();
    let flex = Device::flex();
    let (_, single) = case.step(DType::F32, &flex);
    let (_, half) = case.step(DType::F16, &flex);
    let allowed = distance(&half, &single);
    assert!(allowed > 0.0);
    for (backend, device) in devices() {
        if !device.supports_dtype(DType::F16) {
            println!("{backend} doesn't compute with f16");
            continue;
        }
        let (_, found) = case.step(DType::F16, &device);
        let found = distance(&found, &single);
        println!("a step in f16 on {backend}: {found:.1e}, on flex {allowed:.1e}");
        assert!(found <= 8.0 * allowed, "{backend}: {found}, {allowed}");
    }
}

/// The values of a network's parameters, and its running statistics.
struct Values(Vec<f32>);

impl Values {
    fn of(model: &Model) -> Self {
        let mut values = Self(Vec::new());
        model.visit(&mut values);
        values
    }

    /// Returns the norm of the difference.
    fn distance(&self, other: &Self) -> f64 {
        assert_eq!(self.0.len(), other.0.len());
        let squares = self
            .0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| f64::from(a - b).powi(2));
        squares.sum::<f64>().sqrt()
    }
}

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().into_data().try_to_vec::<f32>().unwrap();
        self.0.extend(values);
    }
}

/// Trains a small network on a device for two epochs, and returns the record and the network's values.
fn train(name: &str, device: &Device, learning_rate: f64) -> (RunRecord, Values) {
    let config = format!(
        r#"{{
            "model": {{"xception": {{"width": 0.02, "stem": "small"}}}},
            "data": {{"train_images": 32, "test_images": 16}},
            "recipe": {{"epochs": 2, "batch_size": 8, "learning_rate": {learning_rate}}}
        }}"#
    );
    let config = <RunConfig>::parse(&config, &[]).unwrap();
    let (config, data) = Run::prepare(&config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = Run::new(&config, &data, 1, device, name);
    let record = run.train(folder.path(), |_| {}).unwrap();
    let file = folder.path().join("model.bpk");
    let loaded = load(file.as_path(), &LoadOptions::default(), &Device::flex()).unwrap();
    (record, Values::of(&loaded.model))
}

#[test]
fn two_epochs_of_training_agree_on_all_backends() {
    /// Largest distance of the trained network, relative to the way that training took it. Where rounding turns one ReLU or one
    /// maximum of so small a network over, a step's gradient changes by 0.02, and the steps after it go on from there: with Burn's
    /// operations in place of the kernels, training on the processor ended at 0.16.
    const NETWORK: f64 = 0.3;
    /// Largest difference of a loss, relative to the loss.
    const LOSS: f64 = 1e-2;
    const RATE: f64 = 0.004;

    let flex = Device::flex();
    let (expected, trained) = train("flex", &flex, RATE);
    let (_, hardly_moved) = train("flex", &flex, 1e-9 * RATE);
    let way = trained.distance(&hardly_moved);
    assert!(way > 0.0);
    for (backend, device) in devices() {
        let (found, network) = train(backend, &device, RATE);
        let off = network.distance(&trained) / way;
        let mut worst = 0.0_f64;
        for (found, expected) in found.epochs.iter().zip(&expected.epochs) {
            for (found, expected) in [
                (&found.train, &expected.train),
                (&found.test, &expected.test),
            ] {
                worst = worst.max((found.loss / expected.loss - 1.0).abs());
            }
        }
        println!(
            "two epochs on {backend} ({}): the network is off by {off:.1e}, a loss by {worst:.1e}",
            device_name(&device)
        );
        assert_eq!(found.epochs.len(), expected.epochs.len());
        let agrees = off <= NETWORK && worst <= LOSS;
        assert!(agrees, "{backend}: {off}, {worst}");
    }
}
