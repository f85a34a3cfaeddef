//! What has to hold between the variants of an ablation.

use std::collections::HashMap;

use serde_json::Value;

use super::ablation::Variant;
use super::data::DataConfig;
use super::error::{ConfigError, Invalid};
use super::run::RunConfig;
use super::strict_json::shown;
use crate::data::Dataset;
use crate::network::NetworkConfig;
use crate::record::{Claim, ClaimMetric};
use xception_messages::suggestion;

/// The most names that a message lists.
const LISTED: usize = 20;

/// Path of the number of images held back for validation, of which there are none unless they are asked for.
const VALIDATION: &str = "data.validation_images";

/// Path of the mosaics that images are put together to, if they are.
const MOSAIC: &str = "data.mosaic";

/// What variants have to share to be compared.
const SHARED: [&str; 5] = [
    "recipe.epochs",
    "data.source",
    VALIDATION,
    "data.test_images",
    MOSAIC,
];

/// Checks that there are seeds, each once.
pub(super) fn check_seeds(seeds: &[u64]) -> Result<(), Invalid> {
    if seeds.is_empty() {
        let expected = "a list of at least one seed, as in `[1, 2, 3]`";
        return Err(Invalid::new("seeds", "empty", expected));
    }
    let mut seen = HashMap::new();
    for (index, seed) in seeds.iter().enumerate() {
        if let Some(first) = seen.insert(seed, index) {
            let message = format!("seed {seed} is there twice, first as seeds.{first}");
            return Err(Invalid::saying(format!("seeds.{index}"), message));
        }
    }
    Ok(())
}

/// Checks that no two names are the same.
pub(super) fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Invalid> {
    let mut seen = HashMap::new();
    for (index, name) in names.enumerate() {
        if let Some(first) = seen.insert(name, index) {
            let path = format!("variants.{index}.name");
            let message = format!("another variant is already called `{name}`: variants.{first}");
            return Err(Invalid::saying(path, message));
        }
    }
    Ok(())
}

/// Checks that a claim is about two variants that are there.
pub(super) fn check_claims(claims: &[Claim], names: &[&str]) -> Result<(), Invalid> {
    for (index, claim) in claims.iter().enumerate() {
        for (key, name) in [("better", &claim.better), ("worse", &claim.worse)] {
            if names.contains(&name.as_str()) {
                continue;
            }
            let nearest = suggestion(name, names.iter().copied());
            let mut known = names[..names.len().min(LISTED)].join("; ");
            if names.len() > LISTED {
                known += &format!("; and {} more", names.len() - LISTED);
            }
            return Err(Invalid::saying(
                format!("claims.{index}.{key}"),
                format!("there is no variant `{name}`{nearest} (the variants are {known})"),
            ));
        }
        if claim.better == claim.worse {
            return Err(Invalid::saying(
                format!("claims.{index}.worse"),
                format!(
                    "compares `{}` with itself: name two different variants",
                    claim.worse
                ),
            ));
        }
    }
    Ok(())
}

/// Returns what data lacks for a metric, as the rest of a sentence about the metric.
fn lacking(metric: ClaimMetric, has_validation: bool, has_sets: bool) -> Option<&'static str> {
    match metric {
        ClaimMetric::ChosenTop1 if !has_validation => Some(
            "is of the epoch chosen on the images held back for validation: give their number, `data.validation_images`",
        ),
        ClaimMetric::FinalMap100 | ClaimMetric::MeanMap100 if !has_sets => {
            Some("is of images with sets of labels: give `data.mosaic`, or compare top-1")
        }
        _ => None,
    }
}

/// Checks that runs may measure what claims compare, as far as it is known without the images. The variants share what it takes.
pub(super) fn check_metrics(claims: &[Claim], data: &DataConfig) -> Result<(), Invalid> {
    let has_validation = data.validation_images.is_some() || data.source.may_have_validation();
    let has_sets = data.mosaic.is_some() || data.source.may_have_sets();
    for (index, claim) in claims.iter().enumerate() {
        if let Some(lacking) = lacking(claim.metric, has_validation, has_sets) {
            return Err(Invalid::saying(format!("claims.{index}.metric"), lacking));
        }
    }
    Ok(())
}

/// Checks that runs on these images measure what claims compare.
///
/// # Errors
///
/// [`ConfigError::Unmeasured`] where they don't.
pub(crate) fn check_measured(claims: &[Claim], data: &Dataset) -> Result<(), ConfigError> {
    let (has_validation, has_sets) = (
        data.validation.is_some(),
        data.train.set_classes().is_some(),
    );
    for (claim, metric) in claims.iter().map(|claim| claim.metric).enumerate() {
        if let Some(lacking) = lacking(metric, has_validation, has_sets) {
            return Err(ConfigError::Unmeasured { claim, lacking });
        }
    }
    Ok(())
}

/// A value in which a variant is not like the first.
pub(super) struct Unlike {
    /// The variant's place.
    pub(super) index: usize,
    /// Path of the value.
    pub(super) path: &'static str,
    /// The problem.
    pub(super) message: String,
}

/// Returns the first variant that can't be compared with the base.
pub(super) fn unlike<M: NetworkConfig>(variants: &[Variant<M>]) -> Option<Unlike> {
    let (first, others) = variants.split_first()?;
    let of_first = SHARED.map(|path| value(&first.config, path));
    others.iter().enumerate().find_map(|(index, variant)| {
        SHARED.iter().zip(&of_first).find_map(|(&path, of_first)| {
            let of_variant = value(&variant.config, path);
            let for_people = |value: &Option<Value>| match value {
                None | Some(Value::Null) if [VALIDATION, MOSAIC].contains(&path) => "none".to_owned(),
                None | Some(Value::Null) => "all".to_owned(),
                Some(value) => shown(value),
            };
            (of_variant != *of_first).then(|| Unlike {
                index: index + 1,
                path,
                message: format!(
                    "is {} in `{}`, but {} in `{}`: variants have to share the number of epochs, the \
                     validation and the test images, or they can't be compared",
                    for_people(&of_variant),
                    variant.name,
                    for_people(of_first),
                    first.name
                ),
            })
        })
    })
}

/// Returns the value of a path in a configuration.
pub(super) fn value<M: NetworkConfig>(config: &RunConfig<M>, path: &str) -> Option<Value> {
    let value = serde_json::to_value(config).ok()?;
    let pointer = format!("/{}", path.replace('.', "/"));
    value.pointer(&pointer).cloned()
}
