//! Starting from weights that are there already.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xception_messages::Bounds;

use super::error::Invalid;

const BACKBONE_RATE: Bounds = Bounds::above(0.0);

/// A run that starts from weights instead of from random numbers.
///
/// The network's options, such as its padding side, and what images go through are those of the
/// weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FineTuning {
    /// A weights file, the folder of a run, or a name that `xception weights list` has.
    #[schemars(example = &"xception.keras-notop")]
    pub weights: String,
    /// SHA-256 of the weights file, in lower-case hexadecimal, which the file then has to have. A run
    /// writes it into its record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    pub sha256: Option<String>,
    /// What becomes of the classifier that the weights have.
    #[serde(default)]
    pub head: StartingHead,
    /// What keeps its weights and its batch-norm statistics: `none` (everything learns), `backbone` (only
    /// the classifier learns) or `until:STAGE` (the stages up to this one, as `xception summary` names
    /// them, are frozen).
    #[serde(default)]
    #[schemars(example = Freeze::Until("block4".to_owned()))]
    pub freeze: Freeze,
    /// Factor on the learning rate of everything but the classifier; 1 for the same rate.
    #[serde(default = "one")]
    #[schemars(example = 0.1, transform = BACKBONE_RATE.of_number())]
    pub backbone_rate: f64,
}

fn one() -> f64 {
    1.0
}

/// What becomes of the classifier of the weights that a run starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartingHead {
    /// A new one with random weights, for the classes of the data.
    #[default]
    New,
    /// It stays; the data has to have its classes.
    Keep,
}

/// Which stages keep their weights and their batch-norm statistics. In JSON and on the command line
/// `none`, `backbone` or `until:STAGE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Freeze {
    /// None: everything learns.
    None,
    /// All: only the classifier learns.
    #[default]
    Backbone,
    /// The stages up to this one, which is frozen too, as `xception summary` names them.
    Until(String),
}

impl fmt::Display for Freeze {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("none"),
            Self::Backbone => formatter.write_str("backbone"),
            Self::Until(stage) => write!(formatter, "until:{stage}"),
        }
    }
}

impl FromStr for Freeze {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "backbone" => Ok(Self::Backbone),
            Some(("until", stage)) if !stage.is_empty() => Ok(Self::Until(stage.to_owned())),
            _ => Err(format!(
                "`{text}` is neither `none`, `backbone` nor `until:STAGE`, such as `until:block4`"
            )),
        }
    }
}

impl Serialize for Freeze {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Freeze {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Freeze {
    fn schema_name() -> Cow<'static, str> {
        "Freeze".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^(none|backbone|until:.+)$"})
    }
}

impl FineTuning {
    /// New head, frozen backbone.
    pub fn new(weights: impl Into<String>) -> Self {
        Self {
            weights: weights.into(),
            sha256: None,
            head: StartingHead::default(),
            freeze: Freeze::default(),
            backbone_rate: 1.0,
        }
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if self.weights.is_empty() {
            let expected = "a file, the folder of a run or the name of published weights";
            return Err(Invalid::new("finetune.weights", "empty", expected));
        }
        let rate = self.backbone_rate;
        if BACKBONE_RATE.contains(rate) {
            return Ok(());
        }
        Err(Invalid::new(
            "finetune.backbone_rate",
            rate,
            &format!("{BACKBONE_RATE} (to keep the backbone as it is, freeze it)"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_frozen_is_one_word() {
        for text in ["none", "backbone", "until:block4"] {
            assert_eq!(text.parse::<Freeze>().unwrap().to_string(), text);
        }
        for text in ["", "all", "until", "until:", "before:x"] {
            let error = text.parse::<Freeze>().unwrap_err();
            assert!(error.contains("until:STAGE"), "{error}");
        }
    }
}
