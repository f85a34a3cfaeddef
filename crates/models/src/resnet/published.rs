//! Published weights of ResNets and ResNeXts.

use xception_fetch::Check;

use crate::preprocessing::Preset;
use crate::pretrained::{PretrainedWeights, Publication, keras_file, torchvision_file};

const fn of_keras(model: &'static str) -> Publication {
    Publication::keras(model, Preset::KerasResnet50, "MIT")
}

/// Makes the facts about weights that reproduce the paper.
const fn first_recipe(model: &'static str) -> Publication {
    Publication::torchvision(model, Preset::TorchvisionResnetV1, "BSD-3-Clause")
}

/// Makes the facts about weights of torchvision's newer recipe.
const fn second_recipe(model: &'static str) -> Publication {
    Publication::torchvision(model, Preset::TorchvisionResnetV2, "BSD-3-Clause")
}

/// Weights of ResNets and ResNeXts, grouped by network; the first of each are recommended to a new user.
pub(crate) const WEIGHTS: &[PretrainedWeights] = &[
    first_recipe("resnet18").full(
        "resnet18.torchvision",
        torchvision_file!(
            "resnet18-f37072fd.pth",
            Some(46_830_571),
            Check::Sha256("f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec")
        ),
        [69.758, 89.078],
    ),
    first_recipe("resnet34").full(
        "resnet34.torchvision",
        torchvision_file!(
            "resnet34-b627a593.pth",
            None,
            Check::Sha256Prefix("b627a593")
        ),
        [73.314, 91.420],
    ),
    first_recipe("resnet50").full(
        "resnet50.torchvision",
        torchvision_file!(
            "resnet50-0676ba61.pth",
            Some(102_530_333),
            Check::Sha256("0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a")
        ),
        [76.130, 92.862],
    ),
    second_recipe("resnet50").full(
        "resnet50.torchvision-v2",
        torchvision_file!(
            "resnet50-11ad3fa6.pth",
            Some(102_540_417),
            Check::Sha256("11ad3fa62ca79e40addfd354a8ec4b7c75143b3038b8d2a807fbc68deab379ca")
        ),
        [80.858, 95.434],
    ),
    of_keras("resnet50").full(
        "resnet50.keras",
        keras_file!(
            "resnet",
            "resnet50",
            ".h5",
            Some(102_967_424),
            "2cb95161c43110f7111970584f804107"
        ),
        [74.928, 92.060],
    ),
    of_keras("resnet50").notop(
        "resnet50.keras-notop",
        keras_file!(
            "resnet",
            "resnet50",
            "_notop.h5",
            Some(94_765_736),
            "4d473c1dd8becc155b73f8504c6f6626"
        ),
    ),
    first_recipe("resnet101").full(
        "resnet101.torchvision",
        torchvision_file!(
            "resnet101-63fe2227.pth",
            None,
            Check::Sha256Prefix("63fe2227")
        ),
        [77.374, 93.546],
    ),
    second_recipe("resnet101").full(
        "resnet101.torchvision-v2",
        torchvision_file!(
            "resnet101-cd907fc2.pth",
            None,
            Check::Sha256Prefix("cd907fc2")
        ),
        [81.886, 95.780],
    ),
    of_keras("resnet101").full(
        "resnet101.keras",
        keras_file!(
            "resnet",
            "resnet101",
            ".h5",
            Some(179_648_224),
            "f1aeb4b969a6efcfb50fad2f0c20cfc5"
        ),
        [76.420, 92.786],
    ),
    of_keras("resnet101").notop(
        "resnet101.keras-notop",
        keras_file!(
            "resnet",
            "resnet101",
            "_notop.h5",
            Some(171_446_536),
            "88cf7a10940856eca736dc7b7e228a21"
        ),
    ),
    first_recipe("resnet152").full(
        "resnet152.torchvision",
        torchvision_file!(
            "resnet152-394f9c45.pth",
            None,
            Check::Sha256Prefix("394f9c45")
        ),
        [78.312, 94.046],
    ),
    second_recipe("resnet152").full(
        "resnet152.torchvision-v2",
        torchvision_file!(
            "resnet152-f82ba261.pth",
            None,
            Check::Sha256Prefix("f82ba261")
        ),
        [82.284, 96.002],
    ),
    of_keras("resnet152").full(
        "resnet152.keras",
        keras_file!(
            "resnet",
            "resnet152",
            ".h5",
            None,
            "100835be76be38e30d865e96f2aaae62"
        ),
        [76.604, 93.118],
    ),
    of_keras("resnet152").notop(
        "resnet152.keras-notop",
        keras_file!(
            "resnet",
            "resnet152",
            "_notop.h5",
            Some(234_698_864),
            "ee4c566cf9a93f14d82f913c2dc6dd0c"
        ),
    ),
    first_recipe("resnext50_32x4d").full(
        "resnext50_32x4d.torchvision",
        torchvision_file!(
            "resnext50_32x4d-7cdf4587.pth",
            Some(100_441_675),
            Check::Sha256Prefix("7cdf4587")
        ),
        [77.618, 93.698],
    ),
    second_recipe("resnext50_32x4d").full(
        "resnext50_32x4d.torchvision-v2",
        torchvision_file!(
            "resnext50_32x4d-1a0047aa.pth",
            None,
            Check::Sha256Prefix("1a0047aa")
        ),
        [81.198, 95.340],
    ),
];
