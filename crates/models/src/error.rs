//! What can be wrong with a model's configuration or its input.

use thiserror::Error;
use xception_messages::{OutOfRange, bytes, count, hint};

/// What can be wrong with a model's configuration or its input.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ModelError {
    /// A model that the registry doesn't have.
    #[error("there is no model `{name}`{hint}; the models are {known}", hint = hint(.nearest.as_deref()))]
    UnknownModel {
        /// The name that was asked for.
        name: String,
        /// The known name that is most like it.
        nearest: Option<String>,
        /// All known names.
        known: String,
    },
    /// A value of a configuration that is out of its range.
    #[error("`{option}` is {found}, but has to be {expected}")]
    OutOfRange {
        /// The option's name.
        option: &'static str,
        /// The value found.
        found: String,
        /// The values that are allowed.
        expected: String,
    },
    /// A network that no machine has the memory for.
    #[error(
        "the network would have {} parameters ({}), and {} are the most: lower `width`, or the number of \
         classes, modules or units",
        count(*.parameters), bytes(4 * *.parameters), count(*.maximum)
    )]
    TooLarge {
        /// Trainable parameters.
        parameters: u64,
        /// The most a network may have.
        maximum: u64,
    },
    /// An image that the network's strides shrink to nothing.
    #[error(
        "images of {} x {} pixels are too small for this network: it needs at least {minimum} x {minimum} \
         (a small-image stem needs less)", .size[0], .size[1]
    )]
    ImageTooSmall {
        /// Height and width of the image, in pixels.
        size: [usize; 2],
        /// The smallest height and width the network takes, in pixels.
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
