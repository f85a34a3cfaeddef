//! What is known of a published weights file.

use serde::Serialize;
use xception_fetch::File;
use xception_messages::nearest;

use super::{PretrainedError, WEIGHTS};
use crate::preprocessing::Preset;
use crate::weights::Source;

/// A published weights file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PretrainedWeights {
    /// The name to fetch it by: that of the network and that of the source, such as `xception.keras`.
    pub name: &'static str,
    /// The network's name in the registry of models, such as `xception`.
    pub model: &'static str,
    /// The program whose names the tensors have.
    pub source: Source,
    /// Address, file name and hash.
    pub file: File<'static>,
    /// The number of classes; `None` where the file has no classifier.
    pub classes: Option<usize>,
    /// What its publisher does to an image before the network sees it.
    pub preset: Preset,
    /// How well it does on ImageNet; `None` where the file has no classifier.
    pub accuracy: Option<Accuracy>,
    /// The licence that its publisher names, as an SPDX identifier.
    pub license: Option<&'static str>,
}

/// The share of ImageNet's validation images that a network recognizes from a single crop, as reported.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    /// In percent, with its first guess.
    pub top1: f64,
    /// In percent, with one of its first five guesses.
    pub top5: f64,
    /// Who reports that.
    pub source: &'static str,
}

/// The weights of this name.
///
/// # Errors
///
/// [`PretrainedError::UnknownWeights`] where there are none, with the name that is most like it.
pub fn find(name: &str) -> Result<&'static PretrainedWeights, PretrainedError> {
    if let Some(entry) = WEIGHTS.iter().find(|entry| entry.name == name) {
        return Ok(entry);
    }
    let names = WEIGHTS.iter().map(|entry| entry.name);
    let of_model = WEIGHTS.iter().find(|entry| entry.model == name);
    let nearest = of_model
        .map(|entry| entry.name)
        .or_else(|| nearest(name, names.clone()));
    let nearest = nearest.map(str::to_owned);
    Err(PretrainedError::UnknownWeights {
        name: name.to_owned(),
        nearest,
        known: names.collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_finds_its_entry() {
        for entry in WEIGHTS.iter() {
            assert_eq!(find(entry.name).unwrap(), entry);
        }
    }

    #[test]
    fn a_wrong_name_gets_the_nearest() {
        for (wrong, right) in [
            ("xception", "xception.keras"),
            ("Xception.Keras", "xception.keras"),
            ("resnet50.torchvison", "resnet50.torchvision"),
            ("inceptionv3.keras", "inception_v3.keras"),
            ("resnet50.torchvision_v2", "resnet50.torchvision-v2"),
        ] {
            let error = find(wrong).unwrap_err().to_string();
            let hint = format!("did you mean `{right}`?");
            assert!(error.contains(&hint), "{wrong}: {error}");
        }
        let error = find("qqq").unwrap_err().to_string();
        assert!(error.contains("resnet152.keras") && !error.contains("did you mean"));
    }
}
