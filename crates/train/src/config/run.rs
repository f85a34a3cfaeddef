//! What a training run is.

use std::path::Path;

use burn::config::Config;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xception_models::preprocessing::Preprocessing;
use xception_models::{Complexity, ModelConfig, ModelError};

use super::data::DataConfig;
use super::error::{ConfigError, Invalid};
use super::fine_tuning::{FineTuning, StartingHead};
use super::layers::{Layers, Places};
use super::overrides::Override;
use super::recipe::Recipe;
use super::schema_key::without_schema;
use super::source::Source;
use super::strict_json;
use crate::data::folder_preprocessing;
use crate::network::NetworkConfig;

/// What a training run is, but for its seed: model, data and recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RunConfig")]
pub struct RunConfig<M = ModelConfig> {
    /// The network: a registered name, or a family with its options.
    #[schemars(example = &"resnet50", example = serde_json::json!({"xception": {"width": 0.25, "stem": "small"}}))]
    pub model: M,
    /// The number of parameters or of multiply-adds by which the model's width is chosen, within 1 %, in place of the width
    /// given; so that networks of different form are compared at equal size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = Complexity::Parameters(500_000))]
    pub complexity: Option<Complexity>,
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
    /// Whether the model's number of classes was given, even if it is the 1000 that a model has where it isn't.
    /// Not a part of the file; known where one was read with [`read`](Self::read) or [`parse`](Self::parse).
    #[serde(skip)]
    pub classes_given: bool,
}

impl<M: NetworkConfig> Config for RunConfig<M> {}

impl<M: NetworkConfig> RunConfig<M> {
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

    /// This configuration changed by overrides.
    ///
    /// # Errors
    ///
    /// Where an override can't be applied, or gives a value out of its range.
    pub fn changed(&self, overrides: &[Override]) -> Result<Self, ConfigError> {
        let mut value = serde_json::to_value(self).map_err(|error| ConfigError::Syntax {
            place: "the configuration".to_owned(),
            cause: error.to_string(),
        })?;
        if !self.classes_given
            && let Some(options) = self.options(&mut value)
        {
            options.shift_remove("classes");
        }
        let text = Source::text(&value.to_string());
        Self::from_layers(&value, &text, overrides)
    }

    /// With the model's number of classes taken from the data.
    ///
    /// # Errors
    ///
    /// Where the configuration asks for another number.
    pub fn resolve(&self, classes: usize) -> Result<Self, ConfigError> {
        let asked = self.model.classes();
        let is_another = M::DEFAULT_CLASSES.is_some_and(|default| asked != default);
        let given = self.classes_given || is_another || self.keeps_its_head();
        if given && asked != classes {
            return Err(ConfigError::Classes {
                model: asked,
                data: classes,
            });
        }
        let mut config = self.clone();
        config.model = config.model.with_classes(classes);
        config.classes_given = true;
        Ok(config)
    }

    /// Returns the configuration with the width that the [`complexity`](Self::complexity) chooses, if there is one, for
    /// this number of classes and images of this height and width, in pixels. The complexity is then left out.
    ///
    /// # Errors
    ///
    /// If the configuration asks for another number of classes, or no width comes close enough.
    pub fn at_complexity(
        &self,
        classes: usize,
        image_size: [usize; 2],
    ) -> Result<Self, ConfigError> {
        let Some(complexity) = self.complexity else {
            return Ok(self.clone());
        };
        let config = self.resolve(classes)?;
        let fitted = config.model.fit(complexity, image_size);
        Ok(Self {
            model: fitted.map_err(ConfigError::Complexity)?,
            complexity: None,
            ..config
        })
    }

    /// Returns the model's options in this configuration's JSON, if it has any.
    fn options<'a>(&self, value: &'a mut Value) -> Option<&'a mut Map<String, Value>> {
        let model = value.get_mut("model")?;
        let options = match self.model.options_key() {
            Some(key) => model.get_mut(key)?,
            None => model,
        };
        options.as_object_mut()
    }

    /// Returns whether the classifier comes from the weights to start from.
    fn keeps_its_head(&self) -> bool {
        let finetune = self.finetune.as_ref();
        finetune.is_some_and(|finetune| finetune.head == StartingHead::Keep)
    }

    /// Returns what images of any size go through.
    pub fn preprocessing(&self) -> Preprocessing {
        let published = || folder_preprocessing(self.model.image_size());
        let mut preprocessing = self.data.preprocessing.unwrap_or_else(published);
        if let Some(size) = self.data.image_size {
            preprocessing.size = [size; 2];
        }
        preprocessing
    }

    fn from_source(source: &Source, overrides: &[Override]) -> Result<Self, ConfigError> {
        let value = without_schema(source)?;
        if value.get("base").is_some() && value.get("model").is_none() {
            let message = "is an ablation, which `xception ablate` takes; the configuration of a run has `model`, and \
                           may have `data`, `recipe` and `finetune`";
            return Err(source.error(Invalid::saying("", message), ""));
        }
        Self::from_layers(&value, source, overrides)
    }

    fn from_layers(
        base: &Value,
        source: &Source,
        overrides: &[Override],
    ) -> Result<Self, ConfigError> {
        let set = &Map::new();
        let layers = Layers {
            base,
            overrides,
            set,
        };
        layers.resolve().map_err(|invalid| {
            let places = Places {
                source,
                base: "",
                set: &str::to_owned,
            };
            layers.error::<M>(invalid, &places)
        })
    }

    pub(super) fn from_value(mut value: Value) -> Result<Self, Invalid> {
        let mut config: Self = strict_json::from_value(value.clone())?;
        let options = config.options(&mut value);
        config.classes_given = options.is_some_and(|options| options.contains_key("classes"));
        config.recipe.validate()?;
        if let Some(Err(error)) = config.complexity.map(Complexity::check) {
            return Err(match error {
                ModelError::OutOfRange {
                    option,
                    found,
                    expected,
                } => Invalid::new(format!("complexity.{option}"), found, &expected),
                other => Invalid::saying("complexity", other.to_string()),
            });
        }
        if let Some(finetune) = &config.finetune {
            finetune.validate()?;
            if config.complexity.is_some() {
                let message =
                    "chooses a width, but the weights to start from have one already: leave it out";
                return Err(Invalid::saying("complexity", message));
            }
        }
        config.model.check().map_err(|error| match error {
            ModelError::OutOfRange {
                option,
                found,
                expected,
            } => {
                let path = match config.model.options_key() {
                    Some(key) => format!("model.{key}.{option}"),
                    None => format!("model.{option}"),
                };
                Invalid::new(path, found, &expected)
            }
            other => Invalid::saying("model", other.to_string()),
        })?;
        config.validate_data()?;
        Ok(config)
    }

    fn validate_data(&self) -> Result<(), Invalid> {
        self.data.validate()?;
        if let Some(size) = self.known_image_size()
            && let Err(error) = self.data.augmentation.check(size)
        {
            let path = "data.augmentation.crop_padding";
            return Err(Invalid::saying(path, error.to_string()));
        }
        Ok(())
    }

    /// Returns the height and width of the images, where these don't depend on the weights to start from.
    fn known_image_size(&self) -> Option<[usize; 2]> {
        let of_weights = self.finetune.is_some() && self.data.preprocessing.is_none();
        let size = match self.data.source.image_size() {
            None if of_weights => self.data.image_size.map(|size| [size; 2]),
            None => Some(self.preprocessing().size),
            size => size,
        };
        let grid = self.data.mosaic.map_or(1, |mosaic| mosaic.grid);
        size.map(|size| size.map(|side| side.saturating_mul(grid)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Mosaic;

    #[test]
    fn a_mosaic_has_no_more_labels_than_parts_and_enlarges_the_images() {
        let parse = |changes: &[&str]| {
            let changes: Vec<_> = changes.iter().map(|c| c.parse().unwrap()).collect();
            <RunConfig>::parse(
                r#"{"model": "xception", "data": {"mosaic": {"grid": 2}}}"#,
                &changes,
            )
        };
        let config = parse(&[]).unwrap();
        assert_eq!(config.data.mosaic, Some(Mosaic::default()));
        assert_eq!(config.known_image_size(), Some([64, 64]));
        let error = parse(&["data.mosaic.labels=5"]).unwrap_err().to_string();
        assert!(
            error.contains("data.mosaic.labels") && error.contains("1 to 4"),
            "{error}"
        );
        // Of the mosaic, not of its parts.
        parse(&["data.augmentation.crop_padding=40"]).unwrap();
        parse(&["data.augmentation.crop_padding=64"]).unwrap_err();
    }

    #[test]
    fn a_complexity_chooses_the_width() {
        let text = r#"{
            "model": {"xception": {"segments": 4, "stem": "small", "middle_modules": 2}},
            "complexity": {"parameters": 100000}
        }"#;
        let config = <RunConfig>::parse(text, &[]).unwrap();
        let fitted = config.at_complexity(10, [32, 32]).unwrap();
        assert_eq!((fitted.complexity, fitted.model.classes()), (None, 10));
        let expected = config.model.clone().with_classes(10);
        let expected = expected.fit(Complexity::Parameters(100_000), [32, 32]);
        assert_eq!(fitted.model, expected.unwrap());
        assert_eq!(fitted.at_complexity(10, [32, 32]).unwrap(), fitted);

        let changed = |change: &str| <RunConfig>::parse(text, &[change.parse().unwrap()]);
        let error = changed("complexity.parameters=0").unwrap_err().to_string();
        assert!(
            error.contains("`complexity.parameters`: is 0, but has to be"),
            "{error}"
        );
        let error = changed("complexity.flops=1").unwrap_err().to_string();
        assert!(error.contains("complexity"), "{error}");
        let tiny = changed("complexity.parameters=1").unwrap();
        let error = tiny.at_complexity(10, [32, 32]).unwrap_err().to_string();
        assert!(
            error.contains("no width gives xception 1 parameters"),
            "{error}"
        );
        let error = changed("finetune.weights=\"x.safetensors\"")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the weights to start from have one already"),
            "{error}"
        );
    }

    #[test]
    fn the_number_of_classes_is_that_of_the_data() {
        let config = |model: &str| <RunConfig>::parse(&format!(r#"{{"model": {model}}}"#), &[]);
        let resolved = config(r#""xception""#).unwrap().resolve(10).unwrap();
        assert_eq!(resolved.model.classes(), 10);
        let other = config(r#"{"xception": {"classes": 7}}"#).unwrap();
        assert_eq!(other.resolve(7).unwrap().model.classes(), 7);
        let error = other.resolve(10).unwrap_err().to_string();
        let expected = "the model has 7 classes, but the data has 10: leave out `classes` of the model, \
                        and it has those of the data; a network that was trained, or a head that is kept, takes \
                        data of its own classes alone";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_thousand_classes_are_a_number_like_any_other() {
        let read = |text: &str, overrides: &[&str]| {
            let overrides: Vec<_> = overrides.iter().map(|o| o.parse().unwrap()).collect();
            <RunConfig>::parse(text, &overrides).unwrap()
        };
        let given = r#"{"model": {"xception": {"classes": 1000}}}"#;
        let left_out = r#"{"model": {"xception": {"width": 0.5}}}"#;
        assert!(read(given, &[]).resolve(10).is_err());
        assert!(read(given, &[]).resolve(1000).is_ok());
        assert!(read(left_out, &[]).resolve(10).is_ok());
        assert!(
            read(left_out, &["model.xception.classes=1000"])
                .resolve(10)
                .is_err()
        );
        assert!(read(given, &["model=resnet18"]).resolve(10).is_ok());

        // A resolved configuration stays as it is, also when it is written and read.
        let resolved = read(left_out, &[]).resolve(10).unwrap();
        assert!(resolved.resolve(10).is_ok() && resolved.resolve(1000).is_err());
        let text = serde_json::to_string(&resolved).unwrap();
        assert_eq!(
            serde_json::from_str::<RunConfig>(&text).unwrap().model,
            resolved.model
        );
        assert_eq!(read(&text, &[]), resolved);

        // Changes leave open what was open.
        let longer = ["recipe.epochs=3".parse().unwrap()];
        let changed = read(left_out, &[]).changed(&longer).unwrap();
        assert_eq!(changed.recipe.epochs, 3);
        assert!(changed.resolve(10).is_ok());
        assert!(
            read(given, &[])
                .changed(&longer)
                .unwrap()
                .resolve(10)
                .is_err()
        );
        let wrong = ["recipe.epochs=0".parse().unwrap()];
        let error = read(given, &[]).changed(&wrong).unwrap_err().to_string();
        assert!(error.starts_with("`recipe.epochs=0`: "), "{error}");
    }

    #[test]
    fn what_does_not_fit_the_images_is_found_in_the_file() {
        let error = |data: &str| {
            let text = format!("{{\"model\": \"xception\", \"data\": {data}}}");
            <RunConfig>::parse(&text, &[]).unwrap_err().to_string()
        };
        let padding = r#"{"augmentation": {"crop_padding": 32}}"#;
        let expected = "line 1, column 49: `data.augmentation.crop_padding`: crop padding 32 with images of \
                        32x32 pixels: give a padding below 32";
        assert!(error(padding).starts_with(expected), "{}", error(padding));
        let folder = r#"{"source": "folder:x", "augmentation": {"crop_padding": 299}}"#;
        assert!(error(folder).contains("images of 299x299 pixels"));
        assert!(
            error(r#"{"train_images": 1}"#)
                .contains("is 1, but has to be at least 2 (batch normalization")
        );
        assert!(
            error(r#"{"test_images": 0}"#)
                .contains("`data.test_images`: is 0, but has to be at least 1")
        );
        assert!(
            error(r#"{"augmentation": {"mixup": 5}}"#).contains(
                "`data.augmentation.mixup`: is 5, but has to be more than 0 and at most 4"
            )
        );
        assert!(
            error(r#"{"augmentation": {"resized_crop": {"area": [0.5, 2]}}}"#)
                .contains("`data.augmentation.resized_crop.area`: is [0.5, 2.0]")
        );
        let crop = r#"{"model": "xception", "data": {"augmentation": {"resized_crop": {}}}}"#;
        assert!(<RunConfig>::parse(crop, &[]).is_ok());
        let fits = r#"{"model": "xception", "data": {"augmentation": {"crop_padding": 31}}}"#;
        assert!(<RunConfig>::parse(fits, &[]).is_ok());
    }
}
