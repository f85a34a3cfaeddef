//! The families of networks that [`xception_models`] has.

use std::path::Path;

use burn::prelude::Device;
use xception_models::weights::{LoadOptions, Loaded, Source, load, save_burnpack};
use xception_models::{Complexity, Model, ModelConfig, ModelError};

use super::{BoxedError, NetworkConfig, StartingWeights, Trained};
use crate::TrainError;

impl NetworkConfig for ModelConfig {
    type Network = Model;

    /// ImageNet's.
    const DEFAULT_CLASSES: Option<usize> = Some(1000);

    fn name(&self) -> String {
        Self::name(self)
    }

    fn classes(&self) -> usize {
        Self::classes(self)
    }

    fn with_classes(self, classes: usize) -> Self {
        Self::with_classes(self, classes)
    }

    fn init(&self, device: &Device) -> Result<Model, BoxedError> {
        Ok(Self::init(self, device)?)
    }

    fn check(&self) -> Result<(), ModelError> {
        Self::check(self)
    }

    fn fit(self, complexity: Complexity, image_size: [usize; 2]) -> Result<Self, ModelError> {
        Self::fit(&self, complexity, image_size)
    }

    fn image_size(&self) -> usize {
        Self::image_size(self)
    }

    fn options_key(&self) -> Option<&str> {
        Some(self.family())
    }

    fn save(trained: &Trained<Self>, path: &Path) -> Result<(), TrainError> {
        let loaded = Loaded {
            source: Source::Native,
            config: trained.config.clone(),
            model: trained.network.clone(),
            preprocessing: trained.preprocessing,
            labels: trained.labels.clone(),
            multi_label: trained.multi_label,
        };
        Ok(save_burnpack(&loaded, path)?)
    }

    fn load(path: &Path, device: &Device) -> Result<Trained<Self>, TrainError> {
        Ok(load(path, &LoadOptions::default(), device)?.into())
    }

    fn load_starting(
        weights: &StartingWeights,
        device: &Device,
    ) -> Result<Trained<Self>, TrainError> {
        let options = LoadOptions {
            head: weights.head,
            ..LoadOptions::default()
        };
        Ok(match weights.published {
            Some(published) => published.load(weights.path, &options, device)?.into(),
            None => load(weights.path, &options, device)?.into(),
        })
    }
}

impl From<Loaded> for Trained<ModelConfig> {
    fn from(loaded: Loaded) -> Self {
        Self {
            config: loaded.config,
            network: loaded.model,
            preprocessing: loaded.preprocessing,
            labels: loaded.labels,
            multi_label: loaded.multi_label,
        }
    }
}
