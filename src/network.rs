//! The network that a command line names.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::prelude::*;
use xception::models::preprocessing::Labels;
use xception::models::pretrained::{self, PretrainedWeights, cache_dir};
use xception::models::weights::{Head, LoadOptions, Loaded, Source, load};
use xception::models::{MODELS, ModelConfig, Network};
use xception::train::config::{Override, RunConfig};
use xception::train::training::RunFolder;

use crate::arguments::{InputArguments, WeightsArgument};
use crate::command::progress_bar;

/// The model of a JSON file, or the one of a name, with the overrides.
pub fn model_config(model: &str, overrides: &[Override]) -> Result<ModelConfig> {
    let path = Path::new(model);
    let run = if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        RunConfig::read(path, overrides)?
    } else {
        ModelConfig::named(model)?;
        let text = serde_json::json!({ "model": model }).to_string();
        RunConfig::parse(&text, overrides)?
    };
    Ok(run.model)
}

/// Height and width, in pixels, that a network of this family was published for.
pub fn published_size(config: &ModelConfig) -> usize {
    let name = config.name();
    let info = MODELS.iter().find(|info| info.name == name);
    info.map_or(299, |info| info.image_size)
}

/// Loads the weights of the command line, with the preprocessing that it changes.
pub fn load_network(
    weights: &WeightsArgument,
    input: &InputArguments,
    device: &Device,
) -> Result<Loaded> {
    let mut loaded = load_weights(weights, Head::Keep, device)?;
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

/// Loads the weights of a file, of a run's folder, or of a published name, which is fetched where it
/// isn't in the cache yet.
pub fn load_weights(weights: &WeightsArgument, head: Head, device: &Device) -> Result<Loaded> {
    let (path, entry) = locate(&weights.weights)?;
    let options = LoadOptions {
        head,
        allow_unused: weights.allow_unused,
        ..LoadOptions::default()
    };
    let mut loaded = load(&path, &options, device)?;
    if let Some(entry) = entry.filter(|entry| entry.source == Source::Torchvision) {
        // The file doesn't tell torchvision's two recipes apart.
        loaded.preprocessing = entry.preset.preprocessing();
    }
    if let Some(model) = &weights.model {
        ModelConfig::named(model)?;
        let found = loaded.config.name();
        anyhow::ensure!(
            *model == found,
            "{} holds {found}, not --model {model}",
            path.display()
        );
    }
    Ok(loaded)
}

/// The file that an argument names, and the registry's entry where it is a published name.
pub fn locate(weights: &str) -> Result<(PathBuf, Option<&'static PretrainedWeights>)> {
    let path = Path::new(weights);
    if path.is_dir() {
        return Ok((RunFolder::model_file(path), None));
    }
    let looks_like_a_path = path.components().count() > 1 || path.exists();
    if looks_like_a_path {
        return Ok((path.to_owned(), None));
    }
    let entry = pretrained::find(weights)
        .with_context(|| format!("`{weights}` is neither a file, a run's folder nor a name"))?;
    let bar = progress_bar(
        entry.file.bytes.unwrap_or_default(),
        "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} to go",
    );
    let path = pretrained::fetch(entry, &cache_dir()?, None, &mut |progress| {
        bar.set_length(progress.total.unwrap_or_default());
        bar.set_position(progress.received);
    })?;
    bar.finish_and_clear();
    Ok((path, Some(entry)))
}

/// Names of the classes: those of a file where one is given, else those that came with the weights.
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

/// A batch of inputs as a tensor, `[images, 3, height, width]`.
pub fn to_tensor(inputs: Vec<f32>, size: [usize; 2], device: &Device) -> Tensor<4> {
    let [height, width] = size;
    let images = inputs.len() / (3 * height * width);
    Tensor::from_data(TensorData::new(inputs, [images, 3, height, width]), device)
}
