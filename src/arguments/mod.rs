//! The command line's arguments, which clap parses.

mod bench;
mod devices;
mod images;
mod jobs;
mod networks;
mod training;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use xception::Backend;
use xception::train::data::DataSource;

pub use bench::BenchArguments;
pub use devices::{ParallelArguments, ServeArguments};
pub use images::{
    ConvertArguments, ExplainArguments, FeaturesArguments, InputArguments, PredictArguments,
    WeightsArgument,
};
pub use jobs::{Jobs, Limits, WorkerArguments};
pub use networks::{DrawArguments, SummaryArguments};
pub use training::{AblateArguments, DisplayArgument, EvalArguments, TrainArguments};

/// Xception and its relatives: ablation studies, training and evaluation, on any of Burn's backends.
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = true,
    after_help = "Examples:
  xception ablate configs/ablations/quick.json     compare variants, leave a report
  xception summary xception --size 299             a network's stages and what they cost
  xception draw xception                           the network as a picture, xception.svg
  xception train configs/models/xception-small.json --out runs/first
  xception eval runs/first                         scores of a trained network
  xception predict photos/ --weights runs/first     the classes of images
  xception explain cat.jpg --weights xception.keras    where a network sees a class
  xception bench --model xception --batch 8        how fast a network is here
  xception devices                                 what this build can run on
  xception serve                                   share this machine's devices with other machines

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
    Draw(DrawArguments),
    Bench(BenchArguments),
    Devices(DevicesArguments),
    Serve(ServeArguments),
    Data(DataArguments),
    Schema(SchemaArguments),
    Weights(WeightsArguments),
    Completions(CompletionsArguments),
    #[command(hide = true)]
    Worker(WorkerArguments),
}

/// The backend and device to compute on.
#[derive(Debug, Args)]
pub struct DeviceArguments {
    /// Backend and device, such as flex, ndarray, wgpu or cuda:1; `xception devices` lists them.
    #[arg(long, value_name = "NAME", default_value = "flex")]
    pub backend: Backend,
}

/// Write the report of an ablation or a run, from the records, or one page of several.
///
/// Runs may be under way. A run whose record is damaged is left out, and the exit code is then 1.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception report runs/quick                       report.html, report.md, results.json... in runs/quick
  xception report runs/quick --out shared/quick    the same in another folder
  xception report runs/residual runs/activation    one page of both, runs/comparison/comparison.html
  xception report runs/first/seed-1 runs/longer    the same of single runs

report.html is one file that needs nothing else. In a browser its buttons hide and show variants, a drag zooms a
chart, and pointing at a line, or the arrow keys, read its values; without scripts, and on paper, all is there.

A page of several ablations has all their variants in its tables and charts, and each one's claims under its
name. They need the same data. Where the recipe differs too, the page says in what, and makes no difference of it:
variants are compared across ablations only where nothing but the network differs.")]
pub struct ReportArguments {
    /// The folder of an ablation, of a run, or of runs of one configuration in folders seed-N; several to compare them.
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Folder for what is written [default: the ablation's own; of several, runs/comparison].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl ReportArguments {
    /// Returns the folder for the page of several ablations.
    pub fn comparison_folder(&self) -> &Path {
        self.out.as_deref().unwrap_or(Path::new("runs/comparison"))
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
    /// Check that a data set's files are complete and intact.
    Verify {
        /// embedded, cifar10:DIR, cifar100:DIR, folder:DIR, list:FILE or shards:DIR.
        source: DataSource,
    },
    /// Print a data set's classes, sizes, channel statistics and citation.
    Describe {
        /// embedded, cifar10:DIR, cifar100:DIR, folder:DIR, list:FILE or shards:DIR.
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

/// Print the JSON Schema of a run's or an ablation's file.
///
/// It has every key with its meaning, type, default and range; editors complete and check a file whose
/// "$schema" names it. docs/configuration.md is the same for reading.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception schema run
  xception schema ablation > ablation.schema.json

The files in configs/ name those in configs/schema.")]
pub struct SchemaArguments {
    /// The kind of file.
    #[arg(value_enum)]
    pub kind: KindArgument,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum KindArgument {
    /// A run, as `xception train` takes it.
    Run,
    /// An ablation, as `xception ablate` takes it.
    Ablation,
}

/// Print a shell's completion script.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  xception completions bash > ~/.local/share/bash-completion/completions/xception")]
pub struct CompletionsArguments {
    /// The shell.
    pub shell: Shell,
}
