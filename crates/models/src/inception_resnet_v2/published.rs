//! Published weights of Inception-ResNet V2.

use xception_fetch::{Check, File};

use crate::preprocessing::Preset;
use crate::pretrained::{PretrainedWeights, Publication, keras_file};

const KERAS: Publication = Publication::keras(
    "inception_resnet_v2",
    Preset::KerasInceptionResnetV2,
    "Apache-2.0",
);
const TIMM: Publication = Publication::timm(
    "inception_resnet_v2",
    Preset::TimmInceptionResnetV2,
    "Apache-2.0",
);

/// Makes a [`File`] of timm's first releases, from its name and the first digits of its SHA-256. The classifier in it has
/// the background as its class 0, which isn't loaded.
macro_rules! timm_file {
    ($name:literal, $digits:literal) => {
        File {
            url: concat!(
                "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/",
                $name
            ),
            name: $name,
            bytes: Some(223_774_238),
            check: Check::Sha256Prefix($digits),
        }
    };
}

/// Weights of Inception-ResNet V2; the first are recommended to a new user.
///
/// All come from the authors' checkpoints for TF-Slim: `inception_resnet_v2_2016_08_30`, and for the second
/// `ens_adv_inception_resnet_v2_2017_08_18`, which was trained on adversarial images of an ensemble too (F. Tramèr et al.,
/// *Ensemble Adversarial Training*, 2017).
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[
    TIMM.full(
        "inception_resnet_v2.timm",
        timm_file!("inception_resnet_v2-940b1cd6.pth", "940b1cd6"),
        [80.434, 95.312],
    ),
    TIMM.full(
        "inception_resnet_v2.timm-ens-adv",
        timm_file!("ens_adv_inception_resnet_v2-2592a550.pth", "2592a550"),
        [79.998, 94.940],
    ),
    KERAS.full(
        "inception_resnet_v2.keras",
        keras_file!(
            "inception_resnet_v2",
            "inception_resnet_v2",
            ".h5",
            None,
            "e693bd0210a403b3192acc6073ad2e96"
        ),
        [80.256, 95.252],
    ),
    KERAS.notop(
        "inception_resnet_v2.keras-notop",
        keras_file!(
            "inception_resnet_v2",
            "inception_resnet_v2",
            "_notop.h5",
            Some(219_055_592),
            "d19885ff4a710c122648d3b5c3b684e4"
        ),
    ),
];
