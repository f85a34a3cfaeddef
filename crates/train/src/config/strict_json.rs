//! Reading JSON so that a mistake is found where it was made.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

/// What can be wrong with a configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("can't read {}: {cause}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// The text is not JSON.
    #[error("{place}: not valid JSON: {cause}")]
    Syntax {
        /// File, line and column.
        place: String,
        /// What the parser says.
        cause: String,
    },
    /// An unknown key, a wrong type or a value out of its range.
    #[error("{place}: {invalid}")]
    Invalid {
        /// File, line and column.
        place: String,
        /// What is wrong.
        invalid: Invalid,
    },
    /// An override that can't be applied.
    #[error("`{argument}`: {cause}")]
    Override {
        /// The override as it was given.
        argument: String,
        /// What is wrong with it.
        cause: String,
    },
}

/// A value that a configuration can't have, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{path}`: {message}")]
pub struct Invalid {
    /// Path of the value, with dots between keys.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

impl Invalid {
    pub(super) fn new(
        path: impl Into<String>,
        found: impl std::fmt::Display,
        expected: &str,
    ) -> Self {
        Self {
            path: path.into(),
            message: format!("is {found}, but has to be {expected}"),
        }
    }
}

/// Reads a value; an error has the path and, for an unknown name, the nearest known one.
pub(super) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        Invalid {
            path: if path == "." { String::new() } else { path },
            message: with_nearest_name(message),
        }
    })
}

/// Adds a guess to serde's "unknown field `x`, expected one of `a`, `b`".
fn with_nearest_name(message: String) -> String {
    let unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let mut names = message.split('`').skip(1).step_by(2);
    let Some(found) = names.next().filter(|_| unknown) else {
        return message;
    };
    let nearest = names
        .map(|name| (strsim::damerau_levenshtein(name, found), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= name.len().max(found.len()) / 2);
    match nearest {
        Some((_, name)) => format!("{message}; did you mean `{name}`?"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Outer {
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        width: f64,
        classes: usize,
    }

    #[test]
    fn an_unknown_key_has_its_path_and_the_nearest_name() {
        let error = from_value::<Outer>(json!({"inner": {"widht": 1}})).unwrap_err();
        assert_eq!(error.path, "inner.widht");
        assert!(error.message.ends_with("did you mean `width`?"), "{error}");
    }

    #[test]
    fn a_wrong_type_has_its_path() {
        let value = json!({"inner": {"width": "wide", "classes": 1}});
        let error = from_value::<Outer>(value).unwrap_err();
        assert_eq!(error.path, "inner.width");
        assert!(error.message.contains("wide"), "{error}");
    }
}
