//! What a run and an ablation leave on disk, and the only thing a report is made from.
//!
//! Every record is plain JSON. Numbers are written as they were computed, never rounded, so that a
//! report made again from the records is the same report.

mod check;
mod confusion;
pub(crate) mod layout;
#[cfg(test)]
pub(crate) mod synthetic;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use check::Asked;
pub use confusion::{Confusion, Mistake};

/// Version of the record layout. A reader rejects records of another version.
pub const RECORD_VERSION: u32 = 1;

/// Everything an ablation leaves: what was asked, and what each variant gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AblationRecord {
    /// [`RECORD_VERSION`].
    pub version: u32,
    /// Short name, also the name of its folder.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What the ablation asks, in a sentence or two.
    pub question: String,
    /// The settings that every variant shares, for people: (name, value).
    pub settings: Vec<(String, String)>,
    /// The data set that was used.
    pub data: DataRecord,
    /// Where it ran.
    pub environment: EnvironmentRecord,
    /// The command that repeats it.
    pub command: String,
    /// Seeds, in the order they are run; each variant has one run for each.
    pub seeds: Vec<u64>,
    /// Number of epochs a run lasts.
    pub epochs: usize,
    /// Name of the variant the others are compared with.
    pub base: String,
    /// The variants, in the order of the configuration.
    pub variants: Vec<VariantRecord>,
    /// What the literature says about these variants.
    pub claims: Vec<Claim>,
}

/// A claim of the literature that an ablation can test: one variant is better than another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The claim in a sentence.
    #[schemars(example = &"With residual connections the network ends at a higher accuracy.")]
    pub text: String,
    /// Where it was made: paper, section or figure.
    #[schemars(example = &"F. Chollet, Xception, section 4.6 and figure 9")]
    pub source: String,
    /// The quantity in which one variant is better.
    pub metric: ClaimMetric,
    /// Name of the variant that is said to be better.
    #[schemars(example = &"base")]
    pub better: String,
    /// Name of the variant that is said to be worse.
    #[schemars(example = &"no residual")]
    pub worse: String,
}

/// The quantity a [`Claim`] compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "The quantity that a claim compares.")]
#[serde(rename_all = "snake_case")]
pub enum ClaimMetric {
    /// Top-1 accuracy of the best epoch; higher is better.
    BestTop1,
    /// Top-1 accuracy after the last epoch; higher is better.
    FinalTop1,
    /// Top-1 accuracy on the test images after the epoch that is best on the images held back for validation; higher is
    /// better. It needs `data.validation_images`.
    ChosenTop1,
    /// Training loss of the last epoch; lower is better.
    FinalTrainLoss,
    /// Area under the curve of test top-1 by epoch (its mean over epochs): a measure of how fast a
    /// run converges; higher is better.
    MeanTop1,
    /// Mean average precision of the 100 classes with the greatest logits, on the test images after the last epoch; higher is
    /// better. It needs images with sets of labels, such as those of `data.mosaic`.
    FinalMap100,
    /// Area under the curve of test MAP@100 by epoch (its mean over epochs); higher is better.
    MeanMap100,
}

/// One variant: a resolved configuration, trained once for each seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantRecord {
    /// Name, unique in the ablation.
    pub name: String,
    /// What the variant sets, for people: (path, value).
    pub changes: Vec<(String, String)>,
    /// Trainable parameters.
    pub parameters: u64,
    /// Multiply-adds of a forward pass for one image; `None`, and left out of JSON, if the network doesn't count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiply_adds: Option<u64>,
    /// Every value of its resolved configuration, for people: (path, value). It is taken from the description of a run, so a
    /// variant has none before its first run, nor in `ablation.json`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<(String, String)>,
    /// The runs so far, at most one for each seed, in the order of the seeds.
    pub runs: Vec<RunRecord>,
    /// Runs whose records can't be used; they are not among [`runs`](Self::runs).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<DamagedRun>,
}

/// A run whose record can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamagedRun {
    /// The run's seed.
    pub seed: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// One run: one variant, one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`RECORD_VERSION`].
    pub version: u32,
    /// The seed of the weights, the data order, the augmentation and dropout.
    pub seed: u64,
    /// Whether the run came to its end.
    pub state: RunState,
    /// Trainable parameters.
    pub parameters: u64,
    /// The epochs so far, in order; `epoch` counts from 1.
    pub epochs: Vec<EpochRecord>,
    /// Where the loss or its gradients became infinite or not a number, if they did. Runs of earlier versions don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divergence: Option<Divergence>,
    /// SHA-256 of the trained network, `model.bpk`, in hexadecimal, once it is written. Runs of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_sha256: Option<String>,
    /// What it was made with and from. The run's own `record.json` has none, since `run.json` beside it says the same: it is
    /// taken from there where runs are put together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<RunOrigin>,
}

/// The code and the data that a run was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOrigin {
    /// Versions of the program that began it, as [`EnvironmentRecord::versions`].
    pub versions: Vec<(String, String)>,
    /// See [`EnvironmentRecord::program_sha256`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_sha256: Option<String>,
    /// See [`DataRecord::sha256`].
    pub data_sha256: String,
}

impl RunRecord {
    /// Returns the epoch with the highest top-1 accuracy on the images held back for validation, the first among equals;
    /// `None` where there were no such images.
    pub fn chosen_epoch(&self) -> Option<&EpochRecord> {
        let scored = |epoch: &EpochRecord| Some(epoch.validation?.top1);
        let mut epochs = self.epochs.iter().filter(|epoch| scored(epoch).is_some());
        let first = epochs.next()?;
        Some(
            epochs.fold(first, |best, epoch| match scored(epoch) > scored(best) {
                true => epoch,
                false => best,
            }),
        )
    }

    /// Returns what became infinite or not a number where the run diverged, as a phrase.
    pub fn diverging(&self) -> &'static str {
        match self.divergence.is_some_and(|at| at.of_gradients) {
            true => "the gradients",
            false => "the training loss",
        }
    }
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Under way, or stopped before the end; it goes on from its last checkpoint.
    Unfinished,
    /// All epochs done.
    Finished,
    /// The loss, or in mixed precision its gradients, became infinite or not a number; the run ended there.
    Diverged,
}

/// The step at which a run's loss, or in mixed precision its gradients, became infinite or not a number. The network is that before
/// this step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step, from 1 over the whole run.
    pub step: usize,
    /// The step's learning rate.
    pub learning_rate: f64,
    /// Whether the loss was finite, and its gradients overflowed with the smallest scale that mixed precision has; left out of JSON
    /// where it wasn't so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_gradients: bool,
}

/// What one epoch gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counts from 1.
    pub epoch: usize,
    /// Optimization steps done in this epoch.
    pub steps: usize,
    /// Those of them that were left out in mixed precision, since their gradients overflowed; left out of JSON where there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped_steps: usize,
    /// Learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Means over the epoch's training batches, in training mode.
    pub train: Scores,
    /// Means over the images held back for validation, in evaluation mode, after the epoch. As all scores but those of the
    /// training images, they are of the network that the run leaves: where the recipe has moving averages, of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Scores>,
    /// Means over the test set, in evaluation mode, after the epoch.
    pub test: Scores,
    /// The scores of the weights themselves, beside those of their moving averages; `None`, and left out of JSON, where the recipe
    /// has no averages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightScores>,
    /// Wall-clock seconds of the training part.
    pub train_seconds: f64,
    /// Wall-clock seconds of scoring the validation and the test images.
    pub test_seconds: f64,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Scores of weights that were averaged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WeightScores {
    /// Means over the images held back for validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Scores>,
    /// Means over the test set.
    pub test: Scores,
}

/// Loss and accuracies over a set of images.
///
/// A network predicts the class whose logit is greater than all others. A tie for the greatest and a logit
/// that is not a number count against it. Where an image has a set of labels, the prediction is right if it is one of them, and
/// the right class with the greatest logit stands for the set in top-5.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Mean cross-entropy in nats, over all classes with a set of labels; not finite (`null` in JSON) where a run diverged.
    #[serde(with = "finite_or_null")]
    pub loss: f64,
    /// Fraction of images whose prediction is right, 0 to 1.
    pub top1: f64,
    /// Fraction of images with fewer than five classes at or above the right one, 0 to 1; `None`, and left
    /// out of JSON, where five predictions always hold the right class (see [`Scores::has_top5`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top5: Option<f64>,
    /// Mean average precision of the 100 classes with the greatest logits, 0 to 1, where each class counts by its share of all
    /// labels; `None`, and left out of JSON, for training images and where an image has one class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map100: Option<f64>,
    /// Number of images.
    pub images: usize,
}

impl Scores {
    /// Returns whether top-5 accuracy is a figure with this number of classes: with five or fewer, five
    /// predictions hold every class.
    pub fn has_top5(classes: usize) -> bool {
        classes > 5
    }
}

/// Writes such as `loss 1.203, top-1 50.0 %, top-5 90.0 %`. The precision is that of percentages, 2 where none
/// is given; a loss has two decimals more.
impl fmt::Display for Scores {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let decimals = formatter.precision().unwrap_or(2);
        match self.loss.is_finite() {
            true => write!(formatter, "loss {:.*}", decimals + 2, self.loss)?,
            false => write!(formatter, "loss not finite")?,
        }
        write!(formatter, ", top-1 {:.decimals$} %", 100.0 * self.top1)?;
        if let Some(top5) = self.top5 {
            write!(formatter, ", top-5 {:.decimals$} %", 100.0 * top5)?;
        }
        match self.map100 {
            Some(map100) => write!(formatter, ", MAP@100 {:.decimals$} %", 100.0 * map100),
            None => Ok(()),
        }
    }
}

/// The data set of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// Name, for people.
    pub name: String,
    /// As given on the command line or in the configuration, such as `embedded`.
    pub source: String,
    /// SHA-256 of the data, in hexadecimal: see [`Dataset::sha256`](crate::data::Dataset::sha256).
    pub sha256: String,
    /// Number of classes.
    pub classes: usize,
    /// Number of labels of an image, or the most where these differ; `None`, and left out of JSON, where each has the one class
    /// that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<usize>,
    /// Mean number of labels of a training image, where images have different numbers of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_labels: Option<f64>,
    /// Number of images that are trained on.
    pub train_images: usize,
    /// Number of training images held back for validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_images: Option<usize>,
    /// Number of test images.
    pub test_images: usize,
    /// Height and width in pixels.
    pub size: [usize; 2],
    /// How to cite it.
    pub citation: String,
}

/// Where a run was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentRecord {
    /// Name of the backend, such as `flex`.
    pub backend: String,
    /// The device, as the backend names it.
    pub device: String,
    /// The devices that share each batch, by the names they were given, the main one first; empty where it is one device's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Processor model, empty where it can't be read.
    pub processor: String,
    /// Logical processors available to the program.
    pub threads: usize,
    /// Operating system and architecture.
    pub platform: String,
    /// Versions: (`xception`, `0.1.0`), (`burn`, `0.22.1`)...
    pub versions: Vec<(String, String)>,
    /// SHA-256 of the program's executable file, in hexadecimal: it tells builds of one version apart. Known of runs alone, and
    /// not of those of earlier versions, nor where the file can't be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_sha256: Option<String>,
}

/// JSON has no infinity: a loss that is not finite is written as `null` and read as NaN.
pub(crate) mod finite_or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_epoch_is_the_first_of_the_best_on_validation_images() {
        let mut run = synthetic::complete().variants[0].runs[0].clone();
        assert_eq!(run.chosen_epoch(), None);
        for (epoch, top1) in run
            .epochs
            .iter_mut()
            .zip([0.2, 0.5, 0.5, 0.1].into_iter().cycle())
        {
            epoch.validation = Some(Scores { top1, ..epoch.test });
        }
        assert_eq!(run.chosen_epoch().unwrap().epoch, 2);
    }

    fn scores(text: &str) -> Scores {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn scores_are_read_with_top5_and_without() {
        let old = scores(r#"{"loss": 0.5, "top1": 0.25, "top5": 0.75, "images": 4}"#);
        assert_eq!(old.top5, Some(0.75));
        let text = r#"{"loss":0.5,"top1":0.25,"images":4}"#;
        assert_eq!(scores(text).top5, None);
        assert_eq!(serde_json::to_string(&scores(text)).unwrap(), text);
    }

    #[test]
    fn scores_are_written_for_people() {
        let mut scores = scores(r#"{"loss": 1.2034, "top1": 0.5, "top5": 0.9, "images": 4}"#);
        assert_eq!(
            format!("{scores:.1}"),
            "loss 1.203, top-1 50.0 %, top-5 90.0 %"
        );
        scores.top5 = None;
        assert_eq!(scores.to_string(), "loss 1.2034, top-1 50.00 %");
        scores.map100 = Some(0.75);
        scores.loss = f64::NAN;
        assert_eq!(
            scores.to_string(),
            "loss not finite, top-1 50.00 %, MAP@100 75.00 %"
        );
    }
}
