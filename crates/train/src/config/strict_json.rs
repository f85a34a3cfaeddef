//! Reading JSON values so that what doesn't fit is said in plain words, with the path of the value.
//!
//! Stricter than serde_json: a struct is an object, never a list of its fields' values.

use std::fmt::Display;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer,
    Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Value};
use thiserror::Error;

use super::error::Invalid;

/// Whole numbers from here on are read as floating point.
const WHOLE: f64 = u64::MAX as f64;

/// Longest text of a value that a message quotes, in characters.
const QUOTED: usize = 60;

/// Reads a value; an error has the path and, for an unknown name, the nearest known one.
pub(super) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        Invalid::saying(path, error.into_inner().to_string())
    })
}

/// A value for people: short, and as JSON writes it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        plain => shortened(&plain.to_string()),
    }
}

/// A text with its middle left out where it is long.
pub(super) fn shortened(text: &str) -> String {
    let length = text.chars().count();
    if length <= QUOTED {
        return text.to_owned();
    }
    let part = |skip, take| text.chars().skip(skip).take(take).collect::<String>();
    let half = QUOTED / 2;
    format!("{}...{}", part(0, half), part(length - half, half))
}

/// Names in backticks: "`a`", "`a` or `b`", "`a`, `b` or `c`".
pub(super) fn one_of(names: &[&str]) -> String {
    listed(names, "or")
}

fn listed(names: &[&str], word: &str) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [name] => name.clone(),
        [names @ .., last] => format!("{} {word} {last}", names.join(", ")),
    }
}

/// The known name that is most like the one that was found, as a question; empty where none is like it.
pub(super) fn nearest_name<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let nearest = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(name, found), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= name.len().max(found.len()) / 2);
    match nearest {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}

/// Why a value doesn't fit.
#[derive(Debug, Error)]
enum Problem {
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
        nearest_name(.found, .known.iter().copied())
    )]
    UnknownName {
        found: String,
        known: &'static [&'static str],
    },
    #[error("is {found}, but has to be {expected}")]
    Other { found: String, expected: String },
}

/// The keys that there are, after the nearest one.
fn keys_here(found: &str, known: &[&str]) -> String {
    let keys = match known {
        [] => return ", nor any other".to_owned(),
        [only] => format!("the only key here is `{only}`"),
        known => format!("the keys here are {}", listed(known, "and")),
    };
    match nearest_name(found, known.iter().copied()).as_str() {
        "" => format!("; {keys}"),
        nearest => format!("{nearest} ({keys})"),
    }
}

impl Problem {
    fn other(found: &Value, expected: impl Into<String>) -> Self {
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

/// What has to be there, in the words of JSON instead of those of Rust.
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

/// A value that is read.
struct Strict(Value);

impl IntoDeserializer<'_, Problem> for Strict {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn read_object<'de, V: Visitor<'de>>(
    object: Map<String, Value>,
    visitor: V,
) -> Result<V::Value, Problem> {
    let members = object.into_iter().map(|(key, value)| (key, Strict(value)));
    visitor.visit_map(MapDeserializer::new(members))
}

impl<'de> Deserializer<'de> for Strict {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (None, Some(value), _) => visitor.visit_i64(value),
                (None, None, Some(value)) => visitor.visit_f64(value),
                (None, None, None) => Err(Problem::Said(format!("{number} is out of range"))),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(elements) => {
                let elements = elements.into_iter().map(Strict);
                let mut list: SeqDeserializer<_, Problem> = SeqDeserializer::new(elements);
                let value = visitor.visit_seq(&mut list)?;
                list.end()?;
                Ok(value)
            }
            Value::Object(object) => read_object(object, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.0 {
            Value::Object(object) => read_object(object, visitor),
            other => Err(Problem::other(&other, an_object_with(fields))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Choice {
                name,
                options: None,
            }),
            Value::Object(object) if object.len() == 1 => match object.into_iter().next() {
                Some((name, options)) => visitor.visit_enum(Choice {
                    name,
                    options: Some(options),
                }),
                None => Err(Problem::Said("is empty".to_owned())), // never: it has a key
            },
            Value::Object(object) if object.is_empty() => Err(Problem::Said(format!(
                "is empty, but has to have one key: {}",
                one_of(names)
            ))),
            Value::Object(object) => {
                let keys: Vec<_> = object.keys().map(String::as_str).collect();
                Err(Problem::Said(format!(
                    "has {} keys ({}), but has to have one: {}",
                    keys.len(),
                    listed(&keys, "and"),
                    one_of(names)
                )))
            }
            other => Err(Problem::other(&other, one_of(names))),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

fn an_object_with(fields: &[&str]) -> String {
    match fields {
        [] => "an object".to_owned(),
        fields => format!("an object with {}", listed(fields, "and")),
    }
}

/// One of several: a name, or an object of a name and its options.
struct Choice {
    name: String,
    options: Option<Value>,
}

impl<'de> EnumAccess<'de> for Choice {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Problem> {
        let name: de::value::StrDeserializer<Problem> = self.name.as_str().into_deserializer();
        let choice = seed.deserialize(name)?;
        Ok((choice, self))
    }
}

impl Choice {
    /// The options of a choice that has some.
    fn options(self) -> Result<Value, Problem> {
        let Self { name, options } = self;
        options.ok_or_else(|| Problem::Other {
            found: format!("\"{name}\""),
            expected: format!("an object with its options, such as {{\"{name}\": {{}}}}"),
        })
    }
}

impl<'de> VariantAccess<'de> for Choice {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        match self.options {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Problem::Said(format!(
                "has no options: write \"{}\" alone, without an object around it",
                self.name
            ))),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Problem> {
        seed.deserialize(Strict(self.options()?))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        Strict(self.options()?).deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        Strict(self.options()?).deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        inner: Inner,
        #[serde(default)]
        optional: Option<i64>,
        #[serde(default)]
        any: Map<String, Value>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        width: f64,
        classes: usize,
        #[serde(default)]
        size: [u8; 2],
        #[serde(default)]
        list: Vec<bool>,
        #[serde(default)]
        choice: Choice,
        #[serde(default)]
        text: String,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case", deny_unknown_fields)]
    enum Choice {
        #[default]
        Plain,
        Options {
            a: usize,
        },
        Wrapped(usize),
    }

    fn error(key: &str, value: Value) -> String {
        let mut inner = json!({"width": 1, "classes": 1});
        inner[key] = value;
        let error = from_value::<Outer>(json!({"inner": inner})).unwrap_err();
        error.to_string()
    }

    #[test]
    fn what_fits_is_read() {
        let value = json!({
            "inner": {
                "width": 1, "classes": 2, "size": [3, 4], "list": [true], "text": "x",
                "choice": {"options": {"a": 5}}
            },
            "optional": -6,
            "any": {"a.b": [1, -1, 0.5, null, "x", {"c": {}}]}
        });
        let read: Outer = from_value(value.clone()).unwrap();
        assert_eq!(read, serde_json::from_value(value).unwrap());
        for choice in [json!("plain"), json!({"wrapped": 7})] {
            let inner = json!({"width": 1, "classes": 2, "choice": choice});
            let read: Inner = from_value(inner.clone()).unwrap();
            assert_eq!(read, serde_json::from_value(inner).unwrap());
        }
    }

    #[test]
    fn an_unknown_key_has_its_path_and_the_nearest_name() {
        let error = from_value::<Outer>(json!({"inner": {"widht": 1}})).unwrap_err();
        assert_eq!(error.path, "inner.widht");
        let expected = "there is no such key; did you mean `width`? (the keys here are `width`, `classes`, \
                        `size`, `list`, `choice` and `text`)";
        assert_eq!(error.message, expected);
    }

    #[test]
    fn what_does_not_fit_is_said_in_plain_words() {
        let cases = [
            (
                "width",
                json!("wide"),
                "`inner.width`: is \"wide\", but has to be a number",
            ),
            ("width", json!(null), "is null, but has to be a number"),
            (
                "classes",
                json!(-1),
                "is -1, but has to be a whole number, 0 or more",
            ),
            (
                "classes",
                json!(1.5),
                "is 1.5, but has to be a whole number",
            ),
            (
                "classes",
                json!(1e20),
                "is 100000000000000000000, but has to be at most 18446744073709551615",
            ),
            (
                "classes",
                json!({}),
                "is an object, but has to be a whole number",
            ),
            ("size", json!(3), "is 3, but has to be a list of 2 values"),
            (
                "size",
                json!([3]),
                "is a list of 1, but has to be a list of 2 values",
            ),
            (
                "size",
                json!([3, 4, 5]),
                "is a list of 3, but has to be a list of 2",
            ),
            (
                "size",
                json!([3, 256]),
                "`inner.size[1]`: is 256, but has to be a whole number from 0 to 255",
            ),
            ("list", json!({}), "is an object, but has to be a list"),
            (
                "list",
                json!([1]),
                "`inner.list[0]`: is 1, but has to be `true` or `false`",
            ),
            ("text", json!(1), "is 1, but has to be a string"),
            ("text", json!(["a"]), "is a list, but has to be a string"),
            (
                "choice",
                json!(1),
                "is 1, but has to be `plain`, `options` or `wrapped`",
            ),
            (
                "choice",
                json!("plian"),
                "has to be `plain`, `options` or `wrapped`; did you mean `plain`?",
            ),
            (
                "choice",
                json!("options"),
                "is \"options\", but has to be an object with its options, such as {\"options\": {}}",
            ),
            (
                "choice",
                json!({"plain": 1}),
                "has no options: write \"plain\" alone",
            ),
            (
                "choice",
                json!({"options": 1}),
                "is 1, but has to be an object with `a`",
            ),
            ("choice", json!({"options": {}}), "the key `a` is missing"),
            (
                "choice",
                json!({"options": {"b": 1}}),
                "there is no such key; the only key here is `a`",
            ),
            (
                "choice",
                json!({"plain": 1, "options": 2}),
                "has 2 keys (`plain` and `options`), but has to have one",
            ),
            (
                "choice",
                json!({}),
                "is empty, but has to have one key: `plain`, ",
            ),
        ];
        for (key, value, part) in cases {
            let message = error(key, value.clone());
            assert!(message.contains(part), "{value}: {message}");
            for word in [
                "usize",
                "u8",
                "f64",
                "struct",
                "invalid type",
                "map",
                "sequence",
            ] {
                assert!(!message.contains(word), "{value}: {message}");
            }
        }
        let error = from_value::<Outer>(json!([1, 2])).unwrap_err().to_string();
        assert_eq!(
            error,
            "is a list, but has to be an object with `inner`, `optional` and `any`"
        );
        let error = from_value::<Outer>(json!({"inner": [1.0, 2]})).unwrap_err();
        assert!(
            error.to_string().starts_with("`inner`: is a list, but"),
            "{error}"
        );
        let error = from_value::<Outer>(json!({})).unwrap_err().to_string();
        assert_eq!(error, "the key `inner` is missing");
    }

    #[test]
    fn long_texts_are_shortened() {
        let message = error("width", json!("x".repeat(1000)));
        assert!(
            message.len() < 150 && message.contains("xxx...xxx"),
            "{message}"
        );
    }
}
