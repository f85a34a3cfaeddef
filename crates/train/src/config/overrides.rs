//! Changing single values of a configuration.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::strict_json::{ConfigError, Invalid};

/// A value at a path, such as `recipe.epochs=3`, that replaces what a configuration has there.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    path: String,
    value: Value,
}

impl Override {
    /// Puts a value at a path with dots between keys.
    pub fn new(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            path: path.into(),
            value: value.into(),
        }
    }

    /// Whether the value of this path comes from the override.
    pub(super) fn covers(&self, path: &str) -> bool {
        let below = |a: &str, b: &str| {
            a.strip_prefix(b)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        below(path, &self.path)
    }

    pub(super) fn error(&self, cause: impl fmt::Display) -> ConfigError {
        ConfigError::Override {
            argument: self.to_string(),
            cause: cause.to_string(),
        }
    }

    /// Puts the value in its place.
    pub(super) fn apply(&self, config: &mut Value) -> Result<(), Invalid> {
        set(config, &self.path, self.value.clone())
    }
}

impl fmt::Display for Override {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}={}", self.path, self.value)
    }
}

impl FromStr for Override {
    type Err = String;

    /// Reads `path=value`. The value is JSON; what isn't JSON is taken as a string.
    fn from_str(text: &str) -> Result<Self, String> {
        let (path, value) = text
            .split_once('=')
            .filter(|(path, _)| !path.is_empty() && !path.split('.').any(str::is_empty))
            .ok_or_else(|| {
                format!("`{text}` is not of the form path=value, such as recipe.epochs=3")
            })?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok(Self::new(path, value))
    }
}

/// Applies overrides in their order.
pub(super) fn apply(config: &mut Value, overrides: &[Override]) -> Result<(), ConfigError> {
    for change in overrides {
        change
            .apply(config)
            .map_err(|invalid| change.error(invalid.message))?;
    }
    Ok(())
}

/// Puts a value at a path with dots between keys, making the objects on the way. The name of a model
/// that stands for its default configuration, as in `"model": "xception"`, becomes an object.
pub(super) fn set(config: &mut Value, path: &str, value: Value) -> Result<(), Invalid> {
    let mut place = config;
    for (index, key) in path.split('.').enumerate() {
        if place.as_str() == Some(key) || place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(object) = place else {
            let parent: Vec<_> = path.split('.').take(index).collect();
            return Err(Invalid {
                path: path.to_owned(),
                message: format!("`{}` is {place}, which has no keys", parent.join(".")),
            });
        };
        place = object.entry(key).or_insert(Value::Null);
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sets_new_and_old_values() {
        let mut config = json!({"model": "xception", "recipe": {"epochs": 1}});
        set(&mut config, "recipe.epochs", json!(2)).unwrap();
        set(&mut config, "model.xception.width", json!(0.5)).unwrap();
        set(&mut config, "data.source", json!("embedded")).unwrap();
        let expected = json!({
            "model": {"xception": {"width": 0.5}},
            "recipe": {"epochs": 2},
            "data": {"source": "embedded"}
        });
        assert_eq!(config, expected);
        let error = set(&mut config, "recipe.epochs.x", json!(1)).unwrap_err();
        assert!(error.message.contains("`recipe.epochs` is 2"), "{error}");
    }

    #[test]
    fn reads_numbers_words_and_objects() {
        let value = |text: &str| text.parse::<Override>().unwrap().value;
        assert_eq!(value("a.b=3"), json!(3));
        assert_eq!(value("a=cifar10:some/dir"), json!("cifar10:some/dir"));
        assert_eq!(value("a={\"b\":1}"), json!({"b": 1}));
        assert!("=3".parse::<Override>().is_err());
        assert!("a..b=3".parse::<Override>().is_err());
        assert!("a".parse::<Override>().is_err());
    }
}
