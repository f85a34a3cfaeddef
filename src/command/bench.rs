//! The command `xception bench`.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use burn::prelude::Device;
use xception::kernels::within_pool;
use xception::models::layers::Kernels;
use xception::models::weights::Head;
use xception::models::{Graph, Model, ModelConfig, Summary};
use xception::train::config::Precision;
use xception::train::record::EnvironmentRecord;

use super::output;
use crate::arguments::{BenchArguments, WeightsArgument};
use crate::bench::{
    BATCH_SEED, Ceiling, Environment, Form, Part, Report, Times, Traffic, Work, Workload,
    device_memory, limit_threads, peak_memory,
};
use crate::network::{load_weights, model_config};

/// Most rounds that are timed part by part.
const PART_ROUNDS: usize = 5;
/// Ratio of the operations in a training step to those in a forward pass: the backward pass has one product for the
/// gradient of the weights and one for that of the input.
const TRAINING_OPERATIONS: f64 = 3.0;

/// Measures a network and prints the results.
pub fn run(arguments: &BenchArguments) -> Result<()> {
    let backend = &arguments.device.backend;
    let threads = arguments.threads.map(|threads| threads as usize);
    let threads = limit_threads(threads, backend.name())?;
    ensure!(
        !arguments.train || arguments.batch > 1,
        "a training step needs --batch 2 or more: batch normalization has no variance of one image"
    );
    let device = backend.device()?;
    Precision::from(arguments.precision).check(&device)?;
    let report = within_pool(|| {
        let (config, network) = network(arguments, &device)?;
        measure(arguments, config, network, threads, &device)
    })?;

    let mut output = output::result();
    if arguments.json {
        writeln!(output, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        write!(output, "{report}")?;
    }
    Ok(())
}

/// Returns the network of the command line, with weights from a file or random ones.
fn network(arguments: &BenchArguments, device: &Device) -> Result<(ModelConfig, Model)> {
    if let Some(weights) = &arguments.weights {
        let weights = WeightsArgument {
            weights: weights.clone(),
            model: None,
            allow_unused: false,
            prefix: None,
        };
        let loaded = load_weights(&weights, Head::Keep, device)?;
        return Ok((loaded.config, loaded.model));
    }
    let size = arguments.size.map(|size| size as usize);
    let (mut config, _) = model_config(&arguments.model, &arguments.overrides, size)?;
    if let Some(kernels) = arguments.kernels {
        config = config.with_kernels(kernels.into());
    }
    device.seed(BATCH_SEED);
    let network = config.init(device)?;
    Ok((config, network))
}

fn measure(
    arguments: &BenchArguments,
    config: ModelConfig,
    network: Model,
    threads: usize,
    device: &Device,
) -> Result<Report> {
    let batch = arguments.batch as usize;
    let size = arguments
        .size
        .map_or_else(|| config.image_size(), |size| size as usize);
    let summary = Summary::new(&network, [size, size])
        .with_context(|| format!("{} at --size {size}", config.name()))?;

    let graph = Graph::new(&network, [size, size])?;
    let precision = Precision::from(arguments.precision);
    let fused = !arguments.train
        && !arguments.no_fuse
        && precision == Precision::Full
        && config.kernels() == Kernels::Native;
    let traffic = Traffic {
        graph: &graph,
        form: match (arguments.train, fused) {
            (true, _) => Form::Training,
            (false, true) => Form::Fused,
            (false, false) => Form::Unfused,
        },
        batch,
        number: match precision {
            Precision::Full => 4,
            Precision::Mixed | Precision::MixedBf16 => 2,
        },
    };
    let mut workload = match arguments.train {
        true => Workload::training(network, precision, batch, size, device),
        false => Workload::inference(network, fused, precision, batch, size, device),
    };
    for _ in 0..arguments.warm_up {
        workload.time()?;
    }
    let seconds: Vec<f64> = (0..arguments.rounds)
        .map(|_| workload.time())
        .collect::<Result<_>>()?;
    // Before the ceilings take some too.
    let (peak_memory, device_memory) = (peak_memory(), device_memory(device));
    let rounds: Vec<_> = (0..PART_ROUNDS.min(seconds.len()))
        .map(|_| workload.time_parts())
        .collect::<Result<_>>()?;
    drop(workload);
    let ceiling = Ceiling::measure(device)?;

    let counted = Operations::new(&summary, arguments.train);
    let milliseconds = Times::new(&seconds);
    let images_per_second = 1e3 * batch as f64 / milliseconds.median;
    let gflops = counted.step() * images_per_second / 1e9;
    let bytes = traffic.step();
    let gigabytes_per_second = bytes as f64 / milliseconds.median / 1e6;
    let EnvironmentRecord {
        device: device_name,
        processor,
        platform,
        versions,
        ..
    } = EnvironmentRecord::new(arguments.device.backend.name(), device);
    Ok(Report {
        model: config.name(),
        config,
        weights: arguments.weights.clone(),
        parameters: summary.parameters(),
        training: arguments.train,
        precision,
        fused,
        batch,
        size,
        warm_up: arguments.warm_up as usize,
        milliseconds,
        multiply_adds: counted.multiply_adds,
        images_per_second,
        gflops,
        bytes,
        gigabytes_per_second,
        ceiling,
        share_of_ceiling: gflops / ceiling.gflops,
        share_of_bandwidth: gigabytes_per_second / ceiling.gigabytes_per_second,
        parts: Part::of_rounds(&rounds, |name| {
            let mut stages = graph.stages.iter().filter(|_| !arguments.train);
            let stage = stages.find(|stage| stage.name == name);
            Some(Work {
                operations: counted.part(name)? * batch as f64,
                bytes: stage.map(|stage| traffic.stage(stage) as f64),
            })
        }),
        peak_memory,
        device_memory,
        environment: Environment {
            backend: arguments.device.backend.to_string(),
            device: device_name,
            processor,
            threads,
            platform,
            versions,
        },
    })
}

/// The operations for one image.
struct Operations<'a> {
    summary: &'a Summary,
    training: bool,
    /// Multiply-adds of a forward pass. The auxiliary classifier runs in training only.
    multiply_adds: u64,
}

impl<'a> Operations<'a> {
    fn new(summary: &'a Summary, training: bool) -> Self {
        let stages = summary.stages.iter();
        let run = stages.filter(|stage| training || stage.name != "auxiliary");
        Self {
            summary,
            training,
            multiply_adds: run.map(|stage| stage.multiply_adds).sum(),
        }
    }

    /// Returns the operations of a step.
    fn step(&self) -> f64 {
        let factor = if self.training {
            TRAINING_OPERATIONS
        } else {
            1.0
        };
        2.0 * factor * self.multiply_adds as f64
    }

    /// Returns the operations of a part of a step; `None` for the optimizer, which computes no products.
    fn part(&self, name: &str) -> Option<f64> {
        if self.training {
            let forward = 2.0 * self.multiply_adds as f64;
            return match name {
                "forward" => Some(forward),
                "backward" => Some(self.step() - forward),
                _ => None,
            };
        }
        let mut stages = self.summary.stages.iter();
        let stage = stages.find(|stage| stage.name == name)?;
        Some(2.0 * stage.multiply_adds as f64)
    }
}
