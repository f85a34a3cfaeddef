//! A Keras model's file.

use std::path::Path;

use hdf5_reader::Hdf5File;

use super::archive::Archive;
use super::keras_config::KerasConfig;
use super::keras_layer::{KerasLayer, find_head};
use super::{FormatError, WeightsFile, hdf5, keras_legacy, keras_saved};

/// The layers of a Keras model's file, and its configuration.
#[derive(Debug)]
pub struct KerasFile {
    /// The layers with weights.
    pub layers: Vec<KerasLayer>,
    /// The model's configuration; an empty one if the file has none.
    pub config: KerasConfig,
}

impl KerasFile {
    /// Reads an HDF5 file, in the legacy layout or as `.weights.h5`.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or is in neither layout.
    pub fn read_hdf5(file: impl Into<WeightsFile>) -> Result<Self, FormatError> {
        let weights = file.into();
        let file = hdf5::open(&weights)?;
        let config = file
            .root_group()
            .ok()
            .and_then(|root| hdf5::strings(&root, "model_config"))
            .and_then(|texts| texts.into_iter().next());
        Self::read(weights.path(), &file, config.as_deref())
    }

    /// Reads a `.keras` archive.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or isn't such an archive.
    pub fn read_archive(file: impl Into<WeightsFile>) -> Result<Self, FormatError> {
        let weights = file.into();
        let path = weights.path();
        let mut archive = Archive::open(&weights)?;
        let config = archive.config()?;
        let file = hdf5::open_bytes(path, archive.weights()?)?;
        Self::read(path, &file, Some(&config))
    }

    fn read(path: &Path, file: &Hdf5File, config: Option<&str>) -> Result<Self, FormatError> {
        let config = config
            .map(KerasConfig::parse)
            .transpose()
            .map_err(|reason| {
                FormatError::malformed(path, "a Keras model's configuration", reason)
            })?;
        let layers = match keras_legacy::read(path, file)? {
            Some(layers) => Some(layers),
            None => keras_saved::read(path, file)?,
        };
        let Some(mut layers) = layers else {
            return Err(FormatError::malformed(
                path,
                "a Keras file",
                "it has neither the attribute `layer_names` nor the group `layers`",
            ));
        };
        if let Some(config) = &config {
            for layer in layers.iter_mut().filter(|layer| layer.name.is_empty()) {
                layer.name = config.names.get(&layer.path).cloned().unwrap_or_default();
            }
        }
        find_head(&mut layers);
        Ok(Self {
            layers,
            config: config.unwrap_or_default(),
        })
    }
}
