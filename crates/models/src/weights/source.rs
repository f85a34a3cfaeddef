//! The conventions of each source of weights, which have to come with them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::layers::Padding;
use crate::preprocessing::{CAFFE_MEAN_BGR, Filter, Preprocessing, Preset, Scaling};
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
            count_include_pad: self != Self::Keras,
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
    pub fn preprocessing(self, config: &ModelConfig) -> Preprocessing {
        let preset = match (config, self) {
            (ModelConfig::Xception(_), Self::Keras) => Preset::KerasXception,
            (ModelConfig::Xception(_), _) => Preset::TimmXception,
            (ModelConfig::InceptionV3(_), Self::Keras) => Preset::KerasInceptionV3,
            (ModelConfig::InceptionV3(_), _) => Preset::TorchvisionInceptionV3,
            (ModelConfig::ResNet(_), Self::Keras) => Preset::KerasResnet50,
            (ModelConfig::ResNet(_), _) => Preset::TorchvisionResnetV1,
        };
        let preprocessing = preset.preprocessing();
        match (preset, self) {
            (Preset::TimmXception, Self::Cadene) => preprocessing.with_filter(Filter::Bilinear),
            (Preset::KerasResnet50, _) => Preprocessing {
                scaling: caffe_in_rgb(),
                ..preprocessing
            },
            _ => preprocessing,
        }
    }
}

/// Caffe's scaling with red first: at import the first convolution of Keras' ResNets is turned
/// around, since the networks here take red, green, blue whatever the source.
fn caffe_in_rgb() -> Scaling {
    let [blue, green, red] = CAFFE_MEAN_BGR;
    Scaling::MeanStd {
        mean: [red, green, blue].map(|mean| mean / 255.0),
        std: [1.0 / 255.0; 3],
    }
}
