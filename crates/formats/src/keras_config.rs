//! The configuration of a Keras model, for what its weights don't tell: names, activations, scaling.
//!
//! It is the attribute `model_config` of a legacy file, or `config.json` of an archive.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

/// A model's configuration, as far as it matters here.
#[derive(Debug, Default)]
pub struct KerasConfig {
    /// The name of each layer by its path in `.weights.h5`.
    pub names: HashMap<String, String>,
    /// The activation of each dense layer by its name.
    pub activations: BTreeMap<String, String>,
    /// Height of the images in pixels, if it is fixed.
    pub size: Option<usize>,
    /// Scale and offset of a layer that scales pixels.
    pub rescaling: Option<(f64, f64)>,
    /// Whether a layer flattens a feature map.
    pub flattens: bool,
    /// The class of a layer that joins backbone and head in another way than by an average or by flattening.
    pub unusual_pool: Option<String>,
}

impl KerasConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// If it is no JSON.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut config = Self::default();
        config.model(&value, "");
        Ok(config)
    }

    /// Takes up a model; `path` is where its layers are in `.weights.h5`. The depth of JSON is
    /// bounded by the parser.
    fn model(&mut self, model: &Value, path: &str) {
        let Some(layers) = model["config"]["layers"].as_array() else {
            return;
        };
        let mut counts: HashMap<String, usize> = HashMap::new();
        for layer in layers {
            let class = layer["class_name"].as_str().unwrap_or_default();
            let config = &layer["config"];
            let name = config["name"].as_str().unwrap_or_default();
            let snake = snake_case(class);
            let count = counts.entry(snake.clone()).or_default();
            let group = match *count {
                0 => format!("{path}{snake}"),
                count => format!("{path}{snake}_{count}"),
            };
            *count += 1;
            self.layer(class, name, config);
            self.model(layer, &format!("{group}/"));
            self.names.insert(group, name.to_owned());
        }
    }

    fn layer(&mut self, class: &str, name: &str, config: &Value) {
        match class {
            "InputLayer" => {
                let shape = config
                    .get("batch_shape")
                    .or_else(|| config.get("batch_input_shape"));
                let side = shape.and_then(|shape| shape[1].as_u64());
                self.size = self
                    .size
                    .or(side.and_then(|side| usize::try_from(side).ok()));
            }
            "Rescaling" => {
                // A list for each channel isn't read: NaN is no scale that is known.
                let number = |key: &str| config[key].as_f64().unwrap_or(f64::NAN);
                self.rescaling = Some((number("scale"), number("offset")));
            }
            "Dense" => {
                let activation = config["activation"].as_str().unwrap_or("linear");
                self.activations
                    .insert(name.to_owned(), activation.to_owned());
            }
            "Flatten" => self.flattens = true,
            "GlobalMaxPooling2D" => self.unusual_pool = Some(class.to_owned()),
            _ => {}
        }
    }
}

/// Returns a class's name as Keras writes it for groups: `SeparableConv2D` is `separable_conv2d`.
fn snake_case(class: &str) -> String {
    let mut snake = String::new();
    let letters: Vec<char> = class.chars().filter(|c| c.is_alphanumeric()).collect();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(index + 1);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || after.is_some_and(|after| after.is_lowercase())
            });
        if starts_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_named_as_in_keras() {
        for (class, name) in [
            ("Conv2D", "conv2d"),
            ("SeparableConv2D", "separable_conv2d"),
            ("BatchNormalization", "batch_normalization"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"),
            ("MaxPooling2D", "max_pooling2d"),
            ("ZeroPadding2D", "zero_padding2d"),
            ("Dense", "dense"),
            ("ReLU", "re_lu"),
        ] {
            assert_eq!(snake_case(class), name);
        }
    }

    #[test]
    fn layers_of_nested_models_are_counted_on_their_own() {
        let text = r#"{"class_name": "Sequential", "config": {"layers": [
            {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [null, 150, 150, 3]}},
            {"class_name": "Functional", "config": {"name": "backbone", "layers": [
                {"class_name": "Conv2D", "config": {"name": "a"}},
                {"class_name": "Conv2D", "config": {"name": "b"}}]}},
            {"class_name": "Flatten", "config": {"name": "pixels"}},
            {"class_name": "Dense", "config": {"name": "c", "activation": "relu"}}]}}"#;
        let config = KerasConfig::parse(text).unwrap();
        assert_eq!(config.names["functional/conv2d_1"], "b");
        assert_eq!(config.names["dense"], "c");
        assert_eq!(config.activations["c"], "relu");
        assert_eq!(config.size, Some(150));
        assert!(config.flattens && config.unusual_pool.is_none());
        let error = KerasConfig::parse("{").unwrap_err();
        assert!(error.starts_with("EOF while parsing"), "{error}");
    }
}
