//! Published weights of Inception V3.

use xception_fetch::Check;

use crate::preprocessing::Preset;
use crate::pretrained::{PretrainedWeights, Publication, keras_file, torchvision_file};

const KERAS: Publication =
    Publication::keras("inception_v3", Preset::KerasInceptionV3, "Apache-2.0");
const TORCHVISION: Publication =
    Publication::torchvision("inception_v3", Preset::TorchvisionInceptionV3, "Apache-2.0");

/// Weights of Inception V3; the first are recommended to a new user.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[
    TORCHVISION.full(
        "inception_v3.torchvision",
        torchvision_file!(
            "inception_v3_google-0cc3c7bd.pth",
            Some(108_949_747),
            Check::Sha256Prefix("0cc3c7bd")
        ),
        [77.294, 93.450],
    ),
    KERAS.full(
        "inception_v3.keras",
        keras_file!(
            "inception_v3",
            "inception_v3",
            ".h5",
            Some(96_112_376),
            "9a0d58056eeedaa3f26cb7ebd46da564"
        ),
        [77.898, 93.720],
    ),
    KERAS.notop(
        "inception_v3.keras-notop",
        keras_file!(
            "inception_v3",
            "inception_v3",
            "_notop.h5",
            Some(87_910_968),
            "bcbd6486424b2319ff4ef7d526e38f63"
        ),
    ),
];
