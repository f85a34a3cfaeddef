//! `xception eval`.

use std::io::Write;

use anyhow::{Context, Result};
use burn::prelude::Device;
use xception::models::Network;
use xception::models::weights::{LoadOptions, Loaded, load};
use xception::train::TrainError;
use xception::train::config::Recipe;
use xception::train::data::{Batch, BatchPlan, Batches, ClassFolders};
use xception::train::record::Scores;
use xception::train::report::Confusion;
use xception::train::training::{ClassificationTask, Evaluation, ImageBatch, Run, RunFolder};

use super::display::progress_bar;
use super::output;
use crate::arguments::{EvalArguments, WeightsArgument};
use crate::images::{ImageSource, check_all_read, for_each_batch};
use crate::network::{labels, load_network};

const BAR: &str = "{bar:40} {pos}/{len} images, {eta} to go";
/// Mistakes that are printed.
const MISTAKES: usize = 5;

/// Scores a network on images whose classes are known.
pub fn run(arguments: &EvalArguments) -> Result<()> {
    let device = arguments.device.backend.device()?;
    match &arguments.weights {
        Some(weights) => folder_of_classes(weights, arguments, &device),
        None => test_images(arguments, &device),
    }
}

/// A run's network on its test images.
fn test_images(arguments: &EvalArguments, device: &Device) -> Result<()> {
    let manifest = RunFolder::manifest(&arguments.folder).with_context(|| {
        let folder = arguments.folder.display();
        format!("{folder} has no run (to score weights on a folder of images, give --weights)")
    })?;
    let mut config = manifest.config;
    if let Some(source) = &arguments.data {
        config.data.source = source.clone();
        config.data.test_images = None;
    }
    let data = Run::load_data(&config)?;
    let (model, images) = (config.model.classes(), data.classes.len());
    if model != images {
        return Err(TrainError::Classes {
            model,
            data: images,
        }
        .into());
    }
    let file = RunFolder::model_file(&arguments.folder);
    let loaded = load(&file, &LoadOptions::default(), device)
        .with_context(|| format!("can't load {} (has the run ended?)", file.display()))?;

    let task = ClassificationTask::new(loaded.model, &config.recipe);
    let mut evaluation = Evaluation::new(&task, data.classes.clone());
    let bar = progress_bar(data.test.len() as u64, BAR);
    let plan = BatchPlan::test(arguments.batch_size as usize, data.normalization);
    for batch in Batches::new(data.test.clone(), plan)? {
        let images = batch.len() as u64;
        evaluation.add(ImageBatch::new(batch, data.test.size(), device))?;
        bar.inc(images);
    }
    bar.finish_and_clear();
    let (scores, confusion) = evaluation.finish()?;
    show(&data.name, &scores, &confusion, arguments)
}

/// Any weights on a folder with a subfolder for each class.
fn folder_of_classes(weights: &str, arguments: &EvalArguments, device: &Device) -> Result<()> {
    let found = ClassFolders::find(&arguments.folder)?;
    let weights = WeightsArgument {
        weights: weights.to_owned(),
        model: arguments.model.clone(),
        allow_unused: arguments.allow_unused,
    };
    let loaded = load_network(&weights, &arguments.input, device)?;
    let names = labels(arguments.labels.as_deref(), &loaded)?;
    let classes = found.class_indices(names.as_ref(), loaded.model.classes())?;

    let images = found.images.iter().map(|(path, _)| path.clone());
    let images: Vec<_> = images.map(ImageSource::File).collect();
    let Loaded {
        model,
        preprocessing,
        ..
    } = loaded;
    let name = |class: usize| {
        let name = names.as_ref().and_then(|names| names.name(class));
        let folder = || classes.iter().position(|&index| index == class);
        name.map(str::to_owned)
            .or_else(|| folder().map(|folder| found.classes[folder].clone()))
            .unwrap_or_else(|| class.to_string())
    };
    let names = (0..model.classes()).map(name).collect();
    let task = ClassificationTask::new(model, &Recipe::default());
    let mut evaluation = Evaluation::new(&task, names);
    let bar = progress_bar(images.len() as u64, BAR);
    let batch_size = arguments.batch_size as usize;
    let unreadable = for_each_batch(&images, &preprocessing, batch_size, |batch| {
        let labels = batch.indices.iter().map(|&index| {
            let (_, folder) = &found.images[index as usize];
            classes[*folder as usize] as u32
        });
        let batch = Batch {
            labels: labels.collect(),
            pixels: batch.inputs,
            indices: batch.indices,
        };
        bar.inc(batch.len() as u64);
        Ok(evaluation.add(ImageBatch::new(batch, preprocessing.size, device))?)
    })?;
    bar.finish_and_clear();
    let (scores, confusion) = evaluation.finish()?;
    let folder = arguments.folder.display().to_string();
    show(&folder, &scores, &confusion, arguments)?;
    check_all_read(unreadable, images.len())
}

fn show(
    images: &str,
    scores: &Scores,
    confusion: &Confusion,
    arguments: &EvalArguments,
) -> Result<()> {
    let written = arguments.out.as_ref();
    let written = written
        .map(|out| confusion.write(scores, out))
        .transpose()?;
    let mut output = output::notes();
    if arguments.json {
        writeln!(output, "{}", serde_json::to_string_pretty(scores)?)?;
        return Ok(());
    }
    writeln!(
        output,
        "{images}, {} test images: loss {:.4}, top-1 {:.2} %, top-5 {:.2} %",
        scores.images,
        scores.loss,
        100.0 * scores.top1,
        100.0 * scores.top5
    )?;
    for mistake in confusion.mistakes().iter().take(MISTAKES) {
        writeln!(
            output,
            "  {} of {} {} taken for {}",
            mistake.images, mistake.of, mistake.class, mistake.guess
        )?;
    }
    for path in written.iter().flatten() {
        writeln!(output, "{}", path.display())?;
    }
    Ok(())
}
