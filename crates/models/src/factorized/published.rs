//! Published weights of the factorized network.

use crate::pretrained::PretrainedWeights;

/// Empty: the authors published no weights, and the network is this project's reconstruction.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[];
