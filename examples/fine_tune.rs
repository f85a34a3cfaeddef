//! Fine-tuning: a network trained on classes of CIFAR-10 learns two others, from pictures in folders.
//!
//! ```text
//! cargo run --release --example fine_tune
//! cargo run --release --example fine_tune -- xception.keras-notop photos
//! ```
//!
//! The weights are a file, the folder of a run or a published name; the pictures are in one subfolder per class.
//! Without arguments, a small network and some pictures are made first.

use std::path::Path;

use anyhow::Context;
use burn::prelude::*;
use xception::train::config::{FineTuning, Freeze, RunConfig};
use xception::train::data::{DataSource, Dataset};
use xception::train::record::RunRecord;
use xception::train::training::Run;

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (weights, photos) = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [weights, photos] => (weights.clone(), photos.clone()),
        _ => make(folder.path())?,
    };

    let mut config = RunConfig::fine_tune(FineTuning {
        freeze: Freeze::Backbone, // only the new head learns; Until("block4".into()) or None for more
        ..FineTuning::new(weights)
    })?;
    config.data.source = format!("folder:{photos}").parse()?;
    config.recipe.epochs = 5;
    let record = train(&config, &folder.path().join("tuned"))?;
    for epoch in &record.epochs {
        let [train, test] = [epoch.train, epoch.test].map(|scores| 100.0 * scores.top1);
        println!(
            "epoch {}: top-1 {train:.1} % in training, {test:.1} % in test",
            epoch.epoch
        );
    }
    Ok(())
}

fn train(config: &RunConfig, out: &Path) -> anyhow::Result<RunRecord> {
    // The configuration, with the padding, scaling and so on that the weights determine, and the images.
    let (config, data) = Run::prepare(config)?;
    let (seed, device) = (1, Device::flex());
    let run = Run::new(&config, &data, seed, &device, "flex");
    Ok(run.train(out, |_| ())?)
}

/// Makes a small network, trained on CIFAR-10 for an epoch, and pictures of CIFAR-10's cats and ships.
fn make(folder: &Path) -> anyhow::Result<(String, String)> {
    let text = r#"{
        "model": {"xception": {"width": 0.125, "middle_modules": 2, "stem": "small"}},
        "recipe": {"epochs": 1, "batch_size": 50}
    }"#;
    let run = folder.join("first");
    train(&RunConfig::parse(text, &[])?, &run)?;
    let photos = folder.join("photos");
    let data = DataSource::Embedded.load()?;
    for class in ["cat", "ship"] {
        save(&data, class, &photos.join(class))?;
    }
    let text = |path: &Path| path.display().to_string();
    Ok((text(&run), text(&photos)))
}

/// Writes the test images of a class to a folder.
fn save(data: &Dataset, class: &str, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let images = data
        .test
        .in_memory()
        .context("the images aren't in memory")?;
    for index in (0..images.len()).filter(|&i| data.classes[images.label(i) as usize] == class) {
        let planes = images.image(index);
        let pixel = |x: u32, y: u32| {
            let place = (y * 32 + x) as usize;
            image::Rgb([planes[place], planes[1024 + place], planes[2048 + place]])
        };
        let picture = image::RgbImage::from_fn(32, 32, pixel);
        picture.save(folder.join(format!("{index}.png")))?;
    }
    Ok(())
}
