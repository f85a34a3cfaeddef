//! The networks and weights that a command line names.

use std::path::Path;

use anyhow::{Context, Result};
use burn::prelude::*;
use xception::models::preprocessing::Labels;
use xception::models::pretrained::PretrainedError;
use xception::models::weights::{Head, LoadOptions, Loaded, WeightsError};
use xception::models::{ModelConfig, Network};
use xception::train::TrainError;
use xception::train::config::{Override, RunConfig};
use xception::train::training::WeightsFile;

use crate::arguments::{InputArguments, WeightsArgument};
use crate::command::progress_bar;

/// Returns the model of a JSON file, or the one of a name, with the overrides, and the height and width of its images: the
/// one given, or the model's own. If a complexity chooses the width, a note says which.
pub fn model_config(
    model: &str,
    overrides: &[Override],
    size: Option<usize>,
) -> Result<(ModelConfig, usize)> {
    let path = Path::new(model);
    let run: RunConfig = if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        RunConfig::read(path, overrides)?
    } else {
        ModelConfig::named(model)?;
        let text = serde_json::json!({ "model": model }).to_string();
        RunConfig::parse(&text, overrides)?
    };
    let size = size.unwrap_or_else(|| run.model.image_size());
    let Some(complexity) = run.complexity else {
        return Ok((run.model, size));
    };
    let fitted = run.model.fit(complexity, [size, size])?;
    let options = serde_json::to_string(&fitted)?;
    eprintln!("at {complexity}: {options}");
    Ok((fitted, size))
}

/// Loads the weights of the command line, with the preprocessing as the arguments change it.
pub fn load_network(
    weights: &WeightsArgument,
    input: &InputArguments,
    head: Head,
    device: &Device,
) -> Result<Loaded> {
    let mut loaded = load_weights(weights, head, device)?;
    let preprocessing = &mut loaded.preprocessing;
    if let Some(size) = input.size {
        preprocessing.size = [size as usize; 2];
    }
    if let Some(filter) = input.resize {
        preprocessing.resize.filter = filter.into();
    }
    if let Some(crop) = input.crop {
        preprocessing.crop_fraction = crop;
    }
    preprocessing.check()?;
    loaded.model.check_size(loaded.preprocessing.size)?;
    Ok(loaded)
}

/// Loads the weights of a file, of a run's folder, or of a published name, which is downloaded unless it is in the
/// cache.
pub fn load_weights(weights: &WeightsArgument, head: Head, device: &Device) -> Result<Loaded> {
    let file = find_weights(&weights.weights)?;
    let options = LoadOptions {
        head,
        allow_unused: weights.allow_unused,
        prefix: weights.prefix.clone(),
        ..LoadOptions::default()
    };
    let loaded = file
        .load(&options, device)
        .map_err(|error| with_remedy(error, weights))?;
    if let Some(model) = &weights.model {
        ModelConfig::named(model)?;
        let found = loaded.config.name();
        anyhow::ensure!(
            *model == found,
            "{} holds {found}, not --model {model}",
            file.path.display()
        );
    }
    Ok(loaded)
}

/// Adds the remedy for weights that don't load, in terms of this program's options.
fn with_remedy(error: TrainError, weights: &WeightsArgument) -> anyhow::Error {
    let cause = match &error {
        TrainError::Weights(cause) | TrainError::Pretrained(PretrainedError::Load(cause)) => cause,
        _ => return error.into(),
    };
    let (file, train) = (&weights.weights, "xception train --weights");
    let remedy = match cause {
        WeightsError::NoClassifier { .. } | WeightsError::UnknownHead { .. } => format!(
            "{file} has no classifier to use: train one with `{train} {file} --data folder:DIR`, or take what \
             `xception features` gives"
        ),
        WeightsError::SeveralNetworks { .. } => {
            format!("{file} holds several networks: --prefix PREFIX takes one")
        }
        WeightsError::Mismatch { mismatch, .. } if mismatch.only_unused() => {
            format!("{file} has more than the network: --allow-unused leaves it out")
        }
        _ => return error.into(),
    };
    anyhow::Error::new(error).context(remedy)
}

/// Finds the file that an argument names, and downloads it if it is a published name.
pub fn find_weights(weights: &str) -> Result<WeightsFile> {
    let bar = progress_bar(
        0,
        "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} to go",
    );
    let found = WeightsFile::find(weights, &mut |progress| {
        bar.set_length(progress.total.unwrap_or_default());
        bar.set_position(progress.received);
    });
    bar.finish_and_clear();
    found.map_err(|error| match error {
        TrainError::Pretrained(PretrainedError::UnknownWeights { .. }) => {
            let context = format!("`{weights}` is neither a file nor a folder");
            anyhow::Error::new(error).context(context)
        }
        other => other.into(),
    })
}

/// Returns the names of the classes: those of a file if one is given, else those that came with the weights.
pub fn labels(file: Option<&Path>, loaded: &Loaded) -> Result<Option<Labels>> {
    let Some(file) = file else {
        return Ok(loaded.labels.clone());
    };
    let labels = Labels::read(file)?;
    labels
        .check(loaded.model.classes())
        .with_context(|| format!("{} doesn't fit", file.display()))?;
    Ok(Some(labels))
}

/// Makes a tensor of a batch of inputs, `[images, 3, height, width]`.
pub fn to_tensor(inputs: Vec<f32>, size: [usize; 2], device: &Device) -> Tensor<4> {
    let [height, width] = size;
    let images = inputs.len() / (3 * height * width);
    Tensor::from_data(TensorData::new(inputs, [images, 3, height, width]), device)
}
