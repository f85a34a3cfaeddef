//! What a training run is.

use std::path::Path;

use burn::config::Config;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xception_models::ModelConfig;
use xception_models::preprocessing::Preprocessing;

use super::fine_tuning::{FineTuning, StartingHead};
use super::overrides::{Override, apply};
use super::recipe::Recipe;
use super::source::Source;
use super::strict_json::{self, ConfigError, Invalid};
use crate::TrainError;
use crate::data::{Augmentation, DataSource, folder_preprocessing};

/// What a model's configuration has where it doesn't say: ImageNet's number of classes.
pub(crate) const DEFAULT_CLASSES: usize = 1000;

/// What a training run is, but for its seed: model, data and recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The network. Its number of classes may be left out: it is that of the data.
    pub model: ModelConfig,
    /// The images.
    #[serde(default)]
    pub data: DataConfig,
    /// How to train.
    #[serde(default)]
    pub recipe: Recipe,
    /// The weights to start from; random ones where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finetune: Option<FineTuning>,
}

impl Config for RunConfig {}

/// The images of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Where they come from: `embedded`, `cifar10:DIR`, `cifar100:DIR` or `folder:DIR`.
    pub source: DataSource,
    /// Height and width, in pixels, that images of a folder are brought to; where left out, what the
    /// weights to start from take, or what the network was published for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// What images of a folder go through; where left out, as the weights to start from want it, or
    /// [`folder_preprocessing`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
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
            image_size: None,
            preprocessing: None,
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

    /// With the model's number of classes taken from the data.
    ///
    /// # Errors
    ///
    /// Where the configuration asks for another number.
    pub fn resolve(&self, classes: usize) -> Result<Self, TrainError> {
        let asked = self.model.classes();
        let free = asked == DEFAULT_CLASSES && !self.keeps_its_head();
        if !free && asked != classes {
            return Err(TrainError::Classes {
                model: asked,
                data: classes,
            });
        }
        let mut config = self.clone();
        config.model = config.model.with_classes(classes);
        Ok(config)
    }

    /// Whether the classifier comes from the weights to start from.
    fn keeps_its_head(&self) -> bool {
        let finetune = self.finetune.as_ref();
        finetune.is_some_and(|finetune| finetune.head == StartingHead::Keep)
    }

    /// What images of any size go through.
    pub fn preprocessing(&self) -> Preprocessing {
        let published = || folder_preprocessing(self.model.image_size());
        let mut preprocessing = self.data.preprocessing.unwrap_or_else(published);
        if let Some(size) = self.data.image_size {
            preprocessing.size = [size; 2];
        }
        preprocessing
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
        if let Some(finetune) = &config.finetune {
            finetune.validate()?;
        }
        if let Some(size) = config
            .data
            .image_size
            .filter(|size| !(1..=8192).contains(size))
        {
            return Err(Invalid::new("data.image_size", size, "from 1 to 8192"));
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_classes_is_that_of_the_data() {
        let config = |model: &str| RunConfig::parse(&format!(r#"{{"model": {model}}}"#), &[]);
        let resolved = config(r#""xception""#).unwrap().resolve(10).unwrap();
        assert_eq!(resolved.model.classes(), 10);
        let other = config(r#"{"xception": {"classes": 7}}"#).unwrap();
        assert_eq!(other.resolve(7).unwrap().model.classes(), 7);
        let error = other.resolve(10).unwrap_err().to_string();
        assert_eq!(error, "the model has 7 classes, but the data has 10");
    }
}
