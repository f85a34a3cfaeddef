//! Published weights of MobileNet V1.

use crate::pretrained::PretrainedWeights;

/// Empty, since Keras publishes no hashes for its files, and timm's hub gives none by name. A user can still load
/// either from a file.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[];
