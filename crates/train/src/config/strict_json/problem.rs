//! Why a value doesn't fit.

use std::fmt::Display;

use serde::de::{self, Expected, Unexpected};
use serde_json::{Map, Value};
use thiserror::Error;

use super::words::{listed, one_of, shortened, shown};
use xception_messages::suggestion;

/// Whole numbers from here on are read as floating point.
const WHOLE: f64 = u64::MAX as f64;

/// Why a value doesn't fit.
#[derive(Debug, Error)]
pub(super) enum Problem {
    #[error("{0}")]
    Said(String),
    #[error("the key `{0}` is missing")]
    MissingKey(&'static str),
    #[error("there is no such key{}", keys_here(.found, .known))]
    UnknownKey {
        found: String,
        known: &'static [&'static str],
    },
    #[error(
        "is \"{}\", but has to be {}{}", shortened(.found), one_of(.known),
        suggestion(.found, .known.iter().copied())
    )]
    UnknownName {
        found: String,
        known: &'static [&'static str],
    },
    #[error("is {found}, but has to be {expected}")]
    Other { found: String, expected: String },
}

/// Lists the keys that there are, after the nearest one.
fn keys_here(found: &str, known: &[&str]) -> String {
    let keys = match known {
        [] => return ", nor any other".to_owned(),
        [only] => format!("the only key here is `{only}`"),
        known => format!("the keys here are {}", listed(known, "and")),
    };
    match suggestion(found, known.iter().copied()).as_str() {
        "" => format!("; {keys}"),
        nearest => format!("{nearest} ({keys})"),
    }
}

impl Problem {
    /// Says that a value has to be something else.
    pub(super) fn other(found: &Value, expected: impl Into<String>) -> Self {
        Self::Other {
            found: shown(found),
            expected: expected.into(),
        }
    }
}

impl de::Error for Problem {
    fn custom<T: Display>(message: T) -> Self {
        Self::Said(message.to_string())
    }

    fn invalid_type(found: Unexpected, expected: &dyn Expected) -> Self {
        Self::invalid_value(found, expected)
    }

    fn invalid_value(found: Unexpected, expected: &dyn Expected) -> Self {
        let value = match found {
            Unexpected::Bool(value) => value.into(),
            Unexpected::Unsigned(value) => value.into(),
            Unexpected::Signed(value) => value.into(),
            Unexpected::Float(value) if value >= WHOLE && is_whole(expected) => {
                return Self::Other {
                    found: value.to_string(),
                    expected: format!("at most {}", u64::MAX),
                };
            }
            Unexpected::Float(value) => value.into(),
            Unexpected::Str(value) => value.into(),
            Unexpected::Unit | Unexpected::Option => Value::Null,
            Unexpected::Seq => Value::Array(Vec::new()),
            Unexpected::Map => Value::Object(Map::new()),
            other => {
                return Self::Other {
                    found: other.to_string(),
                    expected: plain(&expected.to_string()),
                };
            }
        };
        Self::other(&value, plain(&expected.to_string()))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::Other {
            found: format!("a list of {length}"),
            expected: plain(&expected.to_string()),
        }
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        let found = found.to_owned();
        Self::UnknownName { found, known }
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Self {
        let found = found.to_owned();
        Self::UnknownKey { found, known }
    }

    fn missing_field(name: &'static str) -> Self {
        Self::MissingKey(name)
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::Said(format!("the key `{name}` is there twice"))
    }
}

fn is_whole(expected: &dyn Expected) -> bool {
    plain(&expected.to_string()).starts_with("a whole number")
}

/// Says what has to be there, in the words of JSON instead of those of Rust.
fn plain(expected: &str) -> String {
    let plain = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list, as in `[1, 2]`",
        "a map" | "enum" => "an object, as in `{\"key\": 1}`",
        "unit" => "`null`",
        other => {
            let length = other
                .strip_prefix("an array of length ")
                .or_else(|| other.strip_prefix("a tuple of size "))
                .or_else(|| other.strip_suffix(" elements in sequence"))
                .or_else(|| other.strip_suffix(" element in sequence"));
            return match (length, other.starts_with("struct ")) {
                (Some(length), _) => format!("a list of {length} values"),
                (None, true) => "an object".to_owned(),
                (None, false) => other.to_owned(),
            };
        }
    };
    plain.to_owned()
}
