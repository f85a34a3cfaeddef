//! Runs on images that are stored, and decoded when a batch asks for them.

#![allow(clippy::unwrap_used)] // in helpers too, which clippy.toml does not cover

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use burn::prelude::Device;
use xception_train::TrainError;
use xception_train::config::RunConfig;
use xception_train::record::RunRecord;
use xception_train::training::{Run, RunFolder};

/// Burn's generator is one for the whole process: one run at a time draws from it.
static TRAINING: Mutex<()> = Mutex::new(());

/// Writes 70 images and a list that gives each a set of two of three classes: 40 to train on, 10 for validation, 20 for testing.
fn list(dir: &Path) -> String {
    let mut rows = "path,labels,split\n".to_owned();
    for number in 0..70u32 {
        let (class, split) = (
            number % 3,
            ["train", "validation", "test"][(number >= 40) as usize + (number >= 50) as usize],
        );
        let picture = image::RgbImage::from_fn(40, 36, |x, y| {
            let mut pixel = [(x * 5) as u8, (y * 6) as u8, (number * 3) as u8];
            pixel[class as usize] = 250;
            image::Rgb(pixel)
        });
        picture.save(dir.join(format!("{number}.png"))).unwrap();
        rows += &format!("{number}.png,{class}|{},{split}\n", (class + 1) % 3);
    }
    let file = dir.join("labels.csv");
    fs::write(&file, rows).unwrap();
    format!("list:{}", file.display())
}

/// Trains two epochs, and gives the record and the warnings.
fn train(source: &str, folder: &Path) -> (Result<RunRecord, TrainError>, Vec<String>) {
    let text = r#"{
        "model": {"xception": {"width": 0.03, "middle_modules": 0, "stem": "small"}},
        "data": {"source": "SOURCE", "image_size": 32, "augmentation": {"crop_padding": 2}},
        "recipe": {"epochs": 2, "batch_size": 20, "learning_rate": 0.05}
    }"#;
    let config = <RunConfig>::parse(&text.replace("SOURCE", source), &[]).unwrap();
    let (config, data) = Run::prepare(&config).unwrap();
    let _alone = TRAINING.lock().unwrap_or_else(PoisonError::into_inner);
    let warnings = Mutex::new(Vec::new());
    let device = Device::flex();
    let run = Run {
        warn: &|text| warnings.lock().unwrap().push(text.to_owned()),
        ..Run::new(&config, &data, 1, &device, "flex")
    };
    let record = run.train(folder, |_| ());
    (record, warnings.into_inner().unwrap())
}

#[test]
fn a_list_of_sets_is_learned_and_a_broken_image_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let source = list(dir.path());
    fs::write(dir.path().join("7.png"), "no image").unwrap();
    let run = dir.path().join("run");
    let (record, warnings) = train(&source, &run);
    let record = record.unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("7.png"), "{warnings:?}");
    for epoch in &record.epochs {
        let validation = epoch.validation.unwrap();
        let images = [epoch.train.images, validation.images, epoch.test.images];
        assert_eq!((epoch.steps, images), (2, [39, 10, 20]));
        assert!(epoch.test.map100.is_some() && validation.map100.is_some());
    }
    let data = RunFolder::manifest::<xception_train::models::ModelConfig>(&run)
        .unwrap()
        .data;
    assert_eq!((data.labels, data.mean_labels), (Some(2), Some(2.0)));
    assert_eq!(
        (data.train_images, data.validation_images, data.test_images),
        (40, Some(10), 20)
    );
    // Trained again, it is the same.
    let (again, _) = train(&source, &dir.path().join("again"));
    let losses = |record: &RunRecord| -> Vec<f64> {
        record.epochs.iter().map(|epoch| epoch.test.loss).collect()
    };
    assert_eq!(losses(&again.unwrap()), losses(&record));
}

#[test]
fn too_many_broken_images_end_the_run_with_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let source = list(dir.path());
    for number in [7, 8] {
        fs::write(dir.path().join(format!("{number}.png")), "no image").unwrap();
    }
    let (record, _) = train(&source, &dir.path().join("run"));
    let error = record.unwrap_err().to_string();
    assert!(error.contains("2 of 40 images are broken"), "{error}");
    assert!(error.contains(".png"), "{error}");
}
