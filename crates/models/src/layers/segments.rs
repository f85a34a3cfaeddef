//! The place of a layer in the spectrum from a regular convolution to a depthwise separable one.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits;

/// The word for [`Segments::Channels`] in JSON.
const CHANNELS: &str = "channels";
/// What a value has to be.
const EXPECTED: &str = "a number of segments, or \"channels\" for one per channel";

/// The number of segments into which the channels of a spatial convolution are divided, each with a convolution of its own
/// (F. Chollet, *Xception*, 2017, figure 3).
///
/// In JSON it is a number, or `"channels"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Segments {
    /// A segment for each channel, which makes the convolution depthwise (figure 4).
    #[default]
    Channels,
    /// This number of segments, if there are as many channels: 1 makes the convolution a regular one.
    Number(usize),
}

impl Segments {
    /// Returns the number of segments of a layer with this many channels: the greatest that is not above the number given
    /// and divides the channels evenly.
    pub fn of(self, channels: usize) -> usize {
        match self {
            Self::Channels => channels,
            Self::Number(number) => (1..=number.min(channels))
                .rev()
                .find(|number| channels.is_multiple_of(*number))
                .unwrap_or(1),
        }
    }

    /// Returns the number of which the channels of a layer have to be a multiple, so that it has exactly this number of
    /// segments.
    pub(crate) fn divisor(self) -> usize {
        match self {
            Self::Channels => 1,
            Self::Number(number) => number.max(1),
        }
    }
}

impl fmt::Display for Segments {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Channels => f.pad(CHANNELS),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl Serialize for Segments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Channels => serializer.serialize_str(CHANNELS),
            Self::Number(number) => number.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Segments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrWord;

        impl Visitor<'_> for NumberOrWord {
            type Value = Segments;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str(EXPECTED)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Segments, E> {
                let unexpected = Unexpected::Unsigned(number);
                usize::try_from(number)
                    .map(Segments::Number)
                    .map_err(|_| E::invalid_value(unexpected, &self))
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Segments, E> {
                match word {
                    CHANNELS => Ok(Segments::Channels),
                    other => Err(E::invalid_value(Unexpected::Str(other), &self)),
                }
            }
        }

        deserializer.deserialize_any(NumberOrWord)
    }
}

impl JsonSchema for Segments {
    fn schema_name() -> Cow<'static, str> {
        "Segments".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {
                "type": "string",
                "const": CHANNELS,
                "description": "One for each channel: depthwise separable convolutions.",
            },
            {"type": "integer", "minimum": 1, "maximum": limits::SEGMENTS, "description": "This number; 1 makes 3x3 convolutions regular ones."},
        ]})
    }
}

/// The order of the two parts of a separable convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The spatial convolution first, as in a depthwise separable convolution.
    #[default]
    DepthwiseFirst,
    /// The 1x1 convolution first, as in an Inception module.
    PointwiseFirst,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_divide_the_channels_evenly() {
        for channels in 1..100 {
            for number in 1..100 {
                let segments = Segments::Number(number).of(channels);
                assert!(channels.is_multiple_of(segments) && segments <= number);
                if channels.is_multiple_of(number) {
                    assert_eq!(segments, number);
                }
            }
            assert_eq!(Segments::Channels.of(channels), channels);
            assert_eq!(Segments::Number(1000).of(channels), channels);
        }
        assert_eq!(Segments::Number(5).of(8), 4);
    }

    #[test]
    fn is_a_number_or_a_word_in_json() {
        for (segments, text) in [
            (Segments::Channels, "\"channels\""),
            (Segments::Number(8), "8"),
        ] {
            assert_eq!(serde_json::to_string(&segments).unwrap(), text);
            assert_eq!(serde_json::from_str::<Segments>(text).unwrap(), segments);
        }
        for wrong in ["\"all\"", "-1", "1.5", "null"] {
            let error = serde_json::from_str::<Segments>(wrong).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("or \"channels\""), "{error}");
        }
    }
}
