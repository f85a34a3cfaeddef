//! The command `xception eval`.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::prelude::Device;
use serde_json::Value;
use xception::models::Network;
use xception::models::weights::{Head, LoadOptions, Loaded, load};
use xception::train::config::{ConfigError, Recipe, RunConfig};
use xception::train::data::{
    Batch, BatchPlan, Batches, ClassFolders, DataSource, Targets, training_files,
};
use xception::train::numbers::counted;
use xception::train::record::{Confusion, Mistake, RunState, Scores};
use xception::train::training::{ClassificationTask, Evaluation, ImageBatch, Run, RunFolder, warn};
use xception_files::name_text;

use super::display::progress_bar;
use super::output;
use super::skipped::tell_skipped_files;
use crate::arguments::{EvalArguments, WeightsArgument};
use crate::batches::{Failures, for_each_batch};
use crate::images::ImageSource;
use crate::network::{labels, load_network};
use crate::terminal::{escaped, escaped_path};
use crate::tuning::TuningNote;

const BAR: &str = "{bar:40} {pos}/{len} images, {eta} to go";
/// Number of mistakes that are printed.
const MISTAKES: usize = 5;

/// Scores a network on images whose classes are known.
pub fn run(arguments: &EvalArguments) -> Result<()> {
    let device = arguments.device.backend.device()?;
    if let Some(out) = arguments.out.as_ref().filter(|out| out.is_file()) {
        anyhow::bail!(
            "--out {} is a file: give a folder, which is made if it isn't there",
            out.display()
        );
    }
    match &arguments.weights {
        Some(weights) => folder_of_classes(weights, arguments, &device),
        None => test_images(arguments, &device),
    }
}

/// Scores a run's network on its test images.
fn test_images(arguments: &EvalArguments, device: &Device) -> Result<()> {
    let manifest = RunFolder::manifest(&arguments.folder).with_context(|| {
        let folder = arguments.folder.display();
        format!("{folder} has no run (to score weights on a folder of images, give --weights)")
    })?;
    let mut config: RunConfig = manifest.config;
    if let Some(source) = &arguments.data {
        config.data.source = source.clone();
        config.data.test_images = None;
    }
    if config.data.mosaic.is_some() && arguments.out.is_some() {
        anyhow::bail!(
            "--out writes which classes were taken for which, but each image of this run has a set of classes: leave it out"
        );
    }
    let data = Run::load_data(&config)?;
    tell_skipped_files(&data.skipped);
    let (model, images) = (config.model.classes(), data.classes.len());
    if model != images {
        return Err(ConfigError::Classes {
            model,
            data: images,
        }
        .into());
    }
    let file = RunFolder::trained_network(&arguments.folder)?;
    warn_of_divergence(&arguments.folder);
    let loaded = load(&file, &LoadOptions::default(), device)
        .with_context(|| format!("can't load {}", file.display()))?;

    let task = ClassificationTask::new(loaded.model, &config.recipe);
    let samples = data.test.clone();
    let mut evaluation =
        Evaluation::new(&task, data.classes.clone()).with_label_shares(data.label_shares());
    let bar = progress_bar(samples.len() as u64, BAR);
    let plan = BatchPlan::test(arguments.batch_size as usize, data.normalization);
    let mut failures = Failures::default();
    let mut batches = Batches::new(samples.clone(), plan)?;
    loop {
        let batch = batches.next();
        for image in batches.take_broken() {
            bar.suspend(|| failures.skip(&image.to_string()));
        }
        let Some(batch) = batch else { break };
        let batch = batch?;
        let images = batch.len() as u64;
        // The images have no names to report; the end states their number.
        failures.not_finite += evaluation
            .add(ImageBatch::new(batch, samples.size(), device))?
            .len();
        bar.inc(images);
    }
    bar.finish_and_clear();
    let (scores, confusion) = evaluation.finish()?;
    show(&data.name, &scores, confusion.as_ref(), arguments)?;
    failures.check(samples.len())
}

/// Scores any weights on a folder with a subfolder for each class.
fn folder_of_classes(weights: &str, arguments: &EvalArguments, device: &Device) -> Result<()> {
    let found = ClassFolders::find(&arguments.folder)?;
    if let Some(run) = run_of(weights) {
        warn_of_divergence(&run);
        warn_of_training_images(&run, &found);
    }
    let weights = WeightsArgument {
        weights: weights.to_owned(),
        model: arguments.model.clone(),
        allow_unused: arguments.allow_unused,
        prefix: None,
    };
    let loaded = load_network(&weights, &arguments.input, Head::Keep, device)?;
    let names = labels(arguments.labels.as_deref(), &loaded)?;
    let classes = found.class_indices(names.as_ref(), loaded.model.classes())?;

    let images = found.images.iter().map(|file| file.path.clone());
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
    let mut failures = Failures::default();
    let mut tuning = TuningNote::start(device, &bar);
    for skipped in &found.skipped {
        failures.skip(&skipped.to_string());
    }
    for_each_batch(
        &images,
        &preprocessing,
        batch_size,
        &mut failures,
        |batch, failures| {
            let labels = batch.indices.iter().map(|&index| {
                let folder = found.images[index as usize].class;
                classes[folder as usize] as u32
            });
            let paths = batch.paths;
            let batch = Batch {
                targets: Targets::Classes(labels.collect()),
                mixture: None,
                pixels: batch.inputs,
                indices: batch.indices,
                number: 0,
            };
            bar.inc(batch.len() as u64);
            let rows = evaluation.add(ImageBatch::new(batch, preprocessing.size, device))?;
            tuning.finish();
            for row in rows {
                bar.suspend(|| failures.no_numbers(&paths[row]));
            }
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    if failures.unreadable == images.len() + found.skipped.len() {
        return failures.check(images.len() + found.skipped.len());
    }
    let (scores, confusion) = evaluation.finish()?;
    let folder = name_text(arguments.folder.as_os_str());
    show(&folder, &scores, confusion.as_ref(), arguments)?;
    failures.check(images.len() + found.skipped.len())
}

/// Returns the folder of the run to which the weights belong.
fn run_of(weights: &str) -> Option<PathBuf> {
    let path = Path::new(weights);
    let folder = match path.is_dir() {
        true => path,
        false => path.parent()?,
    };
    let is_its_network = path == folder || path == RunFolder::model_file(folder);
    (is_its_network && RunFolder::manifest::<Value>(folder).is_ok()).then(|| folder.to_owned())
}

/// Warns if the weights are those left when their run diverged.
fn warn_of_divergence(run: &Path) {
    if let Ok(Some(record)) = RunFolder::read_record(run)
        && record.state == RunState::Diverged
    {
        warn(&format!(
            "the run in {} diverged in epoch {} ({} became infinite or not a number): the scores say nothing about \
             the network",
            run.display(),
            record.epochs.len(),
            record.diverging()
        ));
    }
}

/// Warns if a run's network is to be scored on images on which it was trained.
fn warn_of_training_images(run: &Path, scored: &ClassFolders) {
    let Ok(manifest) = RunFolder::manifest::<Value>(run) else {
        return;
    };
    let DataSource::Folder(dir) = &manifest.config.data.source else {
        return;
    };
    // If the folder no longer exists, there is nothing to compare.
    let Ok(train) = training_files(dir) else {
        return;
    };
    let train: HashSet<PathBuf> = train.iter().flat_map(fs::canonicalize).collect();
    let scored = scored
        .images
        .iter()
        .flat_map(|file| fs::canonicalize(&file.path));
    let seen = scored.filter(|path| train.contains(path)).count();
    if seen > 0 {
        warn(&format!(
            "{} of these are among the training images of {} (folder:{}): the scores are better than they will be on \
             images that the network hasn't seen; `xception eval {}` scores the run's test images alone",
            counted(seen, "image"),
            run.display(),
            dir.display(),
            run.display(),
        ));
    }
}

fn show(
    images: &str,
    scores: &Scores,
    confusion: Option<&Confusion>,
    arguments: &EvalArguments,
) -> Result<()> {
    let written = arguments.out.as_ref().zip(confusion);
    let written = written
        .map(|(out, confusion)| confusion.write(scores, out))
        .transpose()?;
    let mut output = output::notes();
    if arguments.json {
        writeln!(output, "{}", serde_json::to_string_pretty(scores)?)?;
        return Ok(());
    }
    writeln!(
        output,
        "{}, {} test images: {scores}",
        escaped(images),
        scores.images
    )?;
    if !scores.loss.is_finite() {
        writeln!(
            output,
            "  the network's output is not finite: its training diverged, or its weights are damaged"
        )?;
    }
    let mistakes = confusion.map(Confusion::mistakes).unwrap_or_default();
    for mistake in mistakes.iter().take(MISTAKES) {
        let Mistake { images, of, .. } = mistake;
        let class = escaped(mistake.class);
        match mistake.guess.map(escaped) {
            Some(guess) => writeln!(output, "  {images} of {of} {class} taken for {guess}")?,
            None => writeln!(
                output,
                "  {images} of {of} {class} without a prediction: a tie, or an output that is not a number"
            )?,
        }
    }
    for path in written.iter().flatten() {
        writeln!(output, "{}", escaped_path(path))?;
    }
    Ok(())
}
