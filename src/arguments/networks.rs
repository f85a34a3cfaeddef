//! The arguments of the commands that show networks: `xception summary` and `xception draw`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use xception::Backend;
use xception::models::diagram::Theme;
use xception::train::config::Override;

/// Print a network's stages: output shapes, parameters, multiply-adds and activation memory.
///
/// The figures are those of a forward pass of one image, which are counted, not computed. Multiply-adds are those of convolutions and
/// linear layers; activations are the outputs of all operations at 4 bytes a number.
///
/// --compare prints the totals of several networks side by side, with their ratios to the first. With --measure it also runs
/// them here, fused for inference as `predict` runs them, with random weights and images: one round of each after the other, so that all
/// have the machine in the same state.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception summary                                  list the networks
  xception summary xception
  xception summary resnet50 --size 224 --json
  xception summary configs/models/xception-small.json --size 32
  xception summary --compare xception inception_v3 resnet50
  xception summary --compare xception resnet50 --size 224 --measure --batch 8 --threads 2

`xception draw` shows the same as a picture, `xception bench` what one network takes, stage by stage.")]
pub struct SummaryArguments {
    /// A network's name, or a JSON file with a `model`; without it, all networks are listed.
    pub model: Option<String>,
    /// Networks to print side by side, two or more: names, or JSON files with a `model`.
    #[arg(long, value_name = "NAME|FILE", num_args = 2.., conflicts_with_all = ["model", "overrides"])]
    pub compare: Vec<String>,
    /// Height and width of the image, in pixels [default: the published size].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub size: Option<u64>,
    /// Change a value of the model, by its path, such as model.xception.width=0.5; can be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<Override>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub measurement: MeasureArguments,
}

/// What `xception summary --compare --measure` runs.
#[derive(Debug, Args)]
pub struct MeasureArguments {
    /// Measure images a second, too.
    #[arg(long, requires = "compare")]
    pub measure: bool,
    /// Images in a batch, with --measure.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=4096))]
    #[arg(requires = "measure")]
    pub batch: u64,
    /// Threads of the processor to compute with, with --measure [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    #[arg(requires = "measure")]
    pub threads: Option<u64>,
    /// Rounds to measure, with --measure; two more come before them.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    #[arg(requires = "measure")]
    pub rounds: u64,
    /// Backend and device, with --measure; `xception devices` lists them.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "flex",
        requires = "measure"
    )]
    pub backend: Backend,
}

/// Draw a network as a picture: its stages, the operations in each, and the shapes that pass between them.
///
/// The picture is drawn from the network's definition, with every option, like figure 5 of the Xception paper: columns are read from
/// top to bottom and from left to right, residual connections and towers stand beside each other, and what is repeated is drawn once with
/// its number. It is an SVG file with text as text, which browsers and drawing programs show at any size.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception draw xception                            writes xception.svg
  xception draw inception_v3 --set model.inception_v3.auxiliary=true --out inception.svg
  xception draw configs/models/xception-small.json --size 32 --theme dark
  xception draw resnet50 --out - > resnet50.svg")]
pub struct DrawArguments {
    /// A network's name, or a JSON file with a `model`.
    pub model: String,
    /// File to write, which ends in .svg; - for standard output [default: the name of the network or the file, with .svg,
    /// in the current folder].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Height and width of the image, in pixels [default: the published size].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub size: Option<u64>,
    /// Change a value of the model, by its path, such as model.xception.width=0.5; can be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<Override>,
    /// The colours.
    #[arg(long, value_enum, default_value_t)]
    pub theme: ThemeArgument,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum ThemeArgument {
    /// Those that the reader's system prefers.
    #[default]
    Auto,
    /// For light surroundings.
    Light,
    /// For dark surroundings.
    Dark,
}

impl From<ThemeArgument> for Theme {
    fn from(theme: ThemeArgument) -> Self {
        match theme {
            ThemeArgument::Auto => Self::Auto,
            ThemeArgument::Light => Self::Light,
            ThemeArgument::Dark => Self::Dark,
        }
    }
}
