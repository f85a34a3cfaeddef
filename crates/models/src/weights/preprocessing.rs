//! What a network's images went through before it was trained on them.

use serde::{Deserialize, Serialize};

/// How pixels become the numbers that a network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// From 0..255 to [-1, 1], as Xception and Inception V3 take them.
    #[default]
    MinusOneToOne,
    /// From 0..255 to [0, 1].
    ZeroToOne,
    /// From 0..255 to [0, 1], less ImageNet's mean (0.485, 0.456, 0.406), over its standard
    /// deviation (0.229, 0.224, 0.225): torchvision's ResNets.
    ImageNet,
    /// Blue, green, red, each 0..255 less ImageNet's mean (103.939, 116.779, 123.68), as in Caffe:
    /// Keras' ResNet-50. The networks here take red, green, blue whatever the source, so a loader
    /// turns the first convolution around; what remains is to subtract the means.
    CaffeMeans,
}

impl Scaling {
    /// Offset and factor of each channel, red first: a pixel value `p` of 0..255 becomes
    /// `(p - offset) * factor`.
    pub const fn offset_and_factor(self) -> [(f32, f32); 3] {
        match self {
            Self::MinusOneToOne => [(127.5, 1.0 / 127.5); 3],
            Self::ZeroToOne => [(0.0, 1.0 / 255.0); 3],
            Self::ImageNet => [
                (0.485 * 255.0, 1.0 / (0.229 * 255.0)),
                (0.456 * 255.0, 1.0 / (0.224 * 255.0)),
                (0.406 * 255.0, 1.0 / (0.225 * 255.0)),
            ],
            Self::CaffeMeans => [(123.68, 1.0), (116.779, 1.0), (103.939, 1.0)],
        }
    }
}

/// How an image is brought to its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// Between two pixels each way.
    #[default]
    Bilinear,
    /// Between four pixels each way.
    Bicubic,
}

/// What a network's images go through.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Height and width of the images that go into the network, in pixels.
    pub size: usize,
    /// The share of the resized image's side that the center crop keeps.
    pub crop: f64,
    /// How images are resized.
    pub interpolation: Interpolation,
    /// How pixels are scaled.
    pub scaling: Scaling,
}
