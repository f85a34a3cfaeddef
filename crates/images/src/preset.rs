//! The preprocessing of the published weights.
//!
//! | Preset | Resized | Filter | Kept | Scaling |
//! |---|---|---|---|---|
//! | timm `legacy_xception`, `inception_resnet_v2` | shortest side 333 | bicubic | center 299 | [-1, 1] |
//! | timm `xception41`, `xception65`, `xception71`, from TensorFlow | shortest side 331 | bicubic | center 299 | [-1, 1] |
//! | timm `xception41p`, `xception65`, `xception65p`, timm's own | shortest side 318 | bicubic | center 299 | [-1, 1] |
//! | torchvision Inception V3 | shortest side 342 | bilinear | center 299 | [-1, 1], see below |
//! | torchvision GoogLeNet | shortest side 256 | bilinear | center 224 | [-1, 1], see below |
//! | torchvision ResNets, V1; VGG-16 | shortest side 256 | bilinear | center 224 | ImageNet |
//! | torchvision ResNets, V2 | shortest side 232 | bilinear | center 224 | ImageNet |
//! | Keras Xception, Inception V3, Inception-ResNet V2 | 299 x 299 | nearest | all | [-1, 1] |
//! | Keras ResNet-50, VGG-16 | 224 x 224 | nearest | all | BGR less mean |
//!
//! torchvision's GoogLeNet and Inception V3 are documented with ImageNet's mean and standard
//! deviation, but their pretrained weights come with `transform_input=True`: the network's first
//! step turns that back into [-1, 1]. The networks here have no such step, so the preset scales to
//! [-1, 1] at once. A network that was trained with torchvision's `weights=None` has no such step either: there use
//! [`Scaling::imagenet`].
//!
//! Keras names no resampling for its weights: what the presets have is what its documented example
//! does, `load_img(path, target_size=..)`, whose default is `nearest`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    CAFFE_MEAN_BGR, Filter, Preprocessing, PreprocessingError, Resize, ResizeMode, Scaling,
};

/// The weights whose preprocessing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// timm's `legacy_xception.tf_in1k` (timm/models/xception.py: 299, `crop_pct` 0.8975, bicubic,
    /// mean and standard deviation 0.5), and Cadene's Xception, whose file that is.
    TimmXception,
    /// timm's `inception_resnet_v2.tf_in1k` and `tf_ens_adv_in1k` (timm/models/inception_resnet_v2.py: 299, `crop_pct`
    /// 0.8975, bicubic, mean and standard deviation 0.5).
    #[serde(rename = "timm-inception-resnet-v2")]
    TimmInceptionResnetV2,
    /// timm's `xception41.tf_in1k`, `xception65.tf_in1k` and `xception71.tf_in1k` (timm/models/xception_aligned.py: 299,
    /// `crop_pct` 0.903, bicubic, mean and standard deviation 0.5).
    TimmAlignedXception,
    /// timm's `xception65.ra3_in1k`, `xception41p.ra3_in1k` and `xception65p.ra3_in1k` (timm/models/xception_aligned.py:
    /// 299, `crop_pct` 0.94, bicubic, mean and standard deviation 0.5).
    TimmAlignedXceptionRa3,
    /// torchvision's `GoogLeNet_Weights.IMAGENET1K_V1` (torchvision/models/googlenet.py: the defaults
    /// of `ImageClassification`, resize 256, crop 224).
    TorchvisionGooglenet,
    /// torchvision's `Inception_V3_Weights.IMAGENET1K_V1` (torchvision/models/inception.py: resize
    /// 342, crop 299).
    #[serde(rename = "torchvision-inception-v3")]
    TorchvisionInceptionV3,
    /// torchvision's `ResNet*_Weights.IMAGENET1K_V1` (torchvision/models/resnet.py: resize 256,
    /// crop 224).
    #[serde(rename = "torchvision-resnet-v1")]
    TorchvisionResnetV1,
    /// torchvision's `ResNet*_Weights.IMAGENET1K_V2` (torchvision/models/resnet.py: resize 232,
    /// crop 224).
    #[serde(rename = "torchvision-resnet-v2")]
    TorchvisionResnetV2,
    /// torchvision's `VGG16_Weights.IMAGENET1K_V1` and `VGG16_BN_Weights.IMAGENET1K_V1`
    /// (torchvision/models/vgg.py: the defaults of `ImageClassification`, resize 256, crop 224).
    TorchvisionVgg16,
    /// Keras's `applications.xception` (`preprocess_input` of mode `tf`).
    KerasXception,
    /// Keras's `applications.inception_v3` (`preprocess_input` of mode `tf`).
    #[serde(rename = "keras-inception-v3")]
    KerasInceptionV3,
    /// Keras's `applications.inception_resnet_v2` (`preprocess_input` of mode `tf`).
    #[serde(rename = "keras-inception-resnet-v2")]
    KerasInceptionResnetV2,
    /// Keras's `applications.resnet` (`preprocess_input` of mode `caffe`).
    #[serde(rename = "keras-resnet50")]
    KerasResnet50,
    /// Keras's `applications.vgg16` (`preprocess_input` of mode `caffe`).
    KerasVgg16,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 14] = [
        Self::TimmXception,
        Self::TimmInceptionResnetV2,
        Self::TimmAlignedXception,
        Self::TimmAlignedXceptionRa3,
        Self::TorchvisionGooglenet,
        Self::TorchvisionInceptionV3,
        Self::TorchvisionResnetV1,
        Self::TorchvisionResnetV2,
        Self::TorchvisionVgg16,
        Self::KerasXception,
        Self::KerasInceptionV3,
        Self::KerasInceptionResnetV2,
        Self::KerasResnet50,
        Self::KerasVgg16,
    ];

    /// Returns the preset's name, as in configuration files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TimmXception => "timm-xception",
            Self::TimmInceptionResnetV2 => "timm-inception-resnet-v2",
            Self::TimmAlignedXception => "timm-aligned-xception",
            Self::TimmAlignedXceptionRa3 => "timm-aligned-xception-ra3",
            Self::TorchvisionGooglenet => "torchvision-googlenet",
            Self::TorchvisionInceptionV3 => "torchvision-inception-v3",
            Self::TorchvisionResnetV1 => "torchvision-resnet-v1",
            Self::TorchvisionResnetV2 => "torchvision-resnet-v2",
            Self::TorchvisionVgg16 => "torchvision-vgg16",
            Self::KerasXception => "keras-xception",
            Self::KerasInceptionV3 => "keras-inception-v3",
            Self::KerasInceptionResnetV2 => "keras-inception-resnet-v2",
            Self::KerasResnet50 => "keras-resnet50",
            Self::KerasVgg16 => "keras-vgg16",
        }
    }

    /// Returns the preprocessing.
    #[must_use]
    pub fn preprocessing(self) -> Preprocessing {
        // Fractions are chosen as timm does, such that the sizes come out whole: torchvision states
        // sizes to resize to, not fractions.
        let timm = |crop_fraction| {
            // [-1, 1] in the order of operations of timm.
            let (mean, std) = ([0.5; 3], [0.5; 3]);
            let scaling = Scaling::MeanStd { mean, std };
            Preprocessing::cropped(299, crop_fraction, Filter::Bicubic, scaling)
        };
        match self {
            Self::TimmXception | Self::TimmInceptionResnetV2 => timm(0.8975),
            Self::TimmAlignedXception => timm(0.903),
            Self::TimmAlignedXceptionRa3 => timm(0.94),
            Self::TorchvisionGooglenet => {
                Preprocessing::cropped(224, 0.875, Filter::Bilinear, Scaling::MinusOneToOne)
            }
            Self::TorchvisionInceptionV3 => {
                Preprocessing::cropped(299, 0.874, Filter::Bilinear, Scaling::MinusOneToOne)
            }
            Self::TorchvisionResnetV1 | Self::TorchvisionVgg16 => {
                Preprocessing::cropped(224, 0.875, Filter::Bilinear, Scaling::imagenet())
            }
            Self::TorchvisionResnetV2 => {
                Preprocessing::cropped(224, 0.965, Filter::Bilinear, Scaling::imagenet())
            }
            Self::KerasXception | Self::KerasInceptionV3 | Self::KerasInceptionResnetV2 => {
                Preprocessing::squashed(299, Scaling::MinusOneToOne)
            }
            Self::KerasResnet50 | Self::KerasVgg16 => Preprocessing::squashed(
                224,
                Scaling::CaffeBgr {
                    mean: CAFFE_MEAN_BGR,
                },
            ),
        }
    }
}

impl Preprocessing {
    /// Resizes the shortest side as Pillow does, then keeps the center.
    pub fn cropped(size: usize, crop_fraction: f64, filter: Filter, scaling: Scaling) -> Self {
        Self {
            size: [size, size],
            resize: Resize {
                filter,
                antialias: true,
                mode: ResizeMode::ShortestSide,
            },
            crop_fraction,
            scaling,
        }
    }

    /// Resizes the whole image, as Keras's `load_img` does it.
    pub fn squashed(size: usize, scaling: Scaling) -> Self {
        Self {
            size: [size, size],
            resize: Resize {
                filter: Filter::Nearest,
                // `load_img` resizes with Pillow, should another filter be chosen.
                antialias: true,
                mode: ResizeMode::Exact,
            },
            crop_fraction: 1.0,
            scaling,
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = PreprocessingError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|preset| preset.name() == name)
            .ok_or_else(|| PreprocessingError::UnknownName {
                what: "preprocessing preset",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::super::geometry::ResizedCrop;
    use super::*;

    #[test]
    fn sizes_are_the_published_ones() {
        for (preset, resized, kept) in [
            (Preset::TimmXception, 333, 299),
            (Preset::TimmInceptionResnetV2, 333, 299),
            (Preset::TimmAlignedXception, 331, 299),
            (Preset::TimmAlignedXceptionRa3, 318, 299),
            (Preset::TorchvisionGooglenet, 256, 224),
            (Preset::TorchvisionInceptionV3, 342, 299),
            (Preset::TorchvisionResnetV1, 256, 224),
            (Preset::TorchvisionResnetV2, 232, 224),
            (Preset::TorchvisionVgg16, 256, 224),
            (Preset::KerasXception, 299, 299),
            (Preset::KerasInceptionV3, 299, 299),
            (Preset::KerasInceptionResnetV2, 299, 299),
            (Preset::KerasResnet50, 224, 224),
            (Preset::KerasVgg16, 224, 224),
        ] {
            let settings = preset.preprocessing();
            let crop = ResizedCrop::new(
                [500, 500],
                settings.size,
                settings.resize.mode,
                settings.crop_fraction,
            );
            assert_eq!(crop.resized, [resized, resized], "{preset}");
            assert_eq!(crop.size, [kept, kept], "{preset}");
        }
    }

    #[test]
    fn every_preset_is_valid_and_named() {
        for preset in Preset::ALL {
            preset.preprocessing().check().unwrap();
            assert_eq!(preset.name().parse::<Preset>().unwrap(), preset);
            assert_eq!(
                serde_json::to_string(&preset).unwrap(),
                format!("\"{preset}\"")
            );
        }
        let error = "timm".parse::<Preset>().unwrap_err().to_string();
        assert!(error.contains("there are timm-xception, "), "{error}");
    }
}
