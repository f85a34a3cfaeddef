//! From a name to a network.

use std::path::Path;

use burn::prelude::*;

use super::{PretrainedError, PretrainedWeights, cache_dir, fetch, find};
use crate::weights::{self, LoadOptions, Loaded, WeightsError};

/// Fetches weights, where they are not in the cache yet, and loads them with all that comes with them.
///
/// # Errors
///
/// Where there are no weights of this name, they can't be fetched, or have no classifier: see
/// [`weights::load`] with a new head for those.
pub fn load(name: &str, device: &Device) -> Result<Loaded, PretrainedError> {
    let entry = find(name)?;
    let path = fetch(entry, &cache_dir()?, None, &mut |_| ())?;
    Ok(entry.load(&path, &LoadOptions::default(), device)?)
}

impl PretrainedWeights {
    /// Loads the fetched file.
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
        if self.source == weights::Source::Torchvision {
            // The file doesn't tell torchvision's two recipes apart.
            loaded.preprocessing = self.preset.preprocessing();
        }
        Ok(loaded)
    }
}
