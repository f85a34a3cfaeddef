//! Bounds on what a file can make a network of, so that a hostile one doesn't exhaust the memory
//! before its tensors are compared with the network.

use std::path::Path;

use super::WeightsError;
use crate::ModelConfig;

/// JFT's 17,000 classes with much room.
const MAX_CLASSES: usize = 1 << 20;
/// The paper's 4096 units with room.
const MAX_UNITS: usize = 1 << 16;
/// The paper's two layers with room.
const MAX_FULLY_CONNECTED: usize = 8;

/// Checks a configuration that came with a file of this number of tensors.
pub(super) fn check(path: &Path, config: &ModelConfig, tensors: usize) -> Result<(), WeightsError> {
    let check = |what: &str, found: usize, maximum: usize| {
        if found <= maximum {
            return Ok(());
        }
        Err(WeightsError::malformed(
            path,
            "weights",
            format!("it has {found} {what}, which is more than {maximum}"),
        ))
    };
    check("classes", config.classes(), MAX_CLASSES)?;
    if let ModelConfig::Xception(config) = config {
        check("modules in the middle flow", config.middle_modules, tensors)?;
        check(
            "fully connected layers",
            config.fully_connected.len(),
            MAX_FULLY_CONNECTED,
        )?;
        for &units in &config.fully_connected {
            check("units in a layer", units, MAX_UNITS)?;
        }
    }
    Ok(())
}
