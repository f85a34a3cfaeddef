//! The arguments of commands that take weights and images.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use xception::models::preprocessing::Filter;

use super::DeviceArguments;

/// The weights to use.
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
    /// Prefix of the network's names, such as `ema.`, if the file holds several networks.
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
}

/// Preprocessing that replaces what comes with the weights.
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

/// The number of images in a batch.
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
/// Images are resized, cropped and scaled as the source of the weights does it. What can't be read, such as
/// a link that leads nowhere, is reported and skipped, and so are images for which the network's output isn't
/// finite numbers; both make the exit code 1 at the end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception predict cat.jpg --weights xception.keras
  xception predict photos/ --weights model.safetensors --top 1 --csv > classes.csv
  find . -name '*.png' | xception predict - --weights runs/first --json

Standard input may hold an image of at most 256 MiB or a list of at most 4 million paths. In a
path that isn't UTF-8, other bytes are shown as \\xE9; --json then adds path_bytes, and --csv a last
column of this name, with all of the path's bytes in hexadecimal.")]
pub struct PredictArguments {
    /// Images, folders, patterns, or - for an image or a list of paths on standard input.
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub weights: WeightsArgument,
    #[command(flatten)]
    pub input: InputArguments,
    #[command(flatten)]
    pub batch: BatchArgument,
    /// Classes to name for each image.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub top: u64,
    /// Names of the classes, one per line.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Print JSON Lines, an object for each image: the path, and index, name, logit and probability of each
    /// class.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print comma-separated values, one row per class.
    #[arg(long)]
    pub csv: bool,
    #[command(flatten)]
    pub device: DeviceArguments,
}

/// Write the pooled features of images, for another program to learn from.
///
/// Rows are in the order given; standard output names the image of each. The weights need no classifier. What
/// can't be read is reported and skipped, and makes the exit code 1 at the end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception features photos/ --weights xception.keras --out features.npy > rows.txt
  xception features *.jpg --weights model.safetensors --out features.csv

A .csv has a column `path`, and the metadata of a .safetensors a JSON list `paths`. Where a path isn't UTF-8, its
other bytes are \\xE9 there, and a last column `path_bytes`, or a list of this name, has all of the path's bytes
in hexadecimal.")]
pub struct FeaturesArguments {
    /// Images, folders, patterns, or - for an image or a list of paths on standard input.
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
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
///
/// The picture is the photo in gray and in its own size (enlarged, if both its sides have less than 200 pixels),
/// with colors where it speaks for the class, and their scale below it. What the network doesn't see, since it
/// is cropped off, is dim.
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
    /// Names of the classes, one per line.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// The picture to write, a .png [default: the image's name with .explained.png, in the current folder].
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
