//! A trained network in a file.

use std::collections::BTreeMap;
use std::path::Path;

use burn::prelude::Device;
use burn::store::{BurnpackStore, ModuleSnapshot};
use serde::de::DeserializeOwned;
use xception_models::preprocessing::{Labels, Preprocessing};
use xception_models::weights::{WeightsError, read_burnpack, write_burnpack};

use super::NetworkConfig;
use crate::TrainError;

const CONFIG: &str = "network.config";
const PREPROCESSING: &str = "network.preprocessing";
const LABELS: &str = "network.labels";
const MULTI_LABEL: &str = "network.multi_label";

/// A trained network with all that it takes to use it.
#[derive(Debug)]
pub struct Trained<M: NetworkConfig> {
    /// The network's configuration.
    pub config: M,
    /// The network.
    pub network: M::Network,
    /// The preprocessing of its images.
    pub preprocessing: Preprocessing,
    /// The names of its classes.
    pub labels: Option<Labels>,
    /// Whether it names every class of an image, by cross-entropy with sigmoid, rather than its one class, with softmax.
    pub multi_label: bool,
}

impl<M: NetworkConfig> Trained<M> {
    /// Writes the network as burnpack: its parameters under their paths in the module, the rest as JSON in the
    /// metadata. The same network gives the same bytes.
    pub(super) fn write(&self, path: &Path) -> Result<(), TrainError> {
        let damaged = |error: serde_json::Error| TrainError::damaged(path, error);
        let mut texts = BTreeMap::from([
            (
                CONFIG.to_owned(),
                serde_json::to_string(&self.config).map_err(damaged)?,
            ),
            (
                PREPROCESSING.to_owned(),
                serde_json::to_string(&self.preprocessing).map_err(damaged)?,
            ),
        ]);
        if let Some(labels) = &self.labels {
            let names: Vec<_> = labels.iter().collect();
            texts.insert(
                LABELS.to_owned(),
                serde_json::to_string(&names).map_err(damaged)?,
            );
        }
        if self.multi_label {
            texts.insert(MULTI_LABEL.to_owned(), "true".to_owned());
        }
        Ok(write_burnpack(&self.network, &texts, path)?)
    }

    /// Reads what [`write`](Self::write) wrote.
    pub(super) fn read(path: &Path, device: &Device) -> Result<Self, TrainError> {
        let texts = read_burnpack(path).map_err(WeightsError::from)?.metadata;
        let config: M = required(&texts, CONFIG, path)?;
        let mut network = config
            .init(device)
            .map_err(|error| TrainError::network(config.name(), error))?;
        let mut store = BurnpackStore::from_file(path).auto_extension(false);
        let loaded = network
            .load_from(&mut store)
            .map_err(|error| TrainError::damaged(path, error))?;
        if let Some(unused) = loaded.unused.first() {
            let cause = format!(
                "it has a parameter `{unused}`, which {} lacks",
                config.name()
            );
            return Err(TrainError::damaged(path, cause));
        }
        Ok(Self {
            preprocessing: required(&texts, PREPROCESSING, path)?,
            labels: optional::<Vec<String>>(&texts, LABELS, path)?.map(Labels::new),
            multi_label: optional(&texts, MULTI_LABEL, path)?.unwrap_or(false),
            config,
            network,
        })
    }
}

fn required<T: DeserializeOwned>(
    texts: &BTreeMap<String, String>,
    key: &str,
    path: &Path,
) -> Result<T, TrainError> {
    optional(texts, key, path)?.ok_or_else(|| {
        let cause =
            format!("its metadata has no `{key}`: it isn't the network of a run of this kind");
        TrainError::damaged(path, cause)
    })
}

fn optional<T: DeserializeOwned>(
    texts: &BTreeMap<String, String>,
    key: &str,
    path: &Path,
) -> Result<Option<T>, TrainError> {
    let value = texts.get(key).map(|text| serde_json::from_str(text));
    value.transpose().map_err(|error| {
        TrainError::damaged(
            path,
            format!("its metadata's `{key}` can't be read: {error}"),
        )
    })
}
