//! From 8-bit pixels to the numbers a network was trained on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PreprocessingError;
use xception_messages::Bounds;

/// Mean of ImageNet's training images, red, green and blue, of pixels in [0, 1] (torchvision).
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of ImageNet's training images, red, green and blue, of pixels in [0, 1]
/// (torchvision).
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];
/// Mean of ImageNet's training images, blue, green and red, of pixels in [0, 255] (Caffe, Keras).
pub const CAFFE_MEAN_BGR: [f32; 3] = [103.939, 116.779, 123.68];

// The schema's examples are named and in double precision: an attribute takes an array only where another crate turns on
// all of `syn`, and single precision would be written with digits that nobody chose.
const MEAN_EXAMPLE: [f64; 3] = [0.485, 0.456, 0.406];
const STD_EXAMPLE: [f64; 3] = [0.229, 0.224, 0.225];
const CAFFE_MEAN_EXAMPLE: [f64; 3] = [103.939, 116.779, 123.68];
/// A standard deviation.
const STD: Bounds = Bounds::above(0.0);

/// A scaling of 8-bit pixels to a network's input.
///
/// Every variant computes in single precision and in the order of operations of its source, so that
/// the numbers are the same to the last bit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scaling {
    /// `x / 127.5 - 1`, from -1 to 1: Keras's mode `tf`.
    MinusOneToOne,
    /// `(x / 255 - mean) / std`: torchvision's `ToTensor` and `Normalize`.
    MeanStd {
        /// Mean of red, green and blue, of pixels in [0, 1].
        #[schemars(example = MEAN_EXAMPLE)]
        mean: [f32; 3],
        /// Standard deviation of red, green and blue, of pixels in [0, 1].
        #[schemars(example = STD_EXAMPLE, transform = STD.of_items())]
        std: [f32; 3],
    },
    /// `x - mean`, with the channels in the order blue, green, red: Keras's mode `caffe`.
    CaffeBgr {
        /// Mean of blue, green and red, of pixels in [0, 255].
        #[schemars(example = CAFFE_MEAN_EXAMPLE)]
        mean: [f32; 3],
    },
}

impl Scaling {
    /// Returns the scaling by the mean and standard deviation of ImageNet's training images.
    #[must_use]
    pub fn imagenet() -> Self {
        Self::MeanStd {
            mean: IMAGENET_MEAN,
            std: IMAGENET_STD,
        }
    }

    /// Checks that the scaling gives finite numbers.
    ///
    /// # Errors
    ///
    /// If a mean isn't finite, or a standard deviation isn't finite and more than zero: [`PreprocessingError::OutOfRange`].
    pub fn check(&self) -> Result<(), PreprocessingError> {
        let (mean, std) = match self {
            Self::MinusOneToOne => return Ok(()),
            Self::MeanStd { mean, std } => (mean, *std),
            Self::CaffeBgr { mean } => (mean, [1.0; 3]),
        };
        if !mean.iter().all(|value| value.is_finite()) {
            return Err(PreprocessingError::OutOfRange {
                option: "scaling.mean",
                found: format!("{mean:?}"),
                expected: "three finite numbers".to_owned(),
            });
        }
        let divides = |value: &f32| value.is_normal() && STD.contains((*value).into());
        if !std.iter().all(divides) {
            return Err(PreprocessingError::OutOfRange {
                option: "scaling.std",
                found: format!("{std:?}"),
                expected: format!("three finite numbers, each {STD}"),
            });
        }
        Ok(())
    }

    /// Returns the channel of the RGB image that the network's channel `channel` shows.
    pub(super) fn source_channel(&self, channel: usize) -> usize {
        match self {
            Self::CaffeBgr { .. } => 2 - channel,
            Self::MinusOneToOne | Self::MeanStd { .. } => channel,
        }
    }

    /// Returns the scaled value of each of the 256 pixel values, for the network's channel `channel`.
    pub(super) fn table(&self, channel: usize) -> [f32; 256] {
        std::array::from_fn(|value| {
            let value = value as f32;
            match self {
                Self::MinusOneToOne => value / 127.5 - 1.0,
                Self::MeanStd { mean, std } => (value / 255.0 - mean[channel]) / std[channel],
                Self::CaffeBgr { mean } => value - mean[channel],
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_the_range() {
        let table = Scaling::MinusOneToOne.table(0);
        assert_eq!([table[0], table[255]], [-1.0, 1.0]);
        let table = Scaling::imagenet().table(1);
        assert!((table[0] + 0.456 / 0.224).abs() < 1e-6);
        assert!((table[255] - (1.0 - 0.456) / 0.224).abs() < 1e-6);
        let caffe = Scaling::CaffeBgr {
            mean: CAFFE_MEAN_BGR,
        };
        assert_eq!(caffe.table(0)[0], -103.939);
        assert_eq!(caffe.table(2)[255], 255.0 - 123.68);
        assert_eq!([0, 1, 2].map(|c| caffe.source_channel(c)), [2, 1, 0]);
    }

    #[test]
    fn half_and_half_is_minus_one_to_one() {
        let half = Scaling::MeanStd {
            mean: [0.5; 3],
            std: [0.5; 3],
        };
        let pairs = half
            .table(0)
            .into_iter()
            .zip(Scaling::MinusOneToOne.table(0));
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() <= 1.2e-7));
    }

    /// torchvision's Inception V3 takes images scaled by ImageNet's mean and standard deviation and
    /// undoes that inside (`transform_input`): together that is the scaling to [-1, 1].
    #[test]
    fn transform_input_undoes_the_normalization() {
        for channel in 0..3 {
            let normalized = Scaling::imagenet().table(channel);
            let expected = Scaling::MinusOneToOne.table(channel);
            for (value, expected) in normalized.into_iter().zip(expected) {
                let transformed =
                    value * (IMAGENET_STD[channel] / 0.5) + (IMAGENET_MEAN[channel] - 0.5) / 0.5;
                assert!((transformed - expected).abs() < 3e-7);
            }
        }
    }

    #[test]
    fn scalings_without_finite_results_are_refused() {
        for (mean, std, expected) in [
            (
                [f32::NAN, 0.0, 0.0],
                [1.0; 3],
                "`scaling.mean` is [NaN, 0.0, 0.0]",
            ),
            (
                [0.0; 3],
                [1.0, 0.0, 1.0],
                "`scaling.std` is [1.0, 0.0, 1.0]",
            ),
            (
                [0.0; 3],
                [1.0, 1.0, -1.0],
                "`scaling.std` is [1.0, 1.0, -1.0]",
            ),
            (
                [0.0; 3],
                [1.0, f32::INFINITY, 1.0],
                "`scaling.std` is [1.0, inf, 1.0]",
            ),
        ] {
            let error = Scaling::MeanStd { mean, std }.check().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        Scaling::imagenet().check().unwrap();
    }

    #[test]
    fn unknown_fields_are_refused() {
        let text = r#"{"mean_std": {"mean": [0, 0, 0], "std": [1, 1, 1], "scale": 2}}"#;
        let error = serde_json::from_str::<Scaling>(text).unwrap_err();
        assert!(
            error.to_string().contains("unknown field `scale`"),
            "{error}"
        );
        let text = serde_json::to_string(&Scaling::MinusOneToOne).unwrap();
        assert_eq!(text, "\"minus_one_to_one\"");
    }
}
