//! Published weights of GoogLeNet.

use xception_fetch::Check;

use crate::preprocessing::Preset;
use crate::pretrained::{PretrainedWeights, Publication, torchvision_file};

/// Neither torchvision nor timm states a licence for this file. It was ported from a checkpoint of TF-Slim.
const TORCHVISION: Publication =
    Publication::torchvision_without_license("googlenet", Preset::TorchvisionGooglenet);

/// Weights of GoogLeNet.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[TORCHVISION.full(
    "googlenet.torchvision",
    torchvision_file!(
        "googlenet-1378be20.pth",
        None,
        Check::Sha256("1378be20a8e875cf1568b8a71654e704449655e34711a959a38b04fb34905cef")
    ),
    [69.778, 89.530],
)];
