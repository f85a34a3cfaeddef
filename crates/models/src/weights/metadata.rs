//! The metadata that this crate writes beside the tensors, for what names and shapes don't show.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::WeightsError;
use super::source::Source;
use crate::ModelConfig;
use crate::preprocessing::{Labels, Preprocessing};

const CONFIG: &str = "xception.config";
const LABELS: &str = "xception.labels";
const MULTI_LABEL: &str = "xception.multi_label";
const PREPROCESSING: &str = "xception.preprocessing";
const SOURCE: &str = "xception.source";

/// The configuration, preprocessing and source of a network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Metadata {
    pub(super) config: ModelConfig,
    pub(super) preprocessing: Preprocessing,
    pub(super) source: Source,
    /// Names of the classes, if they are known.
    pub(super) labels: Option<Labels>,
    /// See [`Loaded::multi_label`](super::Loaded::multi_label).
    pub(super) multi_label: bool,
}

impl Metadata {
    /// Converts the metadata to texts with keys.
    pub(super) fn to_texts(&self) -> serde_json::Result<BTreeMap<String, String>> {
        let mut texts = BTreeMap::from([
            (CONFIG.to_owned(), serde_json::to_string(&self.config)?),
            (
                PREPROCESSING.to_owned(),
                serde_json::to_string(&self.preprocessing)?,
            ),
            (SOURCE.to_owned(), serde_json::to_string(&self.source)?),
        ]);
        if let Some(labels) = &self.labels {
            let names: Vec<_> = labels.iter().collect();
            texts.insert(LABELS.to_owned(), serde_json::to_string(&names)?);
        }
        if self.multi_label {
            texts.insert(MULTI_LABEL.to_owned(), "true".to_owned());
        }
        Ok(texts)
    }

    /// Reads the metadata from texts with keys; returns `None` if this crate's keys aren't among them.
    ///
    /// # Errors
    ///
    /// If a text is missing or can't be parsed.
    pub(super) fn from_texts(
        texts: &BTreeMap<String, String>,
        path: &Path,
    ) -> Result<Option<Self>, WeightsError> {
        if !texts.contains_key(CONFIG) {
            return Ok(None);
        }
        let labels = texts.contains_key(LABELS);
        let labels = labels.then(|| text::<Vec<String>>(texts, LABELS, path));
        let multi_label = texts.contains_key(MULTI_LABEL); // files with one class an image have no such key
        Ok(Some(Self {
            labels: labels.transpose()?.map(Labels::new),
            multi_label: multi_label && text(texts, MULTI_LABEL, path)?,
            config: text(texts, CONFIG, path)?,
            preprocessing: text(texts, PREPROCESSING, path)?,
            source: text(texts, SOURCE, path)?,
        }))
    }
}

fn text<T: DeserializeOwned>(
    texts: &BTreeMap<String, String>,
    key: &str,
    path: &Path,
) -> Result<T, WeightsError> {
    let malformed = |reason: String| WeightsError::malformed(path, "this crate's file", reason);
    let value = texts
        .get(key)
        .ok_or_else(|| malformed(format!("its metadata has no `{key}`")))?;
    serde_json::from_str(value).map_err(|error| malformed(format!("its `{key}`: {error}")))
}
