//! Published weights of Inception V2.

use crate::pretrained::PretrainedWeights;

/// Empty, since pytorchcv publishes its file (`bninception-0774-d79ba5f5.pth.zip`) in a zip archive, and a hash of what
/// is inside alone. A user can still load the unpacked file.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[];
