//! Reading JSON values so that an error says in plain words what doesn't fit, with the path of the value.
//!
//! Stricter than serde_json: a struct is an object, never a list of its fields' values.

mod choice;
mod problem;
mod strict;
mod words;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub(super) use words::shown;

use super::error::Invalid;
use strict::Strict;

/// Reads a value; an error has the path and, for an unknown name, the nearest known one.
pub(super) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        Invalid::saying(path, error.into_inner().to_string())
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Map, json};

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
