//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use xception::Backend;
use xception::models::layers::Kernels;
use xception::models::preprocessing::Filter;
use xception::train::config::{Freeze, Override};
use xception::train::data::DataSource;

/// Xception and its relatives: ablation studies, training and evaluation, on any of Burn's backends.
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = true,
    after_help = "Examples:
  xception ablate configs/ablations/quick.json     compare variants, leave a report
  xception summary xception --size 299             a network's stages and what they cost
  xception train configs/models/xception-small.json --out runs/first
  xception eval runs/first                         scores of a trained network
  xception predict photos/ --weights runs/first     the classes of images
  xception explain cat.jpg --weights xception.keras    where a network sees a class
  xception bench --model xception --batch 8        how fast a network is here
  xception devices                                 what this build can run on

`xception COMMAND --help` tells more of each."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Ablate(AblateArguments),
    Train(TrainArguments),
    Eval(EvalArguments),
    Predict(PredictArguments),
    Features(FeaturesArguments),
    Explain(ExplainArguments),
    Convert(ConvertArguments),
    Report(ReportArguments),
    Summary(SummaryArguments),
    Bench(BenchArguments),
    Devices(DevicesArguments),
    Data(DataArguments),
    Weights(WeightsArguments),
    Completions(CompletionsArguments),
}

/// Train every variant of an ablation with every seed, and write a report.
///
/// Prints the plan first. Results are written after every run; started again, the same command skips
/// runs that have ended and goes on with the one that was stopped, from its last epoch.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception ablate configs/ablations/quick.json
  xception ablate configs/ablations/residual.json --set recipe.epochs=40 --out runs/residual-40
  xception ablate configs/ablations/families.json --data cifar10:datasets/cifar10
  xception ablate configs/ablations/quick.json --plan      only print the plan

An ablation is a JSON file: a base configuration, `variants` (or `axes` for a grid), and seeds. The
files in configs/ablations are examples.")]
pub struct AblateArguments {
    /// The ablation, a JSON file.
    pub file: PathBuf,
    /// Folder for runs and report [default: runs/NAME, with the file's name].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Only check the file and print the plan.
    #[arg(long)]
    pub plan: bool,
    #[command(flatten)]
    pub run: RunArguments,
}

/// Train one network, from random weights or from those that it has learned before.
///
/// The folder gets the resolved configuration before the first step, the record after every epoch, and
/// the network at the end. Started again, the same command goes on from the last epoch.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception train configs/models/xception-small.json --out runs/first
  xception train configs/models/xception-small.json --set recipe.epochs=30 --seed 7 --out runs/longer
  xception train --weights xception.keras-notop --data folder:photos --out runs/photos
  xception train --weights resnet50.torchvision --data folder:photos --freeze until:layer3 \\
      --backbone-rate 0.1 --set recipe.epochs=20 --out runs/photos-deeper

The pictures of folder:DIR lie in one subfolder a class, DIR/CLASS/*.jpg, of which every tenth is for
testing; or in DIR/train/CLASS/ and DIR/test/CLASS/.")]
pub struct TrainArguments {
    /// Model, data and recipe, a JSON file; may be left out with --weights.
    #[arg(required_unless_present = "weights")]
    pub file: Option<PathBuf>,
    /// Start from these weights: a file (safetensors, PyTorch, Keras HDF5 or .keras, burnpack), the folder
    /// of a run, or a name that `xception weights list` has.
    #[arg(long, value_name = "FILE|NAME", help_heading = "Fine-tuning")]
    pub weights: Option<String>,
    /// What becomes of the weights' classifier [default: new].
    #[arg(long, value_enum, requires = "weights", help_heading = "Fine-tuning")]
    pub head: Option<HeadArgument>,
    /// What keeps its weights and batch-norm statistics: none, backbone (all but the classifier), or
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
    /// Height and width, in pixels, of the images of folder:DIR [default: what the weights take, or what
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
}

impl TrainArguments {
    /// All changes of the configuration.
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
    /// Random weights, for the classes of the data.
    New,
    /// It stays; the data has to have its classes.
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

/// What `ablate` and `train` share.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Images to use instead of the file's: embedded, cifar10:DIR, cifar100:DIR or folder:DIR.
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<DataSource>,
    /// Change a value of the configuration, by its path, such as recipe.epochs=3; can be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<Override>,
    #[command(flatten)]
    pub device: DeviceArguments,
    /// What to show meanwhile [default: dashboard in a terminal, else lines].
    #[arg(long, value_enum)]
    pub display: Option<DisplayArgument>,
}

impl RunArguments {
    /// All changes of the configuration.
    pub fn overrides(&self) -> Vec<Override> {
        let data = self.data.iter();
        let data = data.map(|source| Override::new("data.source", source.to_string()));
        data.chain(self.overrides.iter().cloned()).collect()
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DisplayArgument {
    /// Curves in the whole terminal; `q` stops.
    Dashboard,
    /// A line an epoch, on standard error.
    Lines,
    /// Nothing.
    Quiet,
}

/// Where to compute.
#[derive(Debug, Args)]
pub struct DeviceArguments {
    /// Backend and device, such as flex, ndarray, wgpu or cuda:1; `xception devices` lists them.
    #[arg(long, value_name = "NAME", default_value = "flex")]
    pub backend: Backend,
}

/// Score a network on images whose classes are known.
///
/// Either a run's network on its test images, or any weights on a folder with a subfolder for each class.
/// Prints loss, top-1 and top-5 accuracy; --out writes the confusion matrix too.
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
    /// Names of the classes, one a line.
    #[arg(long, value_name = "FILE", requires = "weights")]
    pub labels: Option<PathBuf>,
    /// Images to use instead of the run's: embedded, cifar10:DIR, cifar100:DIR or folder:DIR.
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

/// Which weights.
#[derive(Debug, Args)]
pub struct WeightsArgument {
    /// A weights file (safetensors, PyTorch, Keras HDF5 or .keras, burnpack), the folder of a run, or a
    /// name that `xception weights list` has.
    #[arg(long, value_name = "FILE|NAME")]
    pub weights: String,
    /// Insist on this network, such as xception or resnet50.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Let the file hold tensors that the network doesn't use.
    #[arg(long)]
    pub allow_unused: bool,
}

/// What images go through instead of what comes with the weights.
#[derive(Debug, Args)]
pub struct InputArguments {
    /// Height and width of the network's input, in pixels.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=8192))]
    pub size: Option<u64>,
    /// How images are resized.
    #[arg(long, value_enum, value_name = "FILTER")]
    pub resize: Option<FilterArgument>,
    /// The part of the resized image's sides that the center crop keeps, such as 0.875.
    #[arg(long, value_name = "FRACTION")]
    pub crop: Option<f64>,
}

/// How many images go through the network at once.
#[derive(Debug, Args)]
pub struct BatchArgument {
    /// Images in a batch.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub batch_size: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FilterArgument {
    Nearest,
    Bilinear,
    Bicubic,
}

impl From<FilterArgument> for Filter {
    fn from(filter: FilterArgument) -> Self {
        match filter {
            FilterArgument::Nearest => Self::Nearest,
            FilterArgument::Bilinear => Self::Bilinear,
            FilterArgument::Bicubic => Self::Bicubic,
        }
    }
}

/// Name the classes of images.
///
/// Images are resized, cropped and scaled as the source of the weights does it. What can't be read is
/// told and skipped, and makes the exit code 1 at the end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception predict cat.jpg --weights xception.keras
  xception predict photos/ --weights model.safetensors --top 1 --csv > classes.csv
  find . -name '*.png' | xception predict - --weights runs/first --json")]
pub struct PredictArguments {
    /// Images, folders, patterns, or - for an image or a list of paths on standard input.
    #[arg(required = true)]
    pub images: Vec<String>,
    #[command(flatten)]
    pub weights: WeightsArgument,
    #[command(flatten)]
    pub input: InputArguments,
    #[command(flatten)]
    pub batch: BatchArgument,
    /// Classes to name for each image.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub top: u64,
    /// Names of the classes, one a line.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Print a JSON object a line: the path, and index, name, logit and probability of each class.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print comma-separated values, a row a class.
    #[arg(long)]
    pub csv: bool,
    #[command(flatten)]
    pub device: DeviceArguments,
}

/// Write the pooled features of images, for another program to learn from.
///
/// Rows are in the order given; standard output names the image of each.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception features photos/ --weights xception.keras --out features.npy > rows.txt
  xception features *.jpg --weights model.safetensors --out features.csv")]
pub struct FeaturesArguments {
    /// Images, folders, patterns, or - for an image or a list of paths on standard input.
    #[arg(required = true)]
    pub images: Vec<String>,
    #[command(flatten)]
    pub weights: WeightsArgument,
    #[command(flatten)]
    pub input: InputArguments,
    #[command(flatten)]
    pub batch: BatchArgument,
    /// The file to write: .npy, .safetensors or .csv.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub device: DeviceArguments,
}

/// Write where in an image a network sees a class, as a picture (Grad-CAM).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception explain cat.jpg --weights xception.keras
  xception explain cat.jpg --weights xception.keras --class 281 --out tabby.png")]
pub struct ExplainArguments {
    /// The image.
    pub image: PathBuf,
    #[command(flatten)]
    pub weights: WeightsArgument,
    #[command(flatten)]
    pub input: InputArguments,
    /// Index of the class to explain [default: the first prediction].
    #[arg(long, value_name = "INDEX")]
    pub class: Option<u64>,
    /// Names of the classes, one a line.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// The picture to write [default: beside the image, ending in .explained.png].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub device: DeviceArguments,
}

/// Write weights as safetensors under timm's or torchvision's names, or as burnpack.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception convert xception.h5 xception.safetensors
  xception convert runs/first first.safetensors")]
pub struct ConvertArguments {
    /// A weights file, the folder of a run, or a name that `xception weights list` has.
    pub input: String,
    /// Let the file hold tensors that the network doesn't use.
    #[arg(long)]
    pub allow_unused: bool,
    /// The file to write: .safetensors or .bpk.
    pub out: PathBuf,
}

/// Write the report of an ablation again, from its records.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  xception report runs/quick")]
pub struct ReportArguments {
    /// The folder of an ablation.
    pub folder: PathBuf,
}

/// Print a network's stages: output shapes, parameters, multiply-adds and activation memory.
///
/// The figures are read off a forward pass of one image. Multiply-adds are those of convolutions and
/// linear layers; activations are the outputs of all operations at 4 bytes a number.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception summary                                  list the networks
  xception summary xception
  xception summary resnet50 --size 224 --json
  xception summary configs/models/xception-small.json --size 32")]
pub struct SummaryArguments {
    /// A network's name, or a JSON file with a `model`; without it, all networks are listed.
    pub model: Option<String>,
    /// Height and width of the image, in pixels [default: the published size].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub size: Option<u64>,
    /// Change a value of the model, by its path, such as model.xception.width=0.5; can be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<Override>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Measure how fast a network runs or trains on this machine.
///
/// The images are random numbers, and so are the weights where none are given. GFLOP/s count two
/// operations a multiply-add of convolutions and linear layers, those of `xception summary`; a training
/// step counts three times the forward pass, as its backward pass computes two products of the same
/// size. The ceiling is the best of several large matrix products in the same process, on the same backend
/// and threads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception bench                                        Xception, one image, 299 x 299
  xception bench --model resnet50 --batch 8 --threads 4
  xception bench --model xception --train --batch 8 --size 96
  xception bench --model xception --train --batch 8 --size 96 --kernels burn
  xception bench --model configs/models/xception-small.json --train --batch 128
  xception bench --set model.xception.stem=small --set model.xception.width=0.25 --json
  xception bench --weights runs/first --batch 16

A training step is a forward pass, cross-entropy, a backward pass and a step of SGD with momentum.")]
pub struct BenchArguments {
    /// A network of `xception summary`, or a JSON file with a `model`, such as the configuration of a run.
    #[arg(long, value_name = "NAME|FILE", default_value = "xception")]
    pub model: String,
    /// Change a value of the model, by its path, such as model.xception.width=0.5; can be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<Override>,
    /// Weights and their network instead of a network with random weights: a file, the folder of a
    /// run, or a name that `xception weights list` has.
    #[arg(long, value_name = "FILE|NAME", conflicts_with_all = ["model", "overrides", "kernels"])]
    pub weights: Option<String>,
    /// Images in a batch.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub batch: u64,
    /// Height and width of the images, in pixels [default: as published; 32 with the small stem].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=8192))]
    pub size: Option<u64>,
    /// Measure training steps instead of forward passes.
    #[arg(long)]
    pub train: bool,
    /// Steps that count.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub rounds: u64,
    /// Steps before them, which don't.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    pub warm_up: u64,
    /// Threads of the processor to compute with [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub threads: Option<u64>,
    /// Whose operations the layers run: this project's kernels, or Burn's own.
    #[arg(long, value_enum)]
    pub kernels: Option<KernelsArgument>,
    /// Leave batch normalization, activations and additions apart from the convolutions, as in training.
    #[arg(long, conflicts_with = "train")]
    pub no_fuse: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub device: DeviceArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum KernelsArgument {
    Native,
    Burn,
}

impl From<KernelsArgument> for Kernels {
    fn from(kernels: KernelsArgument) -> Self {
        match kernels {
            KernelsArgument::Native => Self::Native,
            KernelsArgument::Burn => Self::Burn,
        }
    }
}

/// List the backends: what this build has, and the devices it finds.
#[derive(Debug, Args)]
pub struct DevicesArguments {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Fetch, verify and describe data sets.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception data fetch cifar10 datasets/cifar10
  xception data verify cifar10:datasets/cifar10
  xception data describe embedded")]
pub struct DataArguments {
    #[command(subcommand)]
    pub action: DataAction,
}

#[derive(Debug, Subcommand)]
pub enum DataAction {
    /// Download a data set from its home page, check it and unpack it. A download that was cut goes
    /// on where it stopped.
    Fetch {
        /// cifar10 or cifar100.
        name: String,
        /// Folder to put it in.
        dir: PathBuf,
        /// Take the archive from under this address instead, such as http://mirror.example/cifar/.
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
    },
    /// Check that a data set's files are complete and read well.
    Verify {
        /// embedded, cifar10:DIR, cifar100:DIR or folder:DIR.
        source: DataSource,
    },
    /// Print a data set's classes, sizes, channel statistics and citation.
    Describe {
        /// embedded, cifar10:DIR, cifar100:DIR or folder:DIR.
        #[arg(default_value = "embedded")]
        source: DataSource,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// List, fetch and verify the weights that others have published for these networks.
///
/// They are kept in the folder that XCEPTION_CACHE names, by default xception/weights in the user's cache folder. A file
/// counts only if its hash is the one its publisher gives.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception weights list
  xception weights fetch xception.keras
  xception weights fetch resnet50.torchvision --mirror http://mirror.example/weights/
  xception weights verify                           what has been fetched")]
pub struct WeightsArguments {
    #[command(subcommand)]
    pub action: WeightsAction,
}

#[derive(Debug, Subcommand)]
pub enum WeightsAction {
    /// List the weights known: network, source, classes, input, accuracy as reported, licence.
    List {
        /// Print JSON, with addresses, hashes and preprocessing.
        #[arg(long)]
        json: bool,
    },
    /// Download weights from their publisher, check them and print the file's path. A download that was
    /// cut goes on where it stopped.
    Fetch {
        /// A name that `xception weights list` prints, such as xception.keras.
        name: String,
        /// Take the file from under this address instead [default: what XCEPTION_MIRROR says].
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
    },
    /// Check the hashes of weights that have been fetched.
    Verify {
        /// Names that `xception weights list` prints [default: all that are in the cache].
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

/// Print a shell's completion script.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  xception completions bash > ~/.local/share/bash-completion/completions/xception")]
pub struct CompletionsArguments {
    /// The shell.
    pub shell: Shell,
}
