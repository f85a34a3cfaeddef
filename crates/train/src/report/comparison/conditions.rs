//! What studies have in common beside their networks, and so which of their variants may be compared.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use super::Study;
use crate::record::{AblationRecord, VariantRecord};

/// Where a setting has no single value in a study.
const VARIES: &str = "varies";
/// Where a study's records don't say.
const UNKNOWN: &str = "not set";

/// A setting in which studies differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Path in the configuration, or what it is of the environment.
    pub path: String,
    /// Its value in each study.
    pub values: Vec<String>,
    /// Whether accuracies depend on it; times do in any case.
    pub decides: bool,
}

/// A variant with what decides whether it may be compared with another.
pub(super) struct Compared<'a> {
    /// Place of the study.
    pub(super) study: usize,
    /// Its settings outside of the network.
    pub(super) conditions: BTreeMap<&'a str, &'a str>,
}

impl Compared<'_> {
    /// Returns whether variants may be compared: those of a study, or those between which nothing but the network differs.
    pub(super) fn may_be_compared(&self, other: &Self) -> bool {
        self.study == other.study || self.conditions == other.conditions
    }

    /// Says in what the variant differs from another, apart from the network.
    pub(super) fn reasons(&self, other: &Self) -> Vec<String> {
        let value = |variant: &Self, path: &str| *variant.conditions.get(path).unwrap_or(&UNKNOWN);
        let paths = self.conditions.keys().chain(other.conditions.keys());
        let paths: BTreeSet<&str> = paths.copied().collect();
        let differing = paths
            .into_iter()
            .filter(|path| value(self, path) != value(other, path));
        let reason = |path| {
            format!(
                "{path} is {}, not {}",
                value(self, path),
                value(other, path)
            )
        };
        differing.map(reason).collect()
    }
}

/// Returns whether a path is of the network, which studies are compared for, or says the same of the data as their hash.
fn is_own(path: &str) -> bool {
    path == "data.source"
        || ["model", "complexity"].contains(&path.split('.').next().unwrap_or(path))
}

/// Returns a variant's settings outside of the network: all that are known.
pub(super) fn conditions_of<'a>(
    study: &'a Study,
    variant: &'a VariantRecord,
) -> BTreeMap<&'a str, &'a str> {
    let settings = match variant.settings.is_empty() {
        true => [study.record.settings.as_slice(), variant.changes.as_slice()],
        false => [variant.settings.as_slice(), &[]],
    };
    let pairs = settings.into_iter().flatten();
    let pairs = pairs.filter(|(path, _)| !is_own(path));
    pairs
        .map(|(path, value)| (path.as_str(), value.as_str()))
        .collect()
}

/// Returns the settings outside of the networks, and the environments, in which studies differ.
pub(super) fn conditions(studies: &[Study]) -> Vec<Condition> {
    let mut paths: Vec<&str> = Vec::new();
    let all: Vec<Vec<_>> = studies
        .iter()
        .map(|study| {
            study
                .record
                .variants
                .iter()
                .map(|v| conditions_of(study, v))
                .collect()
        })
        .collect();
    for path in all.iter().flatten().flat_map(|settings| settings.keys()) {
        if !paths.contains(path) {
            paths.push(path);
        }
    }
    let value = |variants: &Vec<BTreeMap<&str, &str>>, path: &str| {
        let values: HashSet<_> = variants
            .iter()
            .map(|settings| settings.get(path).copied())
            .collect();
        match values.iter().next() {
            Some(value) if values.len() == 1 => value.unwrap_or(UNKNOWN).to_owned(),
            _ => VARIES.to_owned(),
        }
    };
    let settings = paths.into_iter().map(|path| Condition {
        path: path.to_owned(),
        values: all.iter().map(|variants| value(variants, path)).collect(),
        decides: true,
    });
    let environment = |path: &str, value: fn(&AblationRecord) -> String| Condition {
        path: path.to_owned(),
        values: studies.iter().map(|study| value(&study.record)).collect(),
        decides: false,
    };
    let environments = [
        environment("backend", |record| record.environment.backend.clone()),
        environment("device", |record| record.environment.device.clone()),
        environment("processor", |record| record.environment.processor.clone()),
        environment("threads", |record| record.environment.threads.to_string()),
    ];
    let differs = |condition: &Condition| {
        condition
            .values
            .iter()
            .any(|value| *value != condition.values[0])
    };
    settings.chain(environments).filter(differs).collect()
}
