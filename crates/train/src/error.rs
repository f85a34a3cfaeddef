//! What can go wrong while training.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use xception_messages::{bytes, count};
use xception_models::ModelError;
use xception_models::pretrained::PretrainedError;
use xception_models::weights::WeightsError;
use xception_parallel::DeviceError;

use crate::ablation::WorkerError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::network::BoxedError;
use crate::printable::{Printable, printable};
use crate::report::ReportError;
use crate::training::{Place, StopReason};

/// Errors of training, evaluating and writing results.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A variant of an ablation has a wrong configuration.
    #[error("variant `{}`: {cause}", Printable(.name))]
    Variant {
        /// Its name.
        name: String,
        /// The problem.
        cause: ConfigError,
    },
    /// The data can't be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model can't be made, or doesn't take the images.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A network that is no [`Model`](xception_models::Model) can't be made.
    #[error("can't make the network {name}: {cause}")]
    Network {
        /// Its name.
        name: String,
        /// Why not.
        cause: BoxedError,
    },
    /// The images are smaller than the network takes.
    #[error(
        "images of {} x {} pixels are too small for this network: it needs at least {minimum} x {minimum}",
        .size[0], .size[1]
    )]
    ImagesTooSmall {
        /// Height and width of the images, in pixels.
        size: [usize; 2],
        /// The smallest height and width the network takes, in pixels.
        minimum: usize,
    },
    /// Published weights for a network that is no [`Model`](xception_models::Model).
    #[error(
        "{name} are published weights, which this kind of network can't start from: let finetune.weights name the \
         folder of a run or the file of its network"
    )]
    PublishedWeights {
        /// The weights' name.
        name: String,
    },
    /// A new classifier for a network that doesn't say how to make one.
    #[error(
        "this kind of network can't start with a new classifier: set finetune.head to `keep`, with data of the same \
         classes"
    )]
    NewHead,
    /// A network without named stages, of which none can be frozen or trained at a rate of its own.
    #[error(
        "the network names no stages, so {option} has nothing to hold on to: set it to {remedy}"
    )]
    NoStages {
        /// The option that needs stages.
        option: &'static str,
        /// The value that needs none.
        remedy: &'static str,
    },
    /// Weights can't be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The report can't be written or read.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A file or folder can't be read or written.
    #[error("can't {action} {}: {cause}", .path.display())]
    File {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it didn't work.
        cause: std::io::Error,
    },
    /// A file is there but can't be understood.
    #[error("{} can't be used: {cause}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem.
        cause: String,
    },
    /// Another process works in the folder.
    #[error(
        "{} is in use by another process; wait until it ends, or give another folder with --out",
        .path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has a run of another configuration.
    #[error(
        "{} already has a run with another configuration: {difference}; give another folder with --out, \
         or remove this one",
        .path.display()
    )]
    OtherRun {
        /// The folder.
        path: PathBuf,
        /// What differs: path, value there and value asked for.
        difference: String,
    },
    /// The files of a run are damaged, or some are missing.
    #[error(
        "the run in {} is damaged: {cause}; to train it again from the start, give --retrain damaged",
        .path.display()
    )]
    DamagedRun {
        /// The run's folder.
        path: PathBuf,
        /// The problem.
        cause: String,
    },
    /// A folder has no trained network.
    #[error("{} has no trained network: {reason}", .path.display())]
    NoNetwork {
        /// The folder.
        path: PathBuf,
        /// Why there is none, and what gives one.
        reason: String,
    },
    /// A folder has neither an ablation nor a run.
    #[error("{} has neither an ablation nor a run: there is no {}, run.json or results.json", .path.display(), crate::record::layout::STUDY)]
    NoAblation {
        /// The folder.
        path: PathBuf,
    },
    /// Too few images to train with.
    #[error(
        "the data has {images} training {}, and training takes at least 2: batch normalization has no \
         variance of one image", if *.images == 1 { "image" } else { "images" }
    )]
    TooFewImages {
        /// Training images there are.
        images: usize,
    },
    /// Scores were asked for without an image.
    #[error("there is no image to score: give a data set or a folder with at least one test image")]
    NoImages,
    /// Published weights can't be had.
    #[error(transparent)]
    Pretrained(#[from] PretrainedError),
    /// The weights to start from are not those of the configuration.
    #[error(
        "{} has SHA-256 {found}, but finetune.sha256 is {expected}: give the file that was meant, or \
         leave the hash out", .path.display()
    )]
    OtherWeights {
        /// The weights file.
        path: PathBuf,
        /// The hash in the configuration.
        expected: String,
        /// The hash of the file.
        found: String,
    },
    /// The weights to start from are of another network than the configuration.
    #[error("{} has weights of {found}, but the configuration's model is {expected}", .path.display())]
    OtherNetwork {
        /// The weights file.
        path: PathBuf,
        /// The configuration's network.
        expected: String,
        /// The network in the file.
        found: String,
    },
    /// A stage that the network doesn't have.
    #[error("the network has no stage `{name}` to freeze; its stages are {known}")]
    UnknownStage {
        /// The name that was asked for.
        name: String,
        /// All names.
        known: String,
    },
    /// A configuration whose starting weights or complexity haven't been looked at.
    #[error(
        "the configuration doesn't have what its starting weights or its complexity decide: use Run::prepare"
    )]
    Unprepared,
    /// The training loop stopped with an error of Burn's.
    #[error("training stopped: {cause}")]
    Burn {
        /// What Burn says.
        cause: String,
    },
    /// A device without the numbers that a precision computes with.
    #[error(
        "precision \"{option}\" computes with {missing}, and {device} doesn't: choose {}\"full\", or another backend",
        .instead.map_or_else(String::new, |instead| format!("\"{instead}\", "))
    )]
    Precision {
        /// The value of the option.
        option: &'static str,
        /// The type of the numbers.
        missing: &'static str,
        /// The device.
        device: String,
        /// The value of the option for half precision that the device does have.
        instead: Option<&'static str>,
    },
    /// More memory than this machine has.
    #[error(
        "training with batches of {batch_size} images of {} x {} pixels takes {} of memory or more, for a \
         network of {} parameters, and this machine has {}: lower recipe.batch_size, data.image_size (of \
         images in a folder) or the network's `width`",
        .image_size[0], .image_size[1], bytes(*.needed), count(*.parameters), bytes(*.total)
    )]
    Memory {
        /// What training takes at least, in bytes.
        needed: u64,
        /// What the machine has, in bytes.
        total: u64,
        /// Trainable parameters.
        parameters: u64,
        /// Images of a batch.
        batch_size: usize,
        /// Height and width of an image, in pixels.
        image_size: [usize; 2],
    },
    /// More memory than this machine has, for runs side by side.
    #[error(
        "{at_once} runs at once take {} of memory or more, and this machine has {}: give --jobs a smaller number",
        bytes(*.needed), bytes(*.total)
    )]
    MemoryAtOnce {
        /// Runs side by side.
        at_once: usize,
        /// What they take at least, in bytes.
        needed: u64,
        /// What the machine has, in bytes.
        total: u64,
    },
    /// A run that was handed to a process of its own went wrong there.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// Someone asked for the end while runs went on side by side.
    #[error("{}", interruptions(*.reason, .runs))]
    InterruptedRuns {
        /// Who, or how.
        reason: StopReason,
        /// Each run that was under way, variant and seed, with the place of its checkpoint.
        runs: Vec<(String, Place)>,
    },
    /// Someone asked for the end.
    #[error("{} {place}; the same command goes on from there", happened(*.reason))]
    Interrupted {
        /// Who, or how.
        reason: StopReason,
        /// The place of the run's checkpoint.
        place: Place,
    },
    /// A device of several stopped to answer.
    #[error(
        "the device {device} failed: {cause}; the same command goes on from the last checkpoint once all devices answer \
         again (on another machine: once `xception serve` runs there)"
    )]
    Device {
        /// Its name.
        device: String,
        /// The reason.
        cause: String,
    },
    /// The network of the best epoch was asked for, and there are no images that would tell which epoch is the best.
    #[error(
        "the network of the best epoch can't be kept without images held back for validation: set \
         data.validation_images"
    )]
    NoValidation,
}

impl From<DeviceError> for TrainError {
    fn from(DeviceError { device, cause }: DeviceError) -> Self {
        Self::Device { device, cause }
    }
}

impl TrainError {
    /// Returns the error of a file that is there but can't be understood.
    pub(crate) fn damaged(path: &Path, cause: impl fmt::Display) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            cause: cause.to_string(),
        }
    }

    /// Returns the error of a network that can't be made.
    pub(crate) fn network(name: String, cause: BoxedError) -> Self {
        match cause.downcast::<ModelError>() {
            Ok(error) => Self::Model(*error),
            Err(cause) => Self::Network { name, cause },
        }
    }

    /// Returns an error of Burn's.
    pub(crate) fn burn(cause: impl fmt::Display) -> Self {
        Self::Burn {
            cause: cause.to_string(),
        }
    }
}

/// Says what happened.
fn happened(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Interrupted => "interrupted",
        StopReason::Terminated => "terminated",
    }
}

/// Says what happened to each run, and how to go on.
fn interruptions(reason: StopReason, runs: &[(String, Place)]) -> String {
    let places = runs.iter();
    let places = places.map(|(label, place)| format!("{} {place}", printable(label)));
    let places: Vec<_> = places.collect();
    let between = if places.is_empty() { "" } else { ": " };
    let (happened, places) = (happened(reason), places.join("; "));
    format!("{happened}{between}{places}; the same command goes on from there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_that_was_stopped_has_its_place() {
        let runs = |runs: &[(&str, Place)]| TrainError::InterruptedRuns {
            reason: StopReason::Interrupted,
            runs: runs
                .iter()
                .map(|(label, n)| ((*label).to_owned(), *n))
                .collect(),
        };
        assert_eq!(
            runs(&[
                ("base, seed 1", Place::after(2)),
                (
                    "plain, seed 1",
                    Place {
                        epochs: 0,
                        steps: 7
                    }
                )
            ])
            .to_string(),
            "interrupted: base, seed 1 after epoch 2; plain, seed 1 after 7 steps of epoch 1; the same command goes on \
             from there"
        );
        assert_eq!(
            runs(&[]).to_string(),
            "interrupted; the same command goes on from there"
        );
    }
}
