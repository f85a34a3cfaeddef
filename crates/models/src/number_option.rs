//! Options that are one of a few published numbers.

/// Gives an enumeration the form of its numbers in JSON: a schema that lists them, and conversions to and from `usize`, which
/// `serde(into, try_from)` takes. The type has all its values as `ALL`, and the number of a value as the method named here; an
/// error names the option.
macro_rules! number_option {
    ($type:ident, $number:ident, $option:literal) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let numbers = Self::ALL.map(Self::$number);
                schemars::json_schema!({"type": "integer", "enum": numbers})
            }
        }

        impl From<$type> for usize {
            fn from(value: $type) -> Self {
                value.$number()
            }
        }

        impl TryFrom<usize> for $type {
            type Error = crate::ModelError;

            fn try_from(number: usize) -> Result<Self, Self::Error> {
                let found = Self::ALL.into_iter().find(|value| value.$number() == number);
                found.ok_or_else(|| crate::ModelError::OutOfRange {
                    option: $option,
                    found: number.to_string(),
                    expected: crate::number_option::one_of(&Self::ALL.map(Self::$number)),
                })
            }
        }
    };
}

pub(crate) use number_option;

/// Lists numbers, such as `8, 16 or 32`.
pub(crate) fn one_of(numbers: &[usize]) -> String {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    let texts: Vec<_> = numbers.iter().map(usize::to_string).collect();
    match texts.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        texts => texts.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_listed_from_the_smallest() {
        assert_eq!(one_of(&[32, 16, 8]), "8, 16 or 32");
        assert_eq!(one_of(&[1, 2]), "1 or 2");
        assert_eq!(one_of(&[7]), "7");
    }
}
