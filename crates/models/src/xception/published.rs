//! Published weights of Xception.

use xception_fetch::{Check, File};

use crate::preprocessing::Preset;
use crate::pretrained::{PretrainedWeights, Publication, keras_file};

const KERAS: Publication = Publication::keras("xception", Preset::KerasXception, "MIT");
/// The file was made for R. Cadene's `pretrainedmodels`, which has it at
/// `http://data.lip6.fr/cadene/pretrainedmodels/` and reports 78.888 and 94.292.
const TIMM: Publication = Publication::timm("xception", Preset::TimmXception, "Apache-2.0");

const TIMM_FILE: File = File {
    url: concat!(
        "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/",
        "xception-43020ad28.pth"
    ),
    name: "xception-43020ad28.pth",
    bytes: None,
    check: Check::Sha256Prefix("43020ad28"),
};

/// Weights of Xception; the first are recommended to a new user.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[
    KERAS.full(
        "xception.keras",
        keras_file!(
            "xception",
            "xception",
            ".h5",
            Some(91_884_032),
            "0a58e3b7378bc2990ea3b43d5981f1f6"
        ),
        [79.006, 94.452],
    ),
    KERAS.notop(
        "xception.keras-notop",
        keras_file!(
            "xception",
            "xception",
            "_notop.h5",
            Some(83_683_744),
            "b0042744bf5b25fce3cb969f33bebb97"
        ),
    ),
    TIMM.full("xception.timm", TIMM_FILE, [79.040, 94.382]),
];
