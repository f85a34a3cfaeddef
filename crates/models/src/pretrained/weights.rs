//! The description of a published weights file.

use serde::Serialize;
use xception_fetch::File;
use xception_messages::nearest;

use super::{PretrainedError, WEIGHTS};
use crate::preprocessing::Preset;
use crate::weights::Source;

/// A published weights file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PretrainedWeights {
    /// Name of the weights, made of the network's and the source's, such as `xception.keras`.
    pub name: &'static str,
    /// The network's name in the registry of models, such as `xception`.
    pub model: &'static str,
    /// Program whose names the tensors have.
    pub source: Source,
    /// Address, file name and hash.
    pub file: File<'static>,
    /// Number of classes; `None` if the file has no classifier.
    pub classes: Option<usize>,
    /// Preprocessing that the publisher applies to images.
    pub preset: Preset,
    /// Accuracy on ImageNet; `None` if the file has no classifier.
    pub accuracy: Option<Accuracy>,
    /// Licence that the publisher states, as an SPDX identifier.
    pub license: Option<&'static str>,
}

/// The reported accuracy on ImageNet's validation images, from a single crop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    /// Top-1 accuracy in percent.
    pub top1: f64,
    /// Top-5 accuracy in percent.
    pub top5: f64,
    /// Publication that reports it.
    pub source: &'static str,
}

/// Finds the published weights of this name.
///
/// # Errors
///
/// [`PretrainedError::UnknownWeights`], with the closest known name, if there are none.
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
