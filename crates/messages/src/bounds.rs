//! The range of a number in a configuration.

use std::fmt;
use std::ops::{Bound, RangeBounds};

use schemars::Schema;
use schemars::transform::Transform;
use serde_json::{Map, Value};
use thiserror::Error;

/// The range of a number in a configuration, stated once for what checks it, what an error says and what
/// the schema has.
///
/// ```
/// use xception_messages::Bounds;
///
/// const RATE: Bounds = Bounds::above(0.0).at_most(1.0);
/// assert!(RATE.contains(0.5) && !RATE.contains(0.0));
/// assert_eq!(RATE.to_string(), "more than 0 and at most 1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    lower: Bound<f64>,
    upper: Bound<f64>,
}

/// A value of an option that is out of its range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{option}` is {found}, but has to be {expected}")]
pub struct OutOfRange {
    /// The option's name.
    pub option: &'static str,
    /// The value found.
    pub found: String,
    /// The values that are allowed.
    pub expected: String,
}

impl Bounds {
    /// Creates the range of the numbers from this one on.
    pub const fn at_least(least: f64) -> Self {
        Self {
            lower: Bound::Included(least),
            upper: Bound::Unbounded,
        }
    }

    /// Creates the range of the numbers above this one.
    pub const fn above(bound: f64) -> Self {
        Self {
            lower: Bound::Excluded(bound),
            upper: Bound::Unbounded,
        }
    }

    /// Limits the range to numbers up to and including this one.
    #[must_use]
    pub const fn at_most(self, most: f64) -> Self {
        Self {
            upper: Bound::Included(most),
            ..self
        }
    }

    /// Limits the range to numbers below this one.
    #[must_use]
    pub const fn below(self, bound: f64) -> Self {
        Self {
            upper: Bound::Excluded(bound),
            ..self
        }
    }

    /// Returns whether a number is within the range. One that isn't finite never is.
    pub fn contains(&self, number: f64) -> bool {
        number.is_finite() && (self.lower, self.upper).contains(&number)
    }

    /// Returns whether a whole number is within the range.
    pub fn contains_count(&self, number: usize) -> bool {
        self.contains(number as f64)
    }

    /// Checks the value of an option that is a whole number.
    ///
    /// # Errors
    ///
    /// If it is outside of the range: [`OutOfRange`].
    pub fn check_count(&self, option: &'static str, value: usize) -> Result<(), OutOfRange> {
        if self.contains_count(value) {
            return Ok(());
        }
        Err(OutOfRange {
            option,
            found: value.to_string(),
            expected: self.to_string(),
        })
    }

    /// Checks the value of an option.
    ///
    /// # Errors
    ///
    /// If it is outside of the range: [`OutOfRange`].
    pub fn check(&self, option: &'static str, value: f64) -> Result<(), OutOfRange> {
        if self.contains(value) {
            return Ok(());
        }
        Err(OutOfRange {
            option,
            found: value.to_string(),
            expected: self.to_string(),
        })
    }

    /// Puts the range into a number's schema.
    pub fn of_number(self) -> impl Transform {
        move |schema: &mut Schema| self.write(schema.ensure_object())
    }

    /// Puts the range into the schema of a list, for each of its numbers.
    pub fn of_items(self) -> impl Transform {
        move |schema: &mut Schema| {
            if let Some(Value::Object(items)) = schema.get_mut("items") {
                self.write(items);
            }
        }
    }

    /// Puts the range into the schema of a map, for each of its values.
    pub fn of_values(self) -> impl Transform {
        move |schema: &mut Schema| {
            if let Some(Value::Object(patterns)) = schema.get_mut("patternProperties") {
                let values = patterns.values_mut().filter_map(Value::as_object_mut);
                values.for_each(|value| self.write(value));
            }
        }
    }

    /// Reads the range of a number's schema; `None` if it has none.
    pub fn of_schema(schema: &Map<String, Value>) -> Option<Self> {
        let number = |key: &str| schema.get(key).and_then(Value::as_f64);
        let bound = |included: &str, excluded: &str| match (number(included), number(excluded)) {
            (_, Some(bound)) => Bound::Excluded(bound),
            (Some(bound), None) => Bound::Included(bound),
            (None, None) => Bound::Unbounded,
        };
        let bounds = Self {
            lower: bound("minimum", "exclusiveMinimum"),
            upper: bound("maximum", "exclusiveMaximum"),
        };
        let unbounded = matches!(
            (bounds.lower, bounds.upper),
            (Bound::Unbounded, Bound::Unbounded)
        );
        (!unbounded).then_some(bounds)
    }

    fn write(self, schema: &mut Map<String, Value>) {
        let mut bound = |bound, included: &str, excluded: &str| {
            let (key, other, number) = match bound {
                Bound::Included(number) => (included, excluded, number),
                Bound::Excluded(number) => (excluded, included, number),
                Bound::Unbounded => return,
            };
            schema.shift_remove(other);
            schema.insert(key.to_owned(), plain(number));
        };
        bound(self.lower, "minimum", "exclusiveMinimum");
        bound(self.upper, "maximum", "exclusiveMaximum");
    }
}

/// Writes a whole number without its `.0`.
fn plain(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return Value::from(number as i64);
    }
    Value::from(number)
}

impl fmt::Display for Bounds {
    /// Writes the range as it follows "has to be".
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        if let (Bound::Included(least), Bound::Included(most)) = (self.lower, self.upper) {
            return write!(formatter, "from {least} to {most}");
        }
        let lower = match self.lower {
            Bound::Included(least) => format!("at least {least}"),
            Bound::Excluded(bound) => format!("more than {bound}"),
            Bound::Unbounded => String::new(),
        };
        let upper = match self.upper {
            Bound::Included(most) => format!("at most {most}"),
            Bound::Excluded(bound) => format!("less than {bound}"),
            Bound::Unbounded => String::new(),
        };
        let and = match lower.is_empty() || upper.is_empty() {
            true => "",
            false => " and ",
        };
        write!(formatter, "{lower}{and}{upper}")
    }
}

#[cfg(test)]
mod tests {
    use schemars::json_schema;
    use serde_json::json;

    use super::*;

    #[test]
    fn ends_are_in_or_out() {
        let dropout = Bounds::at_least(0.0).below(1.0);
        assert!(dropout.contains(0.0) && dropout.contains(0.999) && !dropout.contains(1.0));
        let width = Bounds::above(0.0).at_most(16.0);
        assert!(!width.contains(0.0) && width.contains(16.0) && !width.contains(16.1));
        let rate = Bounds::above(0.0);
        for number in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(!rate.contains(number), "{number}");
        }
    }

    #[test]
    fn the_words_follow_has_to_be() {
        let words = |bounds: Bounds| bounds.to_string();
        assert_eq!(words(Bounds::at_least(2.0)), "at least 2");
        assert_eq!(words(Bounds::above(0.0)), "more than 0");
        assert_eq!(words(Bounds::at_least(0.01).at_most(1.0)), "from 0.01 to 1");
        let below = Bounds::at_least(0.0).below(1.0);
        assert_eq!(words(below), "at least 0 and less than 1");
    }

    #[test]
    fn a_schema_gets_the_range_and_gives_it_back() {
        for bounds in [
            Bounds::at_least(2.0),
            Bounds::above(0.0).below(0.5),
            Bounds::above(0.0).at_most(16.0),
        ] {
            let mut schema = json_schema!({"type": "integer", "minimum": 0});
            bounds.of_number().transform(&mut schema);
            let keywords = schema.as_object().unwrap();
            assert_eq!(Bounds::of_schema(keywords), Some(bounds), "{keywords:?}");
        }
        let mut list = json_schema!({"type": "array", "items": {"type": "integer"}});
        Bounds::at_least(1.0).of_items().transform(&mut list);
        let items = json!({"type": "integer", "minimum": 1});
        assert_eq!(list.get("items"), Some(&items));
        let mut map = json_schema!({"patternProperties": {"^\\d+$": {"type": "integer"}}});
        Bounds::at_least(1.0).of_values().transform(&mut map);
        let values = json!({"^\\d+$": items});
        assert_eq!(map.get("patternProperties"), Some(&values));
        assert_eq!(Bounds::of_schema(&Map::new()), None);
    }
}
