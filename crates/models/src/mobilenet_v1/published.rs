//! The weights that others publish for MobileNet V1.

use crate::pretrained::PretrainedWeights;

/// No file: Keras publishes no hash of its files, and timm's are on a hub that gives none by name. Both are read from
/// where a user has them.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[];
