//! Changing single values of a configuration.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::error::{ConfigError, Invalid};
use super::strict_json::shown;
use super::text_tree::Node;
use crate::printable::printable;

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

    /// Returns where the value goes.
    pub(super) fn path(&self) -> &str {
        &self.path
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

/// Returns whether a value at `path` is the one at `above` or a part of it.
pub(super) fn is_within(path: &str, above: &str) -> bool {
    let rest = path.strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Returns whether it is keys with dots between them.
pub(super) fn is_path(text: &str) -> bool {
    !text.split('.').any(|key| key.trim().is_empty())
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
            .filter(|(path, _)| is_path(path))
            .ok_or_else(|| {
                let text = printable(text);
                format!("`{text}` is not of the form path=value, such as recipe.epochs=3")
            })?;
        let Ok(json) = serde_json::from_str::<Value>(value) else {
            return Ok(Self::new(path, value));
        };
        match Node::read(value).and_then(|tree| tree.duplicate()) {
            Some(duplicate) => Err(format!(
                "`{}` is there twice in the value of `{}`: keep one of them",
                printable(&duplicate.path),
                printable(path)
            )),
            None => Ok(Self::new(path, json)),
        }
    }
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
            let message = format!(
                "`{}` is {}, which has no keys",
                parent.join("."),
                shown(place)
            );
            return Err(Invalid::saying(path, message));
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
        assert!(" =3".parse::<Override>().is_err());
        let twice = r#"a={"b":1,"c":2,"b":3}"#.parse::<Override>().unwrap_err();
        assert!(twice.starts_with("`b` is there twice"), "{twice}");
    }

    #[test]
    fn a_path_is_within_those_above() {
        assert!(is_within("a.b", "a.b") && is_within("a.b.c", "a.b") && is_within("a[0]", "a"));
        assert!(!is_within("a.bc", "a.b") && !is_within("a", "a.b"));
    }
}
