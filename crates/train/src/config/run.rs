//! What a training run is.

use std::path::Path;

use burn::config::Config;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xception_models::preprocessing::{Preprocessing, PreprocessingError, SIDE};
use xception_models::{Bounds, ModelConfig, ModelError};

use super::fine_tuning::{FineTuning, StartingHead};
use super::overrides::{Override, apply};
use super::recipe::Recipe;
use super::schema_key::without_schema;
use super::source::Source;
use super::strict_json::{self, ConfigError, Invalid};
use crate::TrainError;
use crate::data::{Augmentation, DataSource, folder_preprocessing};

/// What a model's configuration has where it doesn't say: ImageNet's number of classes.
pub(crate) const DEFAULT_CLASSES: usize = 1000;

/// A number of images to use.
const IMAGES: Bounds = Bounds::at_least(1.0);

/// What a training run is, but for its seed: model, data and recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The network: a registered name, or a family with its options.
    #[schemars(example = &"resnet50", example = serde_json::json!({"xception": {"width": 0.25, "stem": "small"}}))]
    pub model: ModelConfig,
    /// The images.
    #[serde(default)]
    #[schemars(example = serde_json::json!({"source": "cifar10:datasets/cifar10"}))]
    pub data: DataConfig,
    /// How to train.
    #[serde(default)]
    #[schemars(example = serde_json::json!({"epochs": 30, "learning_rate": 0.1}))]
    pub recipe: Recipe,
    /// The weights to start from; random ones where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = serde_json::json!({"weights": "xception.keras-notop"}))]
    pub finetune: Option<FineTuning>,
}

impl Config for RunConfig {}

/// The images of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Where the images come from: `embedded`, `cifar10:DIR`, `cifar100:DIR` or `folder:DIR`.
    #[schemars(example = DataSource::Cifar10("datasets/cifar10".into()))]
    pub source: DataSource,
    /// Height and width, in pixels, that images of a folder are brought to; where left out, what the
    /// weights to start from take, or what the network was published for.
    #[schemars(example = 128, transform = SIDE.of_number())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// What images of a folder go through; where left out, what the weights to start from want, else the
    /// shorter side is resized, the center is cropped, and pixels become numbers from -1 to 1.
    #[schemars(example = folder_preprocessing(299))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
    /// How many training images to use, with the same shares of the classes; all where left out.
    #[schemars(example = 1000, transform = IMAGES.of_number())]
    pub train_images: Option<usize>,
    /// How many test images to use, with the same shares of the classes; all where left out.
    #[schemars(example = 500, transform = IMAGES.of_number())]
    pub test_images: Option<usize>,
    /// What is done to a training image at random.
    #[schemars(example = Augmentation::none())]
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
        let mut value = without_schema(source)?;
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
        config.model.check().map_err(|error| match error {
            ModelError::OutOfRange {
                option,
                found,
                expected,
            } => {
                let path = format!("model.{}.{option}", config.model.family());
                Invalid::new(path, found, &expected)
            }
            other => Invalid {
                path: "model".to_owned(),
                message: other.to_string(),
            },
        })?;
        config.data.validate()?;
        Ok(config)
    }
}

impl DataConfig {
    fn validate(&self) -> Result<(), Invalid> {
        for (key, value, bounds) in [
            ("image_size", self.image_size, SIDE),
            ("train_images", self.train_images, IMAGES),
            ("test_images", self.test_images, IMAGES),
        ] {
            if let Some(value) = value.filter(|&value| !bounds.contains(value as f64)) {
                let path = format!("data.{key}");
                return Err(Invalid::new(path, value, &bounds.to_string()));
            }
        }
        let Some(preprocessing) = &self.preprocessing else {
            return Ok(());
        };
        preprocessing.check().map_err(|error| match error {
            PreprocessingError::OutOfRange {
                option,
                found,
                expected,
            } => Invalid::new(format!("data.preprocessing.{option}"), found, &expected),
            other => Invalid {
                path: "data.preprocessing".to_owned(),
                message: other.to_string(),
            },
        })
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
