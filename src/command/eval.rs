//! `xception eval`.

use std::io::Write;

use anyhow::{Context, Result};
use xception::models::weights::{LoadOptions, load};
use xception::train::TrainError;
use xception::train::training::{ClassificationTask, Run, RunFolder, evaluate};

use super::display::progress_bar;
use crate::arguments::EvalArguments;

/// Scores a trained network on test images.
pub fn run(arguments: &EvalArguments) -> Result<()> {
    let manifest = RunFolder::manifest(&arguments.run)
        .with_context(|| format!("{} has no run", arguments.run.display()))?;
    let mut config = manifest.config;
    if let Some(source) = &arguments.data {
        config.data.source = source.clone();
        config.data.test_images = None;
    }
    let device = arguments.device.backend.device()?;
    let data = Run::load_data(&config)?;
    let (model, images) = (config.model.classes(), data.classes.len());
    if model != images {
        return Err(TrainError::Classes {
            model,
            data: images,
        }
        .into());
    }
    let file = RunFolder::model_file(&arguments.run);
    let loaded = load(&file, &LoadOptions::default(), &device)
        .with_context(|| format!("can't load {} (has the run ended?)", file.display()))?;

    let task = ClassificationTask::new(loaded.model, &config.recipe);
    let total = data.test.len() as u64;
    let bar = progress_bar(total, "{bar:40} {pos}/{len} images, {eta} to go");
    let scores = evaluate(
        &task,
        &data.test,
        data.normalization,
        arguments.batch_size as usize,
        &device,
        &mut |done| bar.set_position(done as u64),
    )?;
    bar.finish_and_clear();

    let mut output = std::io::stdout();
    if arguments.json {
        writeln!(output, "{}", serde_json::to_string_pretty(&scores)?)?;
    } else {
        writeln!(
            output,
            "{}, {} test images: loss {:.4}, top-1 {:.2} %, top-5 {:.2} %",
            data.name,
            scores.images,
            scores.loss,
            100.0 * scores.top1,
            100.0 * scores.top5
        )?;
    }
    Ok(())
}
