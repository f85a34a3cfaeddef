//! The command `xception summary`.

use std::io::Write;

use anyhow::{Context, Result};
use burn::prelude::Device;
use xception::models::{MODELS, Summary};

use super::output;
use crate::arguments::SummaryArguments;
use crate::network::model_config;

/// Prints the table of a network, or of all networks.
pub fn run(arguments: &SummaryArguments) -> Result<()> {
    match &arguments.model {
        Some(model) => one(model, arguments),
        None => all(arguments),
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
    writeln!(
        output,
        "{:<14} {:>9} {:>12} {:>15} {:>13}  paper",
        "model", "image", "parameters", "multiply-adds", "activations"
    )?;
    for (info, size, summary) in rows {
        writeln!(
            output,
            "{:<14} {:>9} {:>12} {:>13.2} G {:>10.1} MB  {}",
            info.name,
            format!("{size} x {size}"),
            summary.parameters(),
            summary.multiply_adds() as f64 / 1e9,
            summary.activation_bytes() as f64 / 1e6,
            info.paper
        )?;
    }
    Ok(())
}
