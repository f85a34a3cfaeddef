//! The errors of conversions along the spectrum.

use thiserror::Error;

use crate::layers::Order;

/// An error of a conversion between modules of the spectrum.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpectrumError {
    /// A module has its parts in the other order.
    #[error("module {index} has the order {found:?}, but only {expected:?} can be converted so")]
    Order {
        /// Index of the module.
        index: usize,
        /// Order that can be converted.
        expected: Order,
        /// Order of the module.
        found: Order,
    },
    /// A module begins with an activation, which has no place in the result.
    #[error("module {index} begins with ReLU: apply it after the module before")]
    InputRelu {
        /// Index of the module.
        index: usize,
    },
    /// Modules of a stack differ in something that all have to share.
    #[error("module {index} differs from the first in {what}")]
    Mixed {
        /// Index of the module.
        index: usize,
        /// What has to be the same, such as `the activation between the parts`.
        what: &'static str,
    },
    /// Channels can't be divided into branches of the same size.
    #[error("{channels} channels don't divide into {branches} branches of the same size")]
    Uneven {
        /// Number of output channels.
        channels: usize,
        /// Number of branches.
        branches: usize,
    },
    /// There is nothing to convert.
    #[error("there are no modules")]
    Empty,
}
