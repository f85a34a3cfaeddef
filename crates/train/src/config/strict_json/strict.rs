//! The reader of a value.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde_json::{Map, Value};

use super::choice::Choice;
use super::problem::Problem;
use super::words::{listed, one_of};

/// A value that is read.
pub(super) struct Strict(pub(super) Value);

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
    let members = object
        .into_iter()
        .map(|(key, value)| (Key(key), Strict(value)));
    visitor.visit_map(MapDeserializer::new(members))
}

/// A key of an object: a name, or a whole number where the type has these as keys.
struct Key(String);

impl IntoDeserializer<'_, Problem> for Key {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Key {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_string(self.0)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.0.parse() {
            Ok(number) => visitor.visit_u64(number),
            Err(_) => visitor.visit_string(self.0),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
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
