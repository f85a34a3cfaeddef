//! The arguments of commands that train and score.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use xception::train::config::{Freeze, Override, Seeds};
use xception::train::data::DataSource;
use xception::train::training::{CheckpointPolicy, Interval};

use super::{DeviceArguments, InputArguments, Jobs, ParallelArguments};

/// Train every variant of an ablation with every seed, and write a report.
///
/// Prints the plan first. Results are written after every run; started again, the same command skips
/// runs that have ended and goes on with the one that was stopped, from its last checkpoint. Ctrl-C stops
/// after the current batch, with a checkpoint, and a second Ctrl-C at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception ablate configs/ablations/quick.json
  xception ablate configs/ablations/residual.json --set recipe.epochs=40 --out runs/residual-40
  xception ablate configs/ablations/families.json --data cifar10:datasets/cifar10
  xception ablate configs/ablations/quick.json --jobs auto     several runs at a time
  xception ablate configs/ablations/quick.json --plan      only print the plan
  xception ablate configs/ablations/quick.json --seeds 1-12    add seeds to those that are done
  xception ablate configs/ablations/residual-by-activation.json

An ablation is a JSON file: a base configuration, `variants` (or `axes` for a grid), and seeds. The
files in configs/ablations are examples; docs/configuration.md explains every key.
`xception schema ablation` prints the file's JSON Schema, by which editors complete and check it.")]
pub struct AblateArguments {
    /// The ablation, a JSON file.
    pub file: PathBuf,
    /// Folder for runs and report [default: runs/NAME, with the file's name].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Seeds in place of the file's, such as 1-8 or 1,2,5; runs that are there already count.
    #[arg(long, value_name = "SEEDS")]
    pub seeds: Option<Seeds>,
    /// Runs that train at the same time, each in a process with its share of the processor's threads (of
    /// RAYON_NUM_THREADS, if that is set): a number, or auto for one thread each.
    ///
    /// Small networks get done sooner side by side than with all threads in one run. The results are the
    /// same, but for the times, which are those of runs that share the machine. A run that fails is named,
    /// and the others go on. Every run takes memory of its own; large networks keep many threads busy.
    #[arg(long, value_name = "N", default_value_t = Jobs::Count(NonZeroUsize::MIN))]
    pub jobs: Jobs,
    /// Only check the file and print the plan.
    #[arg(long)]
    pub plan: bool,
    #[command(flatten)]
    pub run: RunArguments,
}

/// Train one network, from random weights or from those that it has learned before.
///
/// The folder gets the resolved configuration before the first step, a line of JSON in steps.jsonl for each
/// step, the record after every epoch, and the network at the end. Started again, the same command goes on
/// from the last checkpoint. Ctrl-C stops after the current batch, with a checkpoint, and a second Ctrl-C
/// at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception train configs/models/xception-small.json --out runs/first
  xception train configs/models/xception-small.json --set recipe.epochs=30 --seed 7 --out runs/longer
  xception train --weights xception.keras-notop --data folder:photos --out runs/photos
  xception train --weights resnet50.torchvision --data folder:photos --freeze until:layer3 \\
      --backbone-rate 0.1 --set recipe.epochs=20 --out runs/photos-deeper
  xception train configs/models/xception-small.json --devices cuda:0,cuda:1 --out runs/two-cards
  xception train configs/models/xception-small.json --devices remote:gpu1:3000,remote:gpu2:3000 \\
      --token-file token --checkpoint-every 10m --out runs/two-machines

docs/configuration.md explains every key of the file. `xception schema run` prints its JSON Schema, by
which editors complete and check it.

The pictures of folder:DIR lie in one subfolder a class, DIR/CLASS/*.jpg, of which every tenth is for
testing; or in DIR/train/CLASS/ and DIR/val/CLASS/. docs/data.md describes list:FILE and shards:DIR.")]
pub struct TrainArguments {
    /// Model, data and recipe, a JSON file; may be left out with --weights.
    #[arg(required_unless_present = "weights")]
    pub file: Option<PathBuf>,
    /// Start from these weights: a file (safetensors, PyTorch, Keras HDF5 or .keras, burnpack), the folder
    /// of a run, or a name that `xception weights list` has.
    #[arg(long, value_name = "FILE|NAME", help_heading = "Fine-tuning")]
    pub weights: Option<String>,
    /// The classifier to start with [default: new].
    #[arg(long, value_enum, requires = "weights", help_heading = "Fine-tuning")]
    pub head: Option<HeadArgument>,
    /// The part that keeps its weights and batch-norm statistics: none, backbone (all but the classifier), or
    /// until:STAGE with a stage of `xception summary`, which is frozen too [default: backbone].
    #[arg(
        long,
        value_name = "WHAT",
        requires = "weights",
        help_heading = "Fine-tuning"
    )]
    pub freeze: Option<Freeze>,
    /// Factor on the learning rate of everything but the classifier, such as 0.1.
    #[arg(
        long,
        value_name = "FACTOR",
        requires = "weights",
        help_heading = "Fine-tuning"
    )]
    pub backbone_rate: Option<f64>,
    /// Height and width, in pixels, of images that have no size of their own [default: what the weights take, or what
    /// the network was published for].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=8192))]
    pub size: Option<u64>,
    /// Folder for the run [default: runs/NAME/seed-SEED, with the name of the file or the weights].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Seed of the weights, the data order, the augmentation and dropout.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub run: RunArguments,
    #[command(flatten)]
    pub parallel: ParallelArguments,
}

impl TrainArguments {
    /// Returns all changes of the configuration.
    pub fn overrides(&self) -> Vec<Override> {
        let mut overrides = Vec::new();
        let mut add = |path: &str, value: Option<serde_json::Value>| {
            overrides.extend(value.map(|value| Override::new(path, value)));
        };
        add("finetune.weights", self.weights.clone().map(Into::into));
        add("finetune.head", self.head.map(|head| head.name().into()));
        add(
            "finetune.freeze",
            self.freeze.as_ref().map(|freeze| freeze.to_string().into()),
        );
        add("finetune.backbone_rate", self.backbone_rate.map(Into::into));
        add("data.image_size", self.size.map(Into::into));
        overrides.extend(self.run.overrides());
        overrides
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum HeadArgument {
    /// A new classifier with random weights, for the classes of the data.
    New,
    /// The classifier of the weights; the data has to have its classes.
    Keep,
}

impl HeadArgument {
    fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Keep => "keep",
        }
    }
}

/// The arguments that `ablate` and `train` share.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Images to use instead of the file's: embedded, cifar10:DIR, cifar100:DIR, folder:DIR, list:FILE or shards:DIR.
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<DataSource>,
    /// Change a value of the configuration, by its path, such as recipe.epochs=3; can be repeated.
    /// docs/configuration.md lists the paths.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<Override>,
    #[command(flatten)]
    pub device: DeviceArguments,
    /// How often a run writes a checkpoint within an epoch: a number of steps, such as 500, a time, such as
    /// 90s, 10m or 2h, or epoch for none. There is always one after an epoch, and where a run is stopped.
    #[arg(long, value_name = "STEPS|TIME", default_value_t = CheckpointPolicy::default().within_epochs)]
    pub checkpoint_every: Interval,
    /// The number of checkpoints that stay while a run is under way, the last ones. Should the last be
    /// damaged, the run goes on from the one before.
    #[arg(long, value_name = "N", default_value_t = CheckpointPolicy::default().keep)]
    pub keep_checkpoints: NonZeroUsize,
    /// Also write model-best.bpk, the network after the epoch that is best on the images held back for
    /// validation (data.validation_images).
    #[arg(long)]
    pub keep_best: bool,
    /// Also write an event file with every step and epoch for TensorBoard, into the folder tensorboard of
    /// each run (`tensorboard --logdir OUT` shows them all).
    #[arg(long)]
    pub tensorboard: bool,
    /// The runs to train again from the start, instead of leaving them as they are.
    #[arg(long, value_enum, value_name = "WHICH")]
    pub retrain: Option<RetrainArgument>,
    /// The display of progress [default: dashboard in a terminal, else lines]. The dashboard shows one run: with
    /// more at a time there are lines.
    #[arg(long, value_enum)]
    pub display: Option<DisplayArgument>,
}

impl RunArguments {
    /// Returns all changes of the configuration.
    pub fn overrides(&self) -> Vec<Override> {
        let data = self.data.iter();
        let data = data.map(|source| Override::new("data.source", source.to_string()));
        data.chain(self.overrides.iter().cloned()).collect()
    }

    /// Returns when checkpoints are written, and which of them stay.
    pub fn checkpoints(&self) -> CheckpointPolicy {
        CheckpointPolicy {
            within_epochs: self.checkpoint_every,
            keep: self.keep_checkpoints,
            keep_best: self.keep_best,
        }
    }

    /// Returns whether runs whose files are damaged are trained again from the start.
    pub fn retrain_damaged(&self) -> bool {
        matches!(self.retrain, Some(RetrainArgument::Damaged))
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RetrainArgument {
    /// Runs whose files are damaged or missing.
    Damaged,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DisplayArgument {
    /// Curves in the whole terminal; `q` stops, as Ctrl-C does in every display.
    Dashboard,
    /// A line per epoch, on standard error.
    Lines,
    /// No display.
    Quiet,
}

/// Score a network on images whose classes are known.
///
/// Either a run's network on its test images, or any weights on a folder with a subfolder for each class.
/// Prints loss, top-1 and, of more than five classes, top-5 accuracy; --out writes the confusion matrix too.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception eval runs/first
  xception eval runs/first --backend ndarray --json
  xception eval runs/quick/base/seed-1 --data cifar10:datasets/cifar10
  xception eval photos/ --weights runs/photos --out photos-scores
  xception eval imagenet/val --weights xception.keras --out scores

A subfolder is the class of its name or of its number; as many subfolders as there are classes are also
taken in the order of their names, as ImageNet's n01440764, n01443537... are.")]
pub struct EvalArguments {
    /// The folder of a run that has ended; with --weights, a folder with a subfolder for each class.
    #[arg(value_name = "RUN|DIR")]
    pub folder: PathBuf,
    /// The weights to score: a file (safetensors, PyTorch, Keras HDF5 or .keras, burnpack), the folder of a
    /// run, or a name that `xception weights list` has.
    #[arg(long, value_name = "FILE|NAME", conflicts_with = "data")]
    pub weights: Option<String>,
    /// Insist on this network, such as xception or resnet50.
    #[arg(long, value_name = "NAME", requires = "weights")]
    pub model: Option<String>,
    /// Let the weights file hold tensors that the network doesn't use.
    #[arg(long, requires = "weights")]
    pub allow_unused: bool,
    #[command(flatten)]
    pub input: InputArguments,
    /// Names of the classes, one per line.
    #[arg(long, value_name = "FILE", requires = "weights")]
    pub labels: Option<PathBuf>,
    /// Images to use instead of the run's: embedded, cifar10:DIR, cifar100:DIR, folder:DIR, list:FILE or shards:DIR.
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<DataSource>,
    /// Folder for scores.json, confusion.csv and confusion.svg.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Images in a batch.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub batch_size: u64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub device: DeviceArguments,
}
