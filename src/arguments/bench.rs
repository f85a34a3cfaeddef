//! The arguments of `xception bench`.

use clap::{Args, ValueEnum};
use xception::models::layers::Kernels;
use xception::train::config::{Override, Precision};

use super::DeviceArguments;

/// Measure how fast a network runs or trains on this machine.
///
/// The images are random numbers, and so are the weights where none are given. GFLOP/s count two
/// operations a multiply-add of convolutions and linear layers, those of `xception summary`; a training
/// step counts three times the forward pass, as its backward pass computes two products of the same
/// size. GB/s count the bytes that a step moves at least, if each kernel reads its inputs once for each pass that
/// it has to make over them, and writes its output once, and nothing stays in a cache from one to the next: more than
/// the ceiling says that a cache helps. The ceilings are the best of several products of large matrices, and of
/// several passes over a large tensor, in the same process, on the same backend and threads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception bench                                        Xception, one image, 299 x 299
  xception bench --model resnet50 --batch 8 --threads 4
  xception bench --model xception --train --batch 8 --size 96
  xception bench --model xception --train --batch 8 --size 96 --kernels burn
  xception bench --model configs/models/xception-small.json --train --batch 128
  xception bench --set model.xception.stem=small --set model.xception.width=0.25 --json
  xception bench --weights runs/first --batch 16
  xception bench --backend wgpu --train --batch 32 --precision mixed

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
    /// Steps to measure.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub rounds: u64,
    /// Steps to run before them, which aren't measured.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    pub warm_up: u64,
    /// Threads of the processor to compute with [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub threads: Option<u64>,
    /// The implementation of the layers' operations: this project's kernels, or Burn's own.
    #[arg(long, value_enum)]
    pub kernels: Option<KernelsArgument>,
    /// The numbers that layers compute with: f32; f16; or bf16. With the last two a network for inference isn't fused.
    #[arg(long, value_enum, default_value = "full")]
    pub precision: PrecisionArgument,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PrecisionArgument {
    Full,
    Mixed,
    #[value(name = "mixed_bf16")]
    MixedBf16,
}

impl From<PrecisionArgument> for Precision {
    fn from(precision: PrecisionArgument) -> Self {
        match precision {
            PrecisionArgument::Full => Self::Full,
            PrecisionArgument::Mixed => Self::Mixed,
            PrecisionArgument::MixedBf16 => Self::MixedBf16,
        }
    }
}
