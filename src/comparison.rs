//! Several networks side by side.

use std::fmt;

use anyhow::{Context, Result};
use burn::prelude::Device;
use serde::Serialize;
use xception::models::layers::Kernels;
use xception::models::{Model, ModelConfig, Summary};
use xception::train::config::Precision;
use xception_messages::{counted, grouped};

use crate::bench::{Times, Workload, measure_in_turns};
use crate::table::{Align, Table};
use crate::terminal::escaped;

/// Rounds before those that are measured.
const WARM_UP: usize = 2;

/// The totals of several networks.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The networks, in the order of the command line.
    pub networks: Vec<Compared>,
    /// Settings of the measurement, if there was one.
    pub measurement: Option<Measurement>,
}

/// A network of a [`Comparison`].
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// The name or the file on the command line.
    pub name: String,
    /// Configuration of the network.
    pub config: ModelConfig,
    /// Height and width of the image, in pixels.
    pub image_size: usize,
    /// The totals.
    #[serde(flatten)]
    pub figures: Figures,
    /// Ratios of the totals to those of the first network.
    pub ratios: Ratios,
    /// Milliseconds a batch; `None` if they weren't measured.
    pub milliseconds: Option<Times>,
}

/// The totals of a network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Number of trainable parameters.
    pub parameters: u64,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
    /// Bytes of the outputs of all operations for one image.
    pub activation_bytes: u64,
    /// Images a second in the median round; `None` if they weren't measured.
    pub images_per_second: Option<f64>,
}

/// Ratios of [`Figures`]; `None` to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratios {
    parameters: Option<f64>,
    multiply_adds: Option<f64>,
    activation_bytes: Option<f64>,
    images_per_second: Option<f64>,
}

/// How networks were measured.
#[derive(Debug, Clone, Serialize)]
pub struct Measurement {
    /// Number of images in a batch.
    pub batch: usize,
    /// Number of threads that computed on the processor.
    pub threads: usize,
    /// Name of the backend.
    pub backend: String,
    /// Processor model; empty if the system doesn't report it.
    pub processor: String,
    /// Number of rounds before those measured.
    pub warm_up: usize,
    /// Number of rounds measured.
    pub rounds: usize,
}

impl Measurement {
    /// Describes a measurement with the usual number of rounds before it.
    pub fn new(
        batch: usize,
        rounds: usize,
        threads: usize,
        backend: String,
        processor: String,
    ) -> Self {
        Self {
            batch,
            threads,
            backend,
            processor,
            warm_up: WARM_UP,
            rounds,
        }
    }
}

impl Comparison {
    /// Counts the networks of these names and configurations, at this size of images or each at its own.
    ///
    /// # Errors
    ///
    /// If a network can't be made, or images are too small for it.
    pub fn count(
        networks: Vec<(String, ModelConfig)>,
        size: Option<usize>,
        device: &Device,
    ) -> Result<(Self, Vec<Model>)> {
        let (mut compared, mut models) = (Vec::<Compared>::new(), Vec::new());
        for (name, config) in networks {
            let image_size = size.unwrap_or_else(|| config.image_size());
            let model = config.init(device).with_context(|| name.clone())?;
            let summary = Summary::new(&model, [image_size; 2])
                .with_context(|| format!("{name} at --size {image_size}"))?;
            let figures = Figures {
                parameters: summary.parameters(),
                multiply_adds: summary.multiply_adds(),
                activation_bytes: summary.activation_bytes(),
                images_per_second: None,
            };
            let first = compared.first().map_or(figures, |first| first.figures);
            compared.push(Compared {
                name,
                config,
                image_size,
                figures,
                ratios: figures.ratios(&first),
                milliseconds: None,
            });
            models.push(model);
        }
        let comparison = Self {
            networks: compared,
            measurement: None,
        };
        Ok((comparison, models))
    }

    /// Measures the networks, in turns.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn measure(
        &mut self,
        models: Vec<Model>,
        measurement: Measurement,
        device: &Device,
    ) -> Result<()> {
        let networks = self.networks.iter().zip(models);
        let mut workloads: Vec<Workload> = networks
            .map(|(network, model)| {
                let fused = network.config.kernels() == Kernels::Native;
                Workload::inference(
                    model,
                    fused,
                    Precision::Full,
                    measurement.batch,
                    network.image_size,
                    device,
                )
            })
            .collect();
        let times = measure_in_turns(&mut workloads, measurement.warm_up, measurement.rounds)?;
        for (network, times) in self.networks.iter_mut().zip(times) {
            network.figures.images_per_second = Some(1e3 * measurement.batch as f64 / times.median);
            network.milliseconds = Some(times);
        }
        if let Some(first) = self.networks.first().map(|first| first.figures) {
            for network in &mut self.networks {
                network.ratios = network.figures.ratios(&first);
            }
        }
        self.measurement = Some(measurement);
        Ok(())
    }
}

impl Figures {
    fn ratios(&self, first: &Self) -> Ratios {
        let ratio = |this: f64, first: f64| (first != 0.0).then_some(this / first);
        let of_counts = |this: u64, first: u64| ratio(this as f64, first as f64);
        let speeds = self.images_per_second.zip(first.images_per_second);
        Ratios {
            parameters: of_counts(self.parameters, first.parameters),
            multiply_adds: of_counts(self.multiply_adds, first.multiply_adds),
            activation_bytes: of_counts(self.activation_bytes, first.activation_bytes),
            images_per_second: speeds.and_then(|(this, first)| ratio(this, first)),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let right = |name| (name, Align::Right);
        let mut columns = vec![("network", Align::Left), right("image")];
        for name in ["parameters", "multiply-adds", "activations"] {
            columns.extend([right(name), right("")]);
        }
        if self.measurement.is_some() {
            columns.extend([right("images/s"), right("")]);
        }
        let mut table = Table::new(columns);
        for (index, network) in self.networks.iter().enumerate() {
            let size = network.image_size;
            let (figures, ratios) = (&network.figures, &network.ratios);
            let mut cells = vec![escaped(&network.name), format!("{size} x {size}")];
            let mut cell = |text: String, ratio: Option<f64>| {
                let ratio = ratio
                    .filter(|_| index > 0)
                    .map(|ratio| format!("x {ratio:.2}"));
                cells.extend([text, ratio.unwrap_or_default()]);
            };
            cell(grouped(figures.parameters), ratios.parameters);
            let multiply_adds = format!("{:.2} G", figures.multiply_adds as f64 / 1e9);
            cell(multiply_adds, ratios.multiply_adds);
            let activations = format!("{:.1} MB", figures.activation_bytes as f64 / 1e6);
            cell(activations, ratios.activation_bytes);
            if let Some(speed) = figures.images_per_second {
                cell(format!("{speed:.1}"), ratios.images_per_second);
            }
            table.row(cells);
        }
        write!(formatter, "{table}")?;
        let Some(measurement) = &self.measurement else {
            return Ok(());
        };
        let plain = self
            .networks
            .iter()
            .filter(|network| network.config.kernels() != Kernels::Native);
        let plain = plain
            .map(|network| escaped(&network.name))
            .collect::<Vec<_>>()
            .join(", ");
        let apart = match plain.is_empty() {
            true => String::new(),
            false => format!(" ({plain}: not fused)"),
        };
        let Measurement {
            batch,
            threads,
            rounds,
            backend,
            processor,
            ..
        } = measurement;
        let batch = counted(*batch, "image");
        let (threads, rounds) = (counted(*threads, "thread"), counted(*rounds, "round"));
        writeln!(
            formatter,
            "\nimages/s: fused forward passes{apart} of {batch} with random weights, median of {rounds} in turns\n\
             {backend}, {threads}{}{processor}",
            if processor.is_empty() { "" } else { ", " }
        )
    }
}
