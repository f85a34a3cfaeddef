//! What can be wrong with a configuration.

use std::path::PathBuf;

use thiserror::Error;
use xception_messages::Bounds;
use xception_models::ModelError;

use crate::printable::Printable;

/// Errors of a configuration.
///
/// Characters that steer a terminal are escaped in the message: it quotes files.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("can't read {}: {cause}", Printable(.path.display()))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// The file is not text.
    #[error("{}: not text in UTF-8: {cause}", Printable(.place))]
    Encoding {
        /// File, line and column.
        place: String,
        /// What is there instead.
        cause: String,
    },
    /// The text is not JSON.
    #[error("{}: not valid JSON: {}", Printable(.place), Printable(.cause))]
    Syntax {
        /// File, line and column.
        place: String,
        /// The problem.
        cause: String,
    },
    /// An unknown key, a wrong type or a value out of its range.
    #[error("{}: {invalid}", Printable(.place))]
    Invalid {
        /// File, line and column.
        place: String,
        /// The problem.
        invalid: Invalid,
    },
    /// The model's number of classes is not that of the data.
    #[error(
        "the model has {model} classes, but the data has {data}: leave out `classes` of the model, and it has \
         those of the data; a network that was trained, or a head that is kept, takes data of its own classes alone"
    )]
    Classes {
        /// Classes of the model.
        model: usize,
        /// Classes of the data.
        data: usize,
    },
    /// A claim about what runs on these images don't measure.
    #[error("`claims.{claim}.metric` {lacking}")]
    Unmeasured {
        /// The claim's place.
        claim: usize,
        /// What the images lack.
        lacking: &'static str,
    },
    /// No width gives the model the complexity wanted.
    #[error("`complexity`: {0}")]
    Complexity(ModelError),
    /// An override that can't be applied, or that makes a value wrong.
    #[error("`{}`: {}", Printable(.argument), Printable(.cause))]
    Override {
        /// The override as it was given.
        argument: String,
        /// The problem.
        cause: String,
    },
}

/// A value that a configuration can't have, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{}", in_front(.path), Printable(.message))]
pub struct Invalid {
    /// Path of the value, with dots between keys; empty for the whole.
    pub path: String,
    /// The problem.
    pub message: String,
}

impl Invalid {
    /// Checks that a value is within its range, of which the error has a note.
    pub(super) fn check(path: &str, value: f64, bounds: Bounds, note: &str) -> Result<(), Self> {
        match bounds.contains(value) {
            true => Ok(()),
            false => Err(Self::new(path, value, &format!("{bounds}{note}"))),
        }
    }

    /// As [`check`](Self::check), of a whole number.
    pub(super) fn check_count(
        path: &str,
        value: usize,
        bounds: Bounds,
        note: &str,
    ) -> Result<(), Self> {
        match bounds.contains_count(value) {
            true => Ok(()),
            false => Err(Self::new(path, value, &format!("{bounds}{note}"))),
        }
    }

    /// Returns a value that is something else than it has to be.
    pub(super) fn new(
        path: impl Into<String>,
        found: impl std::fmt::Display,
        expected: &str,
    ) -> Self {
        Self::saying(path, format!("is {found}, but has to be {expected}"))
    }

    /// Returns a value with something else to say about it.
    pub(super) fn saying(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

fn in_front(path: &str) -> String {
    match path {
        "" => String::new(),
        path => format!("`{}`: ", Printable(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_raw() {
        let (raw, text) = (
            "a\u{1b}]0;x\u{7}\r\n".to_owned(),
            "a\\u{1b}]0;x\\u{7}\\r\\n",
        );
        let invalid = Invalid::new(raw.clone(), &raw, "b");
        let errors = [
            ConfigError::Read {
                path: raw.clone().into(),
                cause: std::io::ErrorKind::NotFound.into(),
            },
            ConfigError::Encoding {
                place: raw.clone(),
                cause: String::new(),
            },
            ConfigError::Syntax {
                place: raw.clone(),
                cause: raw.clone(),
            },
            ConfigError::Invalid {
                place: raw.clone(),
                invalid: invalid.clone(),
            },
            ConfigError::Override {
                argument: raw.clone(),
                cause: invalid.to_string(),
            },
        ];
        for error in errors {
            let message = error.to_string();
            assert!(message.contains(text), "{message}");
            assert!(!message.chars().any(char::is_control), "{message:?}");
        }
    }

    #[test]
    fn what_is_about_the_whole_has_no_path() {
        assert_eq!(Invalid::saying("", "is empty").to_string(), "is empty");
        assert_eq!(
            Invalid::saying("a", "is empty").to_string(),
            "`a`: is empty"
        );
    }
}
