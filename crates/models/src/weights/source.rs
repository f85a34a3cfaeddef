//! The conventions of each source of weights, which have to come with them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ModelConfig;
use crate::preprocessing::Preprocessing;

/// Where weights come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// timm's `legacy_xception`.
    Timm,
    /// The Xception by Cadene that timm's was made from, whose last layer is `last_linear`.
    Cadene,
    /// torchvision's Inception V3 and ResNets, and what has their names.
    Torchvision,
    /// `keras.applications`, and what was made from them.
    Keras,
    /// This crate.
    Native,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            Self::Timm => "timm",
            Self::Cadene => "Cadene",
            Self::Torchvision => "torchvision",
            Self::Keras => "Keras",
            Self::Native => "this crate",
        })
    }
}

impl Source {
    /// Returns what the images of a network go through.
    pub fn preprocessing(self, config: &ModelConfig) -> Preprocessing {
        config.preprocessing(self)
    }
}
