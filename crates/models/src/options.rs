//! The options that all networks have, and the ranges of their values.

use crate::limits;
use crate::width::WIDTH;
use crate::{Bounds, ModelError};

/// A number of classes.
pub(crate) const CLASSES: Bounds = Bounds::at_least(1.0).at_most(limits::CLASSES as f64);
/// The probability that dropout sets a value to zero.
pub(crate) const DROPOUT: Bounds = Bounds::at_least(0.0).below(1.0);
/// What batch normalization adds to the variance.
pub(crate) const EPSILON: Bounds = Bounds::above(0.0).below(1.0);

/// Checks the options that all networks have.
pub(crate) fn check(
    classes: usize,
    width: f64,
    dropout: f64,
    batch_norm_epsilon: f64,
) -> Result<(), ModelError> {
    CLASSES.check_count("classes", classes)?;
    WIDTH.check("width", width)?;
    DROPOUT.check("dropout", dropout)?;
    EPSILON.check("batch_norm_epsilon", batch_norm_epsilon)
}
