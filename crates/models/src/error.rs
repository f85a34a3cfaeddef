//! The errors of a model's configuration and input.

use thiserror::Error;
use xception_messages::{OutOfRange, bytes, count, hint};

/// An error in a model's configuration or its input.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ModelError {
    /// The registry has no model of this name.
    #[error("there is no model `{name}`{hint}; the models are {known}", hint = hint(.nearest.as_deref()))]
    UnknownModel {
        /// The name given.
        name: String,
        /// The known name closest to it.
        nearest: Option<String>,
        /// All known names.
        known: String,
    },
    /// A value of the configuration is out of its range.
    #[error("`{option}` is {found}, but has to be {expected}")]
    OutOfRange {
        /// The option's name.
        option: &'static str,
        /// The value found.
        found: String,
        /// The allowed values.
        expected: String,
    },
    /// The device couldn't compute, or its results couldn't be read.
    #[error("the device failed: {cause}")]
    Device {
        /// What Burn says.
        cause: String,
    },
    /// The network has more parameters than any machine can hold.
    #[error(
        "the network would have {} parameters ({}), and {} are the most: lower `width`, or the number of \
         classes, modules or units",
        count(*.parameters), bytes(4 * *.parameters), count(*.maximum)
    )]
    TooLarge {
        /// Number of trainable parameters.
        parameters: u64,
        /// Largest number of parameters allowed.
        maximum: u64,
    },
    /// No width gives the network the complexity wanted.
    #[error(
        "no width gives {network} {wanted} within 1 %: the nearest has {nearest}; another number of segments, classes \
         or modules may do"
    )]
    NoWidth {
        /// Name of the network.
        network: String,
        /// The complexity wanted, such as `500,000 parameters`.
        wanted: String,
        /// The nearest complexity.
        nearest: String,
    },
    /// The image is so small that the network's strides leave no pixels.
    #[error(
        "images of {} x {} pixels are too small for this network: it needs at least {minimum} x {minimum} \
         (a small-image stem needs less)", .size[0], .size[1]
    )]
    ImageTooSmall {
        /// Height and width of the image, in pixels.
        size: [usize; 2],
        /// Smallest height and width that the network takes, in pixels.
        minimum: usize,
    },
}

impl From<OutOfRange> for ModelError {
    fn from(error: OutOfRange) -> Self {
        let OutOfRange {
            option,
            found,
            expected,
        } = error;
        Self::OutOfRange {
            option,
            found,
            expected,
        }
    }
}
