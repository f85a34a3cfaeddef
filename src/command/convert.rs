//! The command `xception convert`.

use std::io::Write;

use anyhow::Result;
use burn::prelude::Device;
use xception::models::Network;
use xception::models::weights::{Head, save_burnpack, save_safetensors};

use super::output;
use crate::arguments::{ConvertArguments, WeightsArgument};
use crate::network::load_weights;
use crate::output::check_folder;
use crate::terminal::escaped_path;

/// Writes a network's weights in another format.
pub fn run(arguments: &ConvertArguments) -> Result<()> {
    let ending = arguments.out.extension().unwrap_or_default();
    let save = match &*ending.to_string_lossy().to_lowercase() {
        "safetensors" => save_safetensors,
        "bpk" => save_burnpack,
        _ => anyhow::bail!(
            "{} has to end in .safetensors or .bpk, which determines its format",
            arguments.out.display()
        ),
    };
    check_folder(&arguments.out)?;
    let weights = WeightsArgument {
        weights: arguments.input.clone(),
        model: None,
        allow_unused: arguments.allow_unused,
        prefix: None,
    };
    let loaded = load_weights(&weights, Head::Keep, &Device::flex())?;
    save(&loaded, &arguments.out)?;
    writeln!(
        output::notes(),
        "{}: {} of {} with {} classes, {} parameters",
        escaped_path(&arguments.out),
        loaded.config.name(),
        loaded.source,
        loaded.model.classes(),
        loaded.model.trainable_parameters()
    )?;
    Ok(())
}
