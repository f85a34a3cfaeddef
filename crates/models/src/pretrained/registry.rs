//! The registry of published weights.
//!
//! All figures are those of the publishers; none was measured by this project. They come from:
//!
//! - Keras: addresses and MD5 from `keras/src/applications/{xception,inception_v3,inception_resnet_v2,resnet}.py` of
//!   Keras 3.15, which agree with keras-applications 1.0.8; preprocessing from the `preprocess_input` there, `mode="tf"` or `"caffe"`,
//!   and from `load_img`, which resizes to the target size by nearest neighbor; top-1 and top-5 from the errors of a
//!   single center crop in the README of keras-team/keras-applications (keras.io has the rounded values); licences
//!   from the documentation of Keras 2 (`keras.io/applications`, "License"); sizes from Keras' messages during
//!   downloads, in public notebooks.
//! - torchvision: addresses, transforms, top-1 and top-5 from the `Weights` in
//!   `torchvision/models/{resnet,inception}.py` of torchvision 0.29; the first digits of the SHA-256 from the file's
//!   name. Full hashes and sizes, if present, are those that several public repositories record for the file; that of
//!   ResNeXt-50's first weights is the size that timm's documentation of the network has.
//!   Licences are those that timm 1.0 records for these files; torchvision's README says that weights may have
//!   licences of their own.
//! - timm: address and preprocessing from `timm/models/xception.py` of timm 1.0, `legacy_xception.tf_in1k`; top-1 and
//!   top-5 from timm's `results/results-imagenet.csv`. Of Inception-ResNet V2: addresses from
//!   `timm/models/inception_resnet_v2.py` of timm 0.6.13, since timm 1.0 gives no hashes of its files; preprocessing from
//!   that of timm 1.0; sizes from the pages of both models in timm's `hfdocs`; the first digits of the SHA-256 from the
//!   file's name.
//! - The aligned Xceptions: addresses from `timm/models/xception_aligned.py` of timm 0.6.13, and of 0.5.4 for the first
//!   weights of `xception65`, since timm 1.0 gives no hashes of its files; preprocessing and licence from that of timm 1.0,
//!   where they are `xception41.tf_in1k`, `xception65.ra3_in1k` and so on; top-1 and top-5 from timm's
//!   `results/results-imagenet.csv`; the first digits of the SHA-256 from the file's name.
//! - VGG-16: from the same places, `keras/src/applications/vgg16.py`, `mode="caffe"`, and `torchvision/models/vgg.py`,
//!   whose transform is the default of torchvision's `ImageClassification`. The documentation of Keras 2 says that the
//!   weights are those of the Visual Geometry Group at Oxford, under CC BY 4.0; timm records torchvision's as
//!   `vgg16.tv_in1k` and `vgg16_bn.tv_in1k`.
//! - GoogLeNet: from `torchvision/models/googlenet.py`, with the same default transform, which `transform_input=True`
//!   turns into [-1, 1]; the full hash is the one that two public repositories record. torchvision ported the file from
//!   TF-Slim, and neither it nor timm states a licence.

use std::sync::LazyLock;

use super::PretrainedWeights;
use crate::registry::published_weights;

/// All published weights, grouped by network; the first of each network are recommended to a new user.
pub static WEIGHTS: LazyLock<Vec<PretrainedWeights>> = LazyLock::new(published_weights);

#[cfg(test)]
mod tests {
    use super::super::Accuracy;
    use std::collections::BTreeSet;

    use xception_fetch::Check;

    use super::*;

    #[test]
    fn names_are_those_of_model_and_source() {
        let names: BTreeSet<_> = WEIGHTS.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), WEIGHTS.len());
        for entry in WEIGHTS.iter() {
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
        for entry in WEIGHTS.iter() {
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
        for entry in WEIGHTS.iter() {
            if let Some(Accuracy { top1, top5, .. }) = entry.accuracy {
                assert!(60.0 < top1 && top1 < top5 && top5 < 100.0, "{}", entry.name);
            }
            assert!(entry.preset.preprocessing().check().is_ok());
        }
    }
}
