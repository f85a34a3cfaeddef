//! The statistics that inputs are normalized with.

use xception_images::{Preprocessing, Scaling};

use crate::DataError;

/// Statistics of each channel on the scale of 0 to 1: an input is `(pixel / 255 - mean) / std`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    /// The mean of red, green and blue.
    pub mean: [f32; 3],
    /// The standard deviation of red, green and blue.
    pub std: [f32; 3],
}

impl Normalization {
    /// Returns the scaling of a preprocessing as mean and standard deviation.
    ///
    /// # Errors
    ///
    /// [`DataError::Scaling`] where the order of the channels changes too.
    pub fn of(preprocessing: &Preprocessing) -> Result<Self, DataError> {
        match preprocessing.scaling {
            Scaling::MinusOneToOne => Ok(Self {
                mean: [0.5; 3],
                std: [0.5; 3],
            }),
            Scaling::MeanStd { mean, std } => Ok(Self { mean, std }),
            Scaling::CaffeBgr { .. } => Err(DataError::Scaling),
        }
    }

    /// CIFAR-10: the statistics of the 50,000 training images, as commonly published. Computed from the files they are
    /// (0.49140, 0.48216, 0.44653) and (0.24703, 0.24349, 0.26159).
    pub const CIFAR10: Self = Self {
        mean: [0.4914, 0.4822, 0.4465],
        std: [0.2470, 0.2435, 0.2616],
    };

    /// CIFAR-100: the statistics of the 50,000 training images, as commonly published.
    pub const CIFAR100: Self = Self {
        mean: [0.5071, 0.4865, 0.4409],
        std: [0.2673, 0.2564, 0.2762],
    };

    /// Returns the factor and the summand with which a channel's pixel, from 0 to 255, becomes an input. The summand
    /// is what a black pixel becomes.
    pub(crate) fn scale_and_bias(&self, channel: usize) -> (f32, f32) {
        let (mean, std) = (self.mean[channel], self.std[channel]);
        (1.0 / (255.0 * std), -mean / std)
    }
}
