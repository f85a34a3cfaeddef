//! The sources of weights, each with its own conventions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ModelConfig;
use crate::preprocessing::Preprocessing;

/// The source of weights, whose conventions they follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// timm's `legacy_xception`, `xception41` to `xception71`, `inception_resnet_v2` and `mobilenetv1_100`.
    Timm,
    /// Cadene's Xception and Inception-ResNet V2, from which timm's were made; their last layer is `last_linear`.
    Cadene,
    /// torchvision's GoogLeNet, Inception V3, ResNets, ResNeXts and VGG-16, and files with their names.
    Torchvision,
    /// pytorchcv's batch-normalized Inception and ShuffleNet.
    Pytorchcv,
    /// `keras.applications`, and models made from them.
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
            Self::Pytorchcv => "pytorchcv",
            Self::Keras => "Keras",
            Self::Native => "this crate",
        })
    }
}

impl Source {
    /// Returns the preprocessing that the source applies to a network's images.
    pub fn preprocessing(self, config: &ModelConfig) -> Preprocessing {
        config.preprocessing(self)
    }
}
