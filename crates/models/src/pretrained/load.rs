//! Loading of published weights by their name.

use std::path::Path;

use burn::prelude::*;

use super::{PretrainedError, PretrainedWeights, cache_dir, fetch, find};
use crate::weights::{self, LoadOptions, Loaded, Source, WeightsError};

/// Loads published weights, with their preprocessing and class names, and downloads them first unless they are in the
/// cache.
///
/// # Errors
///
/// If there are no weights of this name, they can't be downloaded, or they have no classifier. For those without a
/// classifier, download the file by [`fetch()`] and load it by [`PretrainedWeights::load`] with a new head.
pub fn load(name: &str, device: &Device) -> Result<Loaded, PretrainedError> {
    let entry = find(name)?;
    let path = fetch(entry, &cache_dir()?, None, &mut |_| ())?;
    Ok(entry.load(&path, &LoadOptions::default(), device)?)
}

impl PretrainedWeights {
    /// Loads the downloaded file, with the preprocessing of these weights.
    ///
    /// # Errors
    ///
    /// As [`weights::load`].
    pub fn load(
        &self,
        path: &Path,
        options: &LoadOptions,
        device: &Device,
    ) -> Result<Loaded, WeightsError> {
        let mut loaded = weights::load(path, options, device)?;
        // Files don't show which of the recipes of torchvision and timm they follow. Those of Keras need a preprocessing for
        // the order of colours that they are converted to, and Cadene's have their own.
        let has_recipes = matches!(self.source, Source::Torchvision | Source::Timm);
        if has_recipes && loaded.source == self.source {
            loaded.preprocessing = self.preset.preprocessing();
        }
        Ok(loaded)
    }
}
