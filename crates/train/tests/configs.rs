//! Every configuration that the project ships is read and fits together.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::fs;
use std::path::{Path, PathBuf};

use burn::prelude::{Device, Tensor};
use serde_json::{Value, json};
use xception_train::ablation::Plan;
use xception_train::config::{AblationConfig, Override, RunConfig};
use xception_train::models::Network;
use xception_train::network::ImageClassifier;
use xception_train::training::Run;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../configs")
        .join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    assert!(!files.is_empty());
    files
}

#[test]
fn every_model_configuration_fits() {
    for file in files("models") {
        let config = <RunConfig>::read(&file, &[]).unwrap();
        let data = Run::load_data(&config).unwrap();
        let device = Device::flex();
        let network = Run::init_network(&config, &data, 0, &device).unwrap();
        assert_eq!(network.classes(), data.classes.len(), "{}", file.display());
        let size = Run::outline(&config, &data, &device).unwrap();
        assert_eq!(size.parameters, network.parameters());
        assert!(
            size.multiply_adds
                .is_some_and(|count| count > size.parameters)
        );
    }
}

/// Reads a recipe, which is written out: no value of these is left to a default.
fn recipe(name: &str) -> Value {
    let files = files("recipes");
    let file = files.iter().find(|file| file.ends_with(name)).unwrap();
    let config = <RunConfig>::read(file, &[]).unwrap();
    serde_json::to_value(config).unwrap()
}

#[test]
fn the_papers_recipes_have_the_values_of_its_table() {
    let kernels = json!("kernels");
    let average = json!({"decay": 0.9999, "warm_up": true});

    let imagenet = recipe("imagenet.json");
    let value = |pointer: &str| imagenet.pointer(pointer).unwrap().clone();
    assert_eq!(value("/model/xception/dropout"), json!(0.5));
    assert_eq!(value("/recipe/learning_rate"), json!(0.045));
    let schedule = json!({"exponential": {"factor": 0.94, "every_epochs": 2.0}});
    assert_eq!(value("/recipe/schedule"), schedule);
    let sgd = json!({"sgd": {
        "momentum": 0.9, "nesterov": false, "weight_decay": 1e-5, "weight_decay_on": kernels
    }});
    assert_eq!(value("/recipe/optimizer"), sgd);
    assert_eq!(value("/recipe/average"), average);
    assert_eq!(value("/recipe/batch_size"), json!(60 * 32));
    assert_eq!(value("/recipe/accumulation"), json!(60));

    let jft = recipe("jft.json");
    let value = |pointer: &str| jft.pointer(pointer).unwrap().clone();
    assert_eq!(value("/model/xception/dropout"), json!(0.0));
    assert_eq!(
        value("/model/xception/fully_connected"),
        json!([4096, 4096])
    );
    assert_eq!(value("/recipe/learning_rate"), json!(0.001));
    let schedule = json!({"exponential_by_samples": {"factor": 0.9, "every_samples": 3_000_000}});
    assert_eq!(value("/recipe/schedule"), schedule);
    let rms_prop = json!({"rms_prop": {
        "decay": 0.9, "momentum": 0.9, "epsilon": 1e-10, "initial_mean_square": 1.0, "weight_decay": 1e-5,
        "weight_decay_on": kernels
    }});
    assert_eq!(value("/recipe/optimizer"), rms_prop);
    assert_eq!(value("/recipe/average"), average);
}

#[test]
fn every_recipe_fits() {
    for file in files("recipes") {
        let config = <RunConfig>::read(&file, &[]).unwrap();
        // Without the images and the weights, which are elsewhere: the network, on images of its size.
        let size = config.model.image_size();
        let network = config.model.init(&Device::flex()).unwrap();
        let images = Tensor::zeros([1, 3, size, size], &Device::flex());
        let logits = ImageClassifier::forward(&network, images);
        assert_eq!(logits.dims(), [1, network.classes()], "{}", file.display());
    }
}

#[test]
fn every_ablation_fits() {
    for file in files("ablations") {
        let config = <AblationConfig>::read(&file, &[]).unwrap();
        let plan = Plan::new(config, &Device::flex()).unwrap();
        assert!(plan.variants.len() > 1, "{}", file.display());
        assert!(plan.config.seeds.len() > 1, "{}", file.display());
    }
}

#[test]
fn every_study_fits_and_has_the_base_that_all_share() {
    // The images that are built in have the size and the classes of CIFAR-10.
    let overrides = [
        Override::new("data.source", "embedded"),
        Override::new("data.validation_images", 500),
    ];
    let mut studies = Vec::new();
    for file in files("studies") {
        let config = <AblationConfig>::read(&file, &overrides).unwrap();
        let plan = Plan::new(config, &Device::flex()).unwrap();
        let configs = plan.variants.iter().map(|planned| &planned.variant.config);
        let configs: Vec<_> = configs.map(|c| serde_json::to_value(c).unwrap()).collect();
        assert!(configs.len() > 1, "{}", file.display());
        studies.push((file, configs));
    }
    let families = studies
        .iter()
        .find(|(file, _)| file.ends_with("families.json"));
    let base = families.unwrap().1[0].clone();
    for (file, configs) in &studies {
        // Mosaics are fewer and larger images, which have a recipe of their own.
        let model_alone = configs[0].pointer("/data/mosaic").is_some();
        let has_base = |config: &Value| match model_alone {
            true => config["model"] == base["model"],
            false => *config == base,
        };
        assert!(configs.iter().any(has_base), "{}", file.display());
    }
}

#[test]
fn families_have_equal_parameter_counts() {
    let file = files("ablations")
        .into_iter()
        .find(|file| file.ends_with("families.json"));
    let config = <AblationConfig>::read(&file.unwrap(), &[]).unwrap();
    let plan = Plan::new(config, &Device::flex()).unwrap();
    let base = plan.variants[0].size.parameters as f64;
    for variant in &plan.variants {
        let ratio = variant.size.parameters as f64 / base;
        assert!(
            (ratio - 1.0).abs() <= 0.035,
            "{}: {ratio}",
            variant.variant.name
        );
    }
}
