//! Published weights of VGG-16.

use xception_fetch::Check;

use crate::preprocessing::Preset;
use crate::pretrained::{PretrainedWeights, Publication, keras_file, torchvision_file};

const KERAS: Publication = Publication::keras("vgg16", Preset::KerasVgg16, "CC-BY-4.0");

/// Makes the facts about weights of torchvision, whose recipe is that of its first ResNets.
const fn of_torchvision(model: &'static str) -> Publication {
    Publication::torchvision(model, Preset::TorchvisionVgg16, "BSD-3-Clause")
}

/// Weights of VGG-16, the first of which are recommended to a new user, and of VGG-16 with batch normalization.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[
    of_torchvision("vgg16").full(
        "vgg16.torchvision",
        torchvision_file!(
            "vgg16-397923af.pth",
            Some(553_433_881),
            Check::Sha256("397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0")
        ),
        [71.592, 90.382],
    ),
    KERAS.full(
        "vgg16.keras",
        keras_file!(
            "vgg16",
            "vgg16",
            ".h5",
            Some(553_467_096),
            "64373286793e3c8b2b4e3219cbf3544b"
        ),
        [71.268, 90.050],
    ),
    KERAS.notop(
        "vgg16.keras-notop",
        keras_file!(
            "vgg16",
            "vgg16",
            "_notop.h5",
            Some(58_889_256),
            "6d6bbae143d832006294945121d1f1fc"
        ),
    ),
    of_torchvision("vgg16_bn").full(
        "vgg16_bn.torchvision",
        torchvision_file!(
            "vgg16_bn-6c64b313.pth",
            Some(553_507_836),
            Check::Sha256("6c64b3138f2f4fcb3bcc4cafde11619c4f440eb1631787e93a682fd88305888a")
        ),
        [73.360, 91.516],
    ),
];
