//! The published weights that are known.
//!
//! Nothing here was measured by this project. Where each part is from:
//!
//! - Keras: addresses and MD5 from `keras/src/applications/{xception,inception_v3,resnet}.py` of Keras 3.15, the same in
//!   keras-applications 1.0.8; preprocessing from the `preprocess_input` there, `mode="tf"` or `"caffe"`, and from
//!   `load_img`, which resizes to the target size with the nearest pixel; top-1 and top-5 from the errors of a single
//!   center crop in the README of keras-team/keras-applications (keras.io rounds the same); licences from the
//!   documentation of Keras 2 (`keras.io/applications`, "License"); sizes from the output of Keras as it downloads, in
//!   public notebooks.
//! - torchvision: addresses, transforms, top-1 and top-5 from the `Weights` in
//!   `torchvision/models/{resnet,inception}.py` of torchvision 0.29; the SHA-256 begins as the file's name says. Its whole
//!   digits and the size, where they are given, are those that several public repositories record for the file. Licences
//!   are those that timm 1.0 records for the same files; torchvision's own README says that weights may have licences of
//!   their own.
//! - timm: address and preprocessing from `timm/models/xception.py` of timm 1.0, `legacy_xception.tf_in1k`; top-1 and top-5
//!   from timm's `results/results-imagenet.csv`. R. Cadene's `pretrainedmodels`, for which the file was made, has it at
//!   `http://data.lip6.fr/cadene/pretrainedmodels/` and reports 78.888 and 94.292.

use xception_fetch::{Check, File};

use super::PretrainedWeights;
use super::family::{
    INCEPTION_V3_KERAS, INCEPTION_V3_TORCHVISION, XCEPTION_KERAS, XCEPTION_TIMM, resnet_keras,
    resnet_v1, resnet_v2,
};

const XCEPTION_TIMM_FILE: File = File {
    url: concat!(
        "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/",
        "xception-43020ad28.pth"
    ),
    name: "xception-43020ad28.pth",
    bytes: None,
    check: Check::Sha256Prefix("43020ad28"),
};

/// A file that Keras publishes: folder, what its name begins and ends with, size and MD5.
macro_rules! keras_file {
    ($folder:literal, $model:literal, $end:literal, $bytes:expr, $md5:literal) => {
        File {
            url: concat!(
                "https://storage.googleapis.com/tensorflow/keras-applications/",
                $folder,
                "/",
                $model,
                "_weights_tf_dim_ordering_tf_kernels",
                $end
            ),
            name: concat!($model, "_weights_tf_dim_ordering_tf_kernels", $end),
            bytes: $bytes,
            check: Check::Md5($md5),
        }
    };
}

/// A file that torchvision publishes: name, size and SHA-256.
macro_rules! torchvision_file {
    ($name:literal, $bytes:expr, $check:expr) => {
        File {
            url: concat!("https://download.pytorch.org/models/", $name),
            name: $name,
            bytes: $bytes,
            check: $check,
        }
    };
}

/// All weights, those of a network together; the first of a network are those that a new user wants.
pub const WEIGHTS: &[PretrainedWeights] = &[
    XCEPTION_KERAS.full(
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
    XCEPTION_KERAS.notop(
        "xception.keras-notop",
        keras_file!(
            "xception",
            "xception",
            "_notop.h5",
            Some(83_683_744),
            "b0042744bf5b25fce3cb969f33bebb97"
        ),
    ),
    XCEPTION_TIMM.full("xception.timm", XCEPTION_TIMM_FILE, [79.040, 94.382]),
    INCEPTION_V3_TORCHVISION.full(
        "inception_v3.torchvision",
        torchvision_file!(
            "inception_v3_google-0cc3c7bd.pth",
            Some(108_949_747),
            Check::Sha256Prefix("0cc3c7bd")
        ),
        [77.294, 93.450],
    ),
    INCEPTION_V3_KERAS.full(
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
    INCEPTION_V3_KERAS.notop(
        "inception_v3.keras-notop",
        keras_file!(
            "inception_v3",
            "inception_v3",
            "_notop.h5",
            Some(87_910_968),
            "bcbd6486424b2319ff4ef7d526e38f63"
        ),
    ),
    resnet_v1("resnet18").full(
        "resnet18.torchvision",
        torchvision_file!(
            "resnet18-f37072fd.pth",
            Some(46_830_571),
            Check::Sha256("f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec")
        ),
        [69.758, 89.078],
    ),
    resnet_v1("resnet34").full(
        "resnet34.torchvision",
        torchvision_file!(
            "resnet34-b627a593.pth",
            None,
            Check::Sha256Prefix("b627a593")
        ),
        [73.314, 91.420],
    ),
    resnet_v1("resnet50").full(
        "resnet50.torchvision",
        torchvision_file!(
            "resnet50-0676ba61.pth",
            Some(102_530_333),
            Check::Sha256("0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a")
        ),
        [76.130, 92.862],
    ),
    resnet_v2("resnet50").full(
        "resnet50.torchvision-v2",
        torchvision_file!(
            "resnet50-11ad3fa6.pth",
            Some(102_540_417),
            Check::Sha256("11ad3fa62ca79e40addfd354a8ec4b7c75143b3038b8d2a807fbc68deab379ca")
        ),
        [80.858, 95.434],
    ),
    resnet_keras("resnet50").full(
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
    resnet_keras("resnet50").notop(
        "resnet50.keras-notop",
        keras_file!(
            "resnet",
            "resnet50",
            "_notop.h5",
            Some(94_765_736),
            "4d473c1dd8becc155b73f8504c6f6626"
        ),
    ),
    resnet_v1("resnet101").full(
        "resnet101.torchvision",
        torchvision_file!(
            "resnet101-63fe2227.pth",
            None,
            Check::Sha256Prefix("63fe2227")
        ),
        [77.374, 93.546],
    ),
    resnet_v2("resnet101").full(
        "resnet101.torchvision-v2",
        torchvision_file!(
            "resnet101-cd907fc2.pth",
            None,
            Check::Sha256Prefix("cd907fc2")
        ),
        [81.886, 95.780],
    ),
    resnet_keras("resnet101").full(
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
    resnet_keras("resnet101").notop(
        "resnet101.keras-notop",
        keras_file!(
            "resnet",
            "resnet101",
            "_notop.h5",
            Some(171_446_536),
            "88cf7a10940856eca736dc7b7e228a21"
        ),
    ),
    resnet_v1("resnet152").full(
        "resnet152.torchvision",
        torchvision_file!(
            "resnet152-394f9c45.pth",
            None,
            Check::Sha256Prefix("394f9c45")
        ),
        [78.312, 94.046],
    ),
    resnet_v2("resnet152").full(
        "resnet152.torchvision-v2",
        torchvision_file!(
            "resnet152-f82ba261.pth",
            None,
            Check::Sha256Prefix("f82ba261")
        ),
        [82.284, 96.002],
    ),
    resnet_keras("resnet152").full(
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
    resnet_keras("resnet152").notop(
        "resnet152.keras-notop",
        keras_file!(
            "resnet",
            "resnet152",
            "_notop.h5",
            Some(234_698_864),
            "ee4c566cf9a93f14d82f913c2dc6dd0c"
        ),
    ),
];

#[cfg(test)]
mod tests {
    use super::super::Accuracy;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_those_of_model_and_source() {
        let names: BTreeSet<_> = WEIGHTS.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), WEIGHTS.len());
        for entry in WEIGHTS {
            let (model, source) = entry.name.split_once('.').unwrap();
            assert_eq!(model, entry.model);
            assert!(
                source.starts_with(&entry.source.to_string().to_lowercase()),
                "{source}"
            );
            assert_eq!(source.ends_with("notop"), entry.classes.is_none());
            assert_eq!(entry.classes.is_some(), entry.accuracy.is_some());
        }
    }

    #[test]
    fn files_are_different_and_fetchable() {
        let files: BTreeSet<_> = WEIGHTS.iter().map(|entry| entry.file.name).collect();
        let digits: BTreeSet<_> = WEIGHTS
            .iter()
            .map(|entry| entry.file.check.expected())
            .collect();
        assert_eq!((files.len(), digits.len()), (WEIGHTS.len(), WEIGHTS.len()));
        for entry in WEIGHTS {
            let file = entry.file;
            assert!(file.url.starts_with("https://"), "{}", file.url);
            assert!(
                file.url.ends_with(&format!("/{}", file.name)),
                "{}",
                file.url
            );
            let digits = file.check.expected();
            assert!(
                digits
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            );
            let told = match file.check {
                Check::Md5(_) => {
                    assert_eq!(digits.len(), 32);
                    continue;
                }
                Check::Sha256(_) => &digits[..8],
                Check::Sha256Prefix(_) => digits,
            };
            assert!(
                file.name.ends_with(&format!("-{told}.pth")),
                "{}",
                file.name
            );
        }
    }

    #[test]
    fn accuracies_are_shares_and_inputs_can_be_made() {
        for entry in WEIGHTS {
            if let Some(Accuracy { top1, top5, .. }) = entry.accuracy {
                assert!(60.0 < top1 && top1 < top5 && top5 < 100.0, "{}", entry.name);
            }
            assert!(entry.preset.preprocessing().check().is_ok());
        }
    }
}
