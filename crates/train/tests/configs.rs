//! Every configuration that the project ships is read and fits together.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::fs;
use std::path::{Path, PathBuf};

use burn::prelude::Device;
use serde_json::Value;
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
    let files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
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
