//! What a network says of an image, class by class.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

use super::Loaded;
use crate::Network;

/// The score of a class for an image.
///
/// Displayed as people read it, such as ` 93.1 %  Egyptian cat`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassScore {
    /// Index of the class, from 0.
    pub index: usize,
    /// Name of the class, if there are [labels](Loaded::labels).
    pub name: Option<String>,
    /// The network's output for the class.
    pub logit: f32,
    /// The [probability](Loaded::probabilities) that the logit stands for, from 0 to 1.
    pub probability: f32,
}

impl fmt::Display for ClassScore {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let percent = 100.0 * self.probability;
        match &self.name {
            Some(name) => write!(formatter, "{percent:5.1} %  {name}"),
            None => write!(formatter, "{percent:5.1} %  class {}", self.index),
        }
    }
}

/// A row of numbers that aren't the logits of an image.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LogitsError {
    /// There isn't one number for each class.
    #[error("{found} logits aren't those of one image: the network has {classes} classes")]
    Count {
        /// The number of logits.
        found: usize,
        /// The network's number of classes.
        classes: usize,
    },
    /// A number is infinite or undefined.
    #[error(
        "the network's output isn't finite numbers ({logit} for class {index}): its weights are damaged, or their training \
         diverged"
    )]
    NotFinite {
        /// Index of the first such class.
        index: usize,
        /// Its logit.
        logit: f32,
    },
}

impl Loaded {
    /// Returns the likeliest classes of an image, at most `count` of them, in descending order; of equal ones the first comes first.
    ///
    /// `logits` is the network's output for the image, a number for each class.
    ///
    /// # Errors
    ///
    /// If there isn't one number for each class, or one is infinite or undefined.
    pub fn top_classes(
        &self,
        logits: &[f32],
        count: usize,
    ) -> Result<Vec<ClassScore>, LogitsError> {
        let classes = self.model.classes();
        if logits.len() != classes {
            let found = logits.len();
            return Err(LogitsError::Count { found, classes });
        }
        if let Some(index) = logits.iter().position(|logit| !logit.is_finite()) {
            let logit = logits[index];
            return Err(LogitsError::NotFinite { index, logit });
        }
        let mut order: Vec<usize> = (0..classes).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        let probability = probabilities(logits, self.multi_label);
        let score = |index: usize| ClassScore {
            index,
            name: self
                .labels
                .as_ref()
                .and_then(|labels| labels.name(index))
                .map(str::to_owned),
            logit: logits[index],
            probability: probability(logits[index]),
        };
        Ok(order.into_iter().take(count).map(score).collect())
    }
}

/// Returns the function from a logit among these to its probability: that of [`Loaded::probabilities`], on the host.
fn probabilities(logits: &[f32], multi_label: bool) -> impl Fn(f32) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .iter()
        .map(|&logit| f64::from(logit - largest).exp())
        .sum();
    move |logit| match multi_label {
        true => (1.0 / (1.0 + f64::from(-logit).exp())) as f32,
        false => (f64::from(logit - largest).exp() / sum) as f32,
    }
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use super::*;
    use crate::ModelConfig;
    use crate::preprocessing::Labels;
    use crate::weights::Source;

    fn loaded(multi_label: bool) -> Loaded {
        let config = ModelConfig::named("resnet18").unwrap();
        let config = config.with_width(0.1).with_classes(4);
        Loaded {
            source: Source::Native,
            model: config.init(&Device::flex()).unwrap(),
            preprocessing: Source::Native.preprocessing(&config),
            labels: Some(Labels::parse("a\nb\nc\n")),
            multi_label,
            config,
        }
    }

    #[test]
    fn the_likeliest_come_first() {
        let found = loaded(false).top_classes(&[1.0, 3.0, 3.0, 3.5], 3).unwrap();
        let indices: Vec<_> = found.iter().map(|score| score.index).collect();
        assert_eq!(indices, [3, 1, 2]);
        let lines: Vec<_> = found.iter().map(ClassScore::to_string).collect();
        assert_eq!(lines, [" 43.6 %  class 3", " 26.4 %  b", " 26.4 %  c"]);
        assert_eq!(found[1].logit, 3.0);
    }

    #[test]
    fn probabilities_are_those_on_the_device() {
        let logits = [-2.5, 30.0, 0.25, 29.0];
        for multi_label in [false, true] {
            let loaded = loaded(multi_label);
            let row = Tensor::<2>::from_data([logits], &Device::flex());
            let expected = loaded.probabilities(row).into_data();
            let expected = expected.as_slice::<f32>().unwrap();
            for score in loaded.top_classes(&logits, 4).unwrap() {
                let difference = score.probability - expected[score.index];
                assert!(difference.abs() < 1e-6, "{score:?}: {difference}");
            }
        }
    }

    #[test]
    fn what_no_image_has_is_an_error() {
        let loaded = loaded(false);
        let error = |logits: &[f32]| loaded.top_classes(logits, 4).unwrap_err().to_string();
        assert_eq!(
            error(&[0.0; 8]),
            "8 logits aren't those of one image: the network has 4 classes"
        );
        let expected = "the network's output isn't finite numbers (NaN for class 2): its weights are damaged, or their \
                        training diverged";
        assert_eq!(error(&[0.0, 1.0, f32::NAN, f32::INFINITY]), expected);
    }
}
