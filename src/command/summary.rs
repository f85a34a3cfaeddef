//! The command `xception summary`.

use std::io::Write;

use anyhow::{Context, Result};
use burn::prelude::Device;
use xception::kernels::within_pool;
use xception::models::{MODELS, ModelConfig, Summary};
use xception::train::record::EnvironmentRecord;
use xception_messages::grouped;

use super::output;
use crate::arguments::SummaryArguments;
use crate::bench::{BATCH_SEED, limit_threads};
use crate::comparison::{Comparison, Measurement};
use crate::network::model_config;
use crate::table::{Align, Table};

/// Prints the table of a network, of several side by side, or of all networks.
pub fn run(arguments: &SummaryArguments) -> Result<()> {
    match &arguments.model {
        Some(model) => one(model, arguments),
        None if arguments.compare.is_empty() => all(arguments),
        None => several(arguments),
    }
}

fn one(model: &str, arguments: &SummaryArguments) -> Result<()> {
    let size = arguments.size.map(|size| size as usize);
    let (config, size) = model_config(model, &arguments.overrides, size)?;
    let device = Device::flex();
    let network = config.init(&device)?;
    let summary = Summary::new(&network, [size, size])
        .with_context(|| format!("{model} at --size {size}"))?;
    let mut output = output::result();
    if arguments.json {
        writeln!(output, "{}", serde_json::to_string_pretty(&summary)?)?;
    } else {
        write!(output, "{summary}")?;
    }
    Ok(())
}

fn several(arguments: &SummaryArguments) -> Result<()> {
    let size = arguments.size.map(|size| size as usize);
    let networks = arguments.compare.iter();
    let networks = networks.map(|model| Ok((model.clone(), model_config(model, &[], size)?.0)));
    let networks: Vec<_> = networks.collect::<Result<_>>()?;
    let comparison = match arguments.measurement.measure {
        true => measured(networks, size, arguments)?,
        false => Comparison::count(networks, size, &Device::flex())?.0,
    };
    let mut output = output::result();
    if arguments.json {
        writeln!(output, "{}", serde_json::to_string_pretty(&comparison)?)?;
    } else {
        write!(output, "{comparison}")?;
    }
    Ok(())
}

/// Counts and measures networks.
fn measured(
    networks: Vec<(String, ModelConfig)>,
    size: Option<usize>,
    arguments: &SummaryArguments,
) -> Result<Comparison> {
    let arguments = &arguments.measurement;
    let backend = &arguments.backend;
    let threads = arguments.threads.map(|threads| threads as usize);
    let threads = limit_threads(threads, backend.name())?;
    let device = backend.device()?;
    within_pool(|| {
        device.seed(BATCH_SEED);
        let (mut comparison, models) = Comparison::count(networks, size, &device)?;
        let environment = EnvironmentRecord::new(backend.name(), &device);
        let measurement = Measurement::new(
            arguments.batch as usize,
            arguments.rounds as usize,
            threads,
            backend.to_string(),
            environment.processor,
        );
        comparison.measure(models, measurement, &device)?;
        Ok(comparison)
    })
}

fn all(arguments: &SummaryArguments) -> Result<()> {
    let device = Device::flex();
    let mut rows = Vec::new();
    for info in MODELS.iter() {
        let size = arguments.size.map_or(info.image_size, |size| size as usize);
        let network = info.config().init(&device)?;
        let summary = Summary::new(&network, [size, size])?;
        rows.push((info, size, summary));
    }
    let mut output = output::result();
    if arguments.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(info, size, summary)| {
                serde_json::json!({
                    "name": info.name,
                    "paper": info.paper,
                    "image_size": size,
                    "parameters": summary.parameters(),
                    "multiply_adds": summary.multiply_adds(),
                    "activation_bytes": summary.activation_bytes(),
                })
            })
            .collect();
        writeln!(output, "{}", serde_json::to_string_pretty(&rows)?)?;
        return Ok(());
    }
    let mut table = Table::new([
        ("model", Align::Left),
        ("image", Align::Right),
        ("parameters", Align::Right),
        ("multiply-adds", Align::Right),
        ("activations", Align::Right),
        ("paper", Align::Left),
    ]);
    for (info, size, summary) in rows {
        table.row([
            info.name.to_owned(),
            format!("{size} x {size}"),
            grouped(summary.parameters()),
            format!("{:.2} G", summary.multiply_adds() as f64 / 1e9),
            format!("{:.1} MB", summary.activation_bytes() as f64 / 1e6),
            info.paper.to_owned(),
        ]);
    }
    write!(output, "{table}")?;
    Ok(())
}
