//! The reader of an enum.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};
use serde_json::Value;

use super::problem::Problem;
use super::strict::Strict;

/// One of several: a name, or an object of a name and its options.
pub(super) struct Choice {
    /// The name.
    pub(super) name: String,
    /// The options, if the name is the key of an object.
    pub(super) options: Option<Value>,
}

impl<'de> EnumAccess<'de> for Choice {
    type Error = Problem;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Problem> {
        let name: StrDeserializer<Problem> = self.name.as_str().into_deserializer();
        let choice = seed.deserialize(name)?;
        Ok((choice, self))
    }
}

impl Choice {
    /// Returns the options of a choice that has some.
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
