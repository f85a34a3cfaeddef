//! The conventions of each source of weights, which have to come with them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::preprocessing::{Interpolation, Preprocessing, Scaling};
use crate::layers::Padding;
use crate::{InceptionV3Config, ModelConfig, ResNetConfig, XceptionConfig};

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
        f.write_str(match self {
            Self::Timm => "timm",
            Self::Cadene => "Cadene",
            Self::Torchvision => "torchvision",
            Self::Keras => "Keras",
            Self::Native => "this crate",
        })
    }
}

impl Source {
    /// Xception with 1000 classes as this source has it.
    pub fn xception(self) -> XceptionConfig {
        let base = XceptionConfig::default();
        match self {
            Self::Keras => XceptionConfig {
                padding: Padding::Same,
                batch_norm_epsilon: 1e-3,
                ..base
            },
            _ => base,
        }
    }

    /// Inception V3 with 1000 classes as this source has it.
    pub fn inception_v3(self) -> InceptionV3Config {
        InceptionV3Config {
            pool_counts_padding: self != Self::Keras,
            ..InceptionV3Config::default()
        }
    }

    /// ResNet-50 with 1000 classes as this source has it.
    pub fn resnet(self) -> ResNetConfig {
        let base = ResNetConfig::default();
        match self {
            Self::Keras => ResNetConfig {
                first_convolution_strided: true,
                batch_norm_epsilon: 1.001e-5,
                ..base
            },
            _ => base,
        }
    }

    /// What the images of a network go through.
    ///
    /// timm's crops are those of its configurations. Keras publishes its accuracies for a center
    /// crop of 87.5 %, and leaves the resizing to the user.
    pub fn preprocessing(self, config: &ModelConfig) -> Preprocessing {
        let imagenet = Preprocessing {
            size: 299,
            crop: 0.875,
            interpolation: Interpolation::Bilinear,
            scaling: Scaling::MinusOneToOne,
        };
        match (config, self) {
            (ModelConfig::Xception(_), Self::Timm | Self::Native) => Preprocessing {
                crop: 0.8975,
                interpolation: Interpolation::Bicubic,
                ..imagenet
            },
            (ModelConfig::Xception(_), Self::Cadene) => Preprocessing {
                crop: 0.8975,
                ..imagenet
            },
            (ModelConfig::InceptionV3(_), Self::Torchvision | Self::Native) => Preprocessing {
                crop: 299.0 / 342.0,
                ..imagenet
            },
            (ModelConfig::Xception(_) | ModelConfig::InceptionV3(_), _) => imagenet,
            (ModelConfig::ResNet(_), Self::Keras) => Preprocessing {
                size: 224,
                scaling: Scaling::CaffeMeans,
                ..imagenet
            },
            (ModelConfig::ResNet(_), _) => Preprocessing {
                size: 224,
                scaling: Scaling::ImageNet,
                ..imagenet
            },
        }
    }
}
