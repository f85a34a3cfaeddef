//! Published weights of ShuffleNet V1.

use crate::pretrained::PretrainedWeights;

/// Empty, since pytorchcv publishes each file inside of a zip archive, and a hash of the file alone. A user can still load
/// a file that pytorchcv has unpacked.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[];
