//! The report of a measurement, as text and as JSON.

use std::fmt;

use serde::Serialize;
use xception::models::ModelConfig;
use xception::models::layers::Kernels;
use xception::train::config::Precision;

use super::{Ceiling, Times};

/// A measurement, with its settings and environment.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the network.
    pub model: String,
    /// Configuration of the network.
    pub config: ModelConfig,
    /// The weights given; `None` for random ones.
    pub weights: Option<String>,
    /// Number of trainable parameters.
    pub parameters: u64,
    /// Whether a step is a training step.
    pub training: bool,
    /// The numbers that the layers computed with.
    pub precision: Precision,
    /// Whether the network was fused, as for inference.
    pub fused: bool,
    /// Number of images in a step.
    pub batch: usize,
    /// Height and width of the images, in pixels.
    pub size: usize,
    /// Number of steps before those measured.
    pub warm_up: usize,
    /// Milliseconds per step.
    pub milliseconds: Times,
    /// Multiply-adds of a forward pass for one image.
    pub multiply_adds: u64,
    /// Images per second in the median step.
    pub images_per_second: f64,
    /// Billions of operations per second in the median step, at two per multiply-add; a training step has three times
    /// the operations of a forward pass.
    pub gflops: f64,
    /// Bytes that a step moves at least, by a model: see `xception bench --help`.
    pub bytes: u64,
    /// Billions of these bytes per second in the median step.
    pub gigabytes_per_second: f64,
    /// The speeds of a large matrix product and of a pass over a large tensor.
    pub ceiling: Ceiling,
    /// Ratio of `gflops` to that of the ceiling.
    pub share_of_ceiling: f64,
    /// Ratio of `gigabytes_per_second` to that of the ceiling.
    pub share_of_bandwidth: f64,
    /// The stages of a forward pass, or the parts of a training step.
    pub parts: Vec<Part>,
    /// Peak memory of the process in bytes; `None` if the system doesn't report it.
    pub peak_memory: Option<u64>,
    /// Bytes that the process held of the memory of a device with memory of its own; `None` for the processor.
    pub device_memory: Option<u64>,
    /// Environment of the measurement.
    #[serde(flatten)]
    pub environment: Environment,
}

/// The environment of a measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Environment {
    /// Name of the backend.
    pub backend: String,
    /// The device as the backend names it.
    pub device: String,
    /// Processor model; empty if the system doesn't report it.
    pub processor: String,
    /// Number of threads that computed on the processor.
    pub threads: usize,
    /// Operating system and architecture.
    pub platform: String,
    /// Names and versions of the program and of Burn.
    pub versions: Vec<(String, String)>,
}

/// A part of a step, measured in separate rounds.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// Name of a stage, or `forward`, `backward` or `optimizer`.
    pub name: String,
    /// Median time in milliseconds.
    pub milliseconds: f64,
    /// Share of the sum of all parts, from 0 to 1.
    pub share: f64,
    /// Billions of operations per second; `None` for a part whose operations aren't counted.
    pub gflops: Option<f64>,
    /// Billions of bytes per second; `None` for a part whose bytes aren't counted.
    pub gigabytes_per_second: Option<f64>,
}

/// What a part of a step does.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// Its operations, at two per multiply-add.
    pub operations: f64,
    /// The bytes that it moves, if they are counted.
    pub bytes: Option<f64>,
}

impl Part {
    /// Computes the parts from rounds that all have the same ones; `work` returns what a part of a name does, if that is counted.
    pub fn of_rounds(
        rounds: &[Vec<(String, f64)>],
        work: impl Fn(&str) -> Option<Work>,
    ) -> Vec<Self> {
        let names = rounds.first().into_iter().flatten().map(|(name, _)| name);
        let mut parts: Vec<Self> = names
            .enumerate()
            .map(|(index, name)| {
                let seconds: Vec<f64> = rounds.iter().map(|round| round[index].1).collect();
                let milliseconds = Times::new(&seconds).median;
                let work = work(name);
                let billions_a_second = |amount: f64| amount / milliseconds / 1e6;
                Self {
                    name: name.clone(),
                    milliseconds,
                    share: 0.0,
                    gflops: work.map(|work| billions_a_second(work.operations)),
                    gigabytes_per_second: work.and_then(|work| work.bytes).map(billions_a_second),
                }
            })
            .collect();
        let total: f64 = parts.iter().map(|part| part.milliseconds).sum();
        for part in &mut parts {
            part.share = part.milliseconds / total;
        }
        parts
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let step = if self.training {
            "training steps"
        } else if self.fused {
            "forward passes (fused)"
        } else {
            "forward passes"
        };
        let kernels = match self.config.kernels() {
            Kernels::Native => "native",
            Kernels::Burn => "Burn's",
        };
        writeln!(
            formatter,
            "{}, {step} of {} x 3 x {} x {}{}",
            self.model,
            self.batch,
            self.size,
            self.size,
            match self.precision {
                Precision::Full => "",
                Precision::Mixed => " in f16",
                Precision::MixedBf16 => " in bf16",
            }
        )?;
        let environment = &self.environment;
        writeln!(
            formatter,
            "{} ({}), {kernels} kernels, {} thread{}, {}\n",
            environment.backend,
            environment.device,
            environment.threads,
            if environment.threads == 1 { "" } else { "s" },
            environment.processor
        )?;
        let mut row = |name: &str, value: String, remark: String| {
            let line = format!("{name:<20}  {value:>12}  {remark}");
            writeln!(formatter, "{}", line.trim_end())
        };
        let times = &self.milliseconds;
        row(
            "parameters",
            format!("{:.2} M", self.parameters as f64 / 1e6),
            String::new(),
        )?;
        row(
            "milliseconds a step",
            format!("{:.2}", times.median),
            format!(
                "median of {}; {:.2} to {:.2}, half of them {:.2} to {:.2}",
                times.rounds.len(),
                times.minimum,
                times.maximum,
                times.lower_quartile,
                times.upper_quartile
            ),
        )?;
        row(
            "images a second",
            format!("{:.1}", self.images_per_second),
            String::new(),
        )?;
        let counted = if self.training {
            "three times the forward pass"
        } else {
            "two operations a multiply-add"
        };
        row(
            "GFLOP/s",
            format!("{:.1}", self.gflops),
            format!(
                "{counted}, {:.3} G multiply-adds an image",
                self.multiply_adds as f64 / 1e9
            ),
        )?;
        row(
            "of the ceiling",
            format!("{:.1} %", 100.0 * self.share_of_ceiling),
            format!(
                "{:.1} GFLOP/s, a product of {side} x {side} matrices",
                self.ceiling.gflops,
                side = self.ceiling.side
            ),
        )?;
        row(
            "GB/s",
            format!("{:.1}", self.gigabytes_per_second),
            format!(
                "{:.3} GB a step, if each kernel reads and writes its maps",
                self.bytes as f64 / 1e9
            ),
        )?;
        row(
            "of the ceiling",
            format!("{:.1} %", 100.0 * self.share_of_bandwidth),
            format!(
                "{:.1} GB/s, a pass over a large tensor",
                self.ceiling.gigabytes_per_second
            ),
        )?;
        let megabytes = |bytes: u64| format!("{:.0} MB", bytes as f64 / 1e6);
        let memory = self.peak_memory.map(megabytes);
        row(
            "peak memory",
            memory.unwrap_or_else(|| "unknown".to_owned()),
            "of the process".to_owned(),
        )?;
        if let Some(bytes) = self.device_memory {
            row("", megabytes(bytes), "of the device".to_owned())?;
        }
        self.parts_table(formatter)
    }
}

impl Report {
    fn parts_table(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let heading = if self.training { "part" } else { "stage" };
        writeln!(
            formatter,
            "\n{heading:<20}  {:>12}  {:>8}  {:>8}  {:>8}",
            "milliseconds", "share", "GFLOP/s", "GB/s"
        )?;
        for part in &self.parts {
            let number = |number: Option<f64>| {
                number.map_or_else(String::new, |number| format!("{number:.1}"))
            };
            let line = format!(
                "{:<20}  {:>12.3}  {:>6.1} %  {:>8}  {:>8}",
                part.name,
                part.milliseconds,
                100.0 * part.share,
                number(part.gflops),
                number(part.gigabytes_per_second)
            );
            writeln!(formatter, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_medians_over_rounds() {
        let round = |a: f64, b: f64| vec![("a".to_owned(), a), ("b".to_owned(), b)];
        let rounds = [
            round(0.001, 0.002),
            round(0.003, 0.002),
            round(0.002, 0.002),
        ];
        let work = Work {
            operations: 4e6,
            bytes: Some(8e6),
        };
        let parts = Part::of_rounds(&rounds, |name| (name == "a").then_some(work));
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].milliseconds, parts[0].share), (2.0, 0.5));
        assert_eq!((parts[0].gflops, parts[1].gflops), (Some(2.0), None));
        assert_eq!(parts[0].gigabytes_per_second, Some(4.0));
        assert!(Part::of_rounds(&[], |_| None).is_empty());
    }
}
