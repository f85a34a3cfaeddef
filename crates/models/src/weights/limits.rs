//! Limits on the network that a file may declare, so that a hostile file doesn't exhaust the memory before its
//! tensors are compared with the network.

use std::collections::BTreeMap;
use std::path::Path;

use super::WeightsError;
use crate::{ModelConfig, limits};
use xception_formats::elements;

/// Most parameters; ResNet-152 has 60 million, the paper's largest network, for JFT, 120 million, and VGG-16 138
/// million.
const MAX_PARAMETERS: usize = 1 << 28;

/// Checks the configuration from a file with this number of tensors.
pub(super) fn check(path: &Path, config: &ModelConfig, tensors: usize) -> Result<(), WeightsError> {
    let check = |what, found, maximum| at_most(path, what, found, maximum);
    check("classes", config.classes(), limits::CLASSES)?;
    for (what, found, maximum) in config.claims(tensors) {
        check(what, found, maximum)?;
    }
    Ok(())
}

/// Checks the number of a network's parameters before any of them is read, since the tensors of a file may claim to
/// be much larger than the file.
pub(super) fn check_parameters(
    path: &Path,
    shapes: &BTreeMap<String, Vec<usize>>,
) -> Result<(), WeightsError> {
    let total = shapes
        .values()
        .try_fold(0usize, |total, shape| total.checked_add(elements(shape)?));
    at_most(
        path,
        "parameters",
        total.unwrap_or(usize::MAX),
        MAX_PARAMETERS,
    )
}

fn at_most(path: &Path, what: &str, found: usize, maximum: usize) -> Result<(), WeightsError> {
    if found <= maximum {
        return Ok(());
    }
    let reason = format!("it has {found} {what}, which is more than {maximum}");
    Err(WeightsError::malformed(path, "weights", reason))
}
