//! What a training run is.

use std::path::Path;

use burn::config::Config;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xception_models::ModelConfig;

use super::overrides::{Override, apply};
use super::recipe::Recipe;
use super::source::Source;
use super::strict_json::{self, ConfigError, Invalid};
use crate::data::{Augmentation, DataSource};

/// What a training run is, but for its seed: model, data and recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The network. Its number of classes is that of the data.
    pub model: ModelConfig,
    /// The images.
    #[serde(default)]
    pub data: DataConfig,
    /// How to train.
    #[serde(default)]
    pub recipe: Recipe,
}

impl Config for RunConfig {}

/// The images of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Where they come from: `embedded`, `cifar10:DIR` or `cifar100:DIR`.
    pub source: DataSource,
    /// How many training images to use, an equal share of each class; all where left out.
    pub train_images: Option<usize>,
    /// How many test images to use, an equal share of each class; all where left out.
    pub test_images: Option<usize>,
    /// What is done to a training image at random.
    pub augmentation: Augmentation,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            source: DataSource::Embedded,
            train_images: None,
            test_images: None,
            augmentation: Augmentation::default(),
        }
    }
}

impl RunConfig {
    /// Reads a run's configuration from a JSON file and changes it by the overrides.
    ///
    /// # Errors
    ///
    /// Where the file can't be read, isn't JSON, has an unknown key or a value out of its range; the
    /// error has the line and column.
    pub fn read(path: &Path, overrides: &[Override]) -> Result<Self, ConfigError> {
        Self::from_source(&Source::read(path)?, overrides)
    }

    /// As [`read`](Self::read), from text.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn parse(text: &str, overrides: &[Override]) -> Result<Self, ConfigError> {
        Self::from_source(&Source::text(text), overrides)
    }

    fn from_source(source: &Source, overrides: &[Override]) -> Result<Self, ConfigError> {
        let mut value = source.json()?;
        apply(&mut value, overrides)?;
        Self::from_value(value).map_err(|invalid| {
            let overridden = overrides.iter().find(|o| o.covers(&invalid.path));
            match overridden {
                Some(overridden) => overridden.error(invalid),
                None => source.error(invalid.clone(), &invalid.path),
            }
        })
    }

    pub(super) fn from_value(value: Value) -> Result<Self, Invalid> {
        let config: Self = strict_json::from_value(value)?;
        config.recipe.validate()?;
        Ok(config)
    }
}
