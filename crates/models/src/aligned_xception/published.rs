//! Published weights of the aligned Xception.

use xception_fetch::{Check, File};

use crate::preprocessing::Preset;
use crate::pretrained::{PretrainedWeights, Publication};

/// Makes the facts about weights that timm converted from DeepLab's checkpoints for TensorFlow.
const fn of_tensorflow(model: &'static str) -> Publication {
    Publication::timm(model, Preset::TimmAlignedXception, "Apache-2.0")
}

/// Makes the facts about weights of timm's own recipe, `RA3`.
const fn of_timm(model: &'static str) -> Publication {
    Publication::timm(model, Preset::TimmAlignedXceptionRa3, "Apache-2.0")
}

/// Makes a [`File`] of timm's releases, from the release, its name and the first digits of its SHA-256.
macro_rules! timm_file {
    ($release:literal, $name:literal, $digits:literal) => {
        File {
            url: concat!(
                "https://github.com/rwightman/pytorch-image-models/releases/download/",
                $release,
                "/",
                $name
            ),
            name: $name,
            bytes: None,
            check: Check::Sha256Prefix($digits),
        }
    };
}

/// Weights of the aligned Xception, grouped by network; the first of each are recommended to a new user.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[
    of_tensorflow("xception41").full(
        "xception41.timm-tf",
        timm_file!("v0.1-weights", "tf_xception_41-e6439c97.pth", "e6439c97"),
        [78.504, 94.276],
    ),
    of_timm("xception65").full(
        "xception65.timm-ra3",
        timm_file!(
            "v0.1-tpu-weights",
            "xception65_ra3-1447db8d.pth",
            "1447db8d"
        ),
        [83.182, 96.592],
    ),
    of_tensorflow("xception65").full(
        "xception65.timm-tf",
        timm_file!("v0.1-weights", "tf_xception_65-c9ae96e8.pth", "c9ae96e8"),
        [79.556, 94.654],
    ),
    of_tensorflow("xception71").full(
        "xception71.timm-tf",
        timm_file!("v0.1-weights", "tf_xception_71-8eec7df1.pth", "8eec7df1"),
        [79.872, 94.928],
    ),
    of_timm("xception41p").full(
        "xception41p.timm-ra3",
        timm_file!(
            "v0.1-tpu-weights",
            "xception41p_ra3-33195bc8.pth",
            "33195bc8"
        ),
        [81.972, 95.796],
    ),
    of_timm("xception65p").full(
        "xception65p.timm-ra3",
        timm_file!(
            "v0.1-tpu-weights",
            "xception65p_ra3-3c6114e4.pth",
            "3c6114e4"
        ),
        [83.136, 96.484],
    ),
];
