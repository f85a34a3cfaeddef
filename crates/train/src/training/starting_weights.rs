//! Weights that a run starts from instead of random numbers, and what of them is frozen.

use std::path::{Path, PathBuf};

use burn::module::ParamGroup;
use burn::prelude::Device;
use xception_models::ModelConfig;
use xception_models::pretrained::{self, PretrainedWeights, Progress, cache_dir};
use xception_models::weights::{Head, LoadOptions, Loaded, load};

use super::run_folder::RunFolder;
use crate::TrainError;
use crate::config::{DataConfig, FineTuning, Freeze, Recipe, RunConfig, StartingHead};
use crate::files::file_sha256;
use crate::network::{ImageClassifier, NetworkConfig, StartingWeights, Trained};

/// The place of weights.
#[derive(Debug, Clone)]
pub struct WeightsFile {
    /// The file.
    pub path: PathBuf,
    /// What is known of it, where it is a published one that was asked for by its name.
    pub published: Option<&'static PretrainedWeights>,
}

impl WeightsFile {
    /// Finds what an argument or a configuration names: a weights file, the folder of a run, or published
    /// weights, which are fetched where they aren't in the cache yet; `observe` is told how far that is.
    ///
    /// # Errors
    ///
    /// Where it names none of these, the folder has no trained network, or the file can't be fetched. That a file is
    /// there isn't checked.
    pub fn find(weights: &str, observe: &mut dyn FnMut(Progress)) -> Result<Self, TrainError> {
        let path = Path::new(weights);
        let file = |path: PathBuf| Self {
            path,
            published: None,
        };
        if path.is_dir() {
            return Ok(file(RunFolder::trained_network(path)?));
        }
        if path.components().count() > 1 || path.exists() {
            return Ok(file(path.to_owned()));
        }
        let entry = pretrained::find(weights)?;
        Ok(Self {
            path: pretrained::fetch(entry, &cache_dir()?, None, observe)?,
            published: Some(entry),
        })
    }

    /// Loads the network, with what its publisher's images go through.
    ///
    /// # Errors
    ///
    /// As [`load`].
    pub fn load(&self, options: &LoadOptions, device: &Device) -> Result<Loaded, TrainError> {
        Ok(match self.published {
            Some(published) => published.load(&self.path, options, device)?,
            None => load(&self.path, options, device)?,
        })
    }
}

impl<M: NetworkConfig> RunConfig<M> {
    /// Fills in all that the weights to start from decide: the network's options, what images go through, and
    /// the hash of the file. Without such weights nothing changes.
    ///
    /// # Errors
    ///
    /// Where there are no such weights, they are of another network or of another hash than the
    /// configuration has, or there is no stage to freeze of that name.
    pub fn with_starting_weights(&self) -> Result<Self, TrainError> {
        let Some(finetune) = &self.finetune else {
            return Ok(self.clone());
        };
        let file = WeightsFile::find(&finetune.weights, &mut |_| ())?;
        let sha256 = file_sha256(&file.path)?;
        if let Some(expected) = finetune.sha256.as_ref().filter(|hash| **hash != sha256) {
            return Err(TrainError::OtherWeights {
                path: file.path,
                expected: expected.clone(),
                found: sha256,
            });
        }
        let classes = self.model.classes();
        let loaded = starting::<M>(&file, finetune, classes, &Device::flex())?;
        if loaded.config.name() != self.model.name() {
            return Err(TrainError::OtherNetwork {
                path: file.path,
                expected: self.model.name(),
                found: loaded.config.name(),
            });
        }
        group(&finetune.freeze, &loaded.network)?;

        let mut config = self.clone();
        config.model = loaded.config;
        config.data.preprocessing = config.data.preprocessing.or(Some(loaded.preprocessing));
        config.finetune = Some(FineTuning {
            sha256: Some(sha256),
            ..finetune.clone()
        });
        Ok(config)
    }
}

impl RunConfig {
    /// Makes a configuration for fine-tuning weights: their network, the embedded images, and a rate and a
    /// length for what has learned already.
    ///
    /// # Errors
    ///
    /// Where there are no such weights.
    pub fn fine_tune(finetune: FineTuning) -> Result<Self, TrainError> {
        let file = WeightsFile::find(&finetune.weights, &mut |_| ())?;
        let classes = ModelConfig::DEFAULT_CLASSES.unwrap_or_default();
        let loaded = starting::<ModelConfig>(&file, &finetune, classes, &Device::flex())?;
        Ok(Self {
            model: loaded.config,
            complexity: None,
            data: DataConfig::default(),
            recipe: Recipe {
                epochs: 10,
                batch_size: 16,
                learning_rate: 0.01,
                ..Recipe::default()
            },
            finetune: Some(finetune),
            classes_given: false,
        })
    }
}

/// Loads the network that a run starts from, and what comes with it.
fn starting<M: NetworkConfig>(
    file: &WeightsFile,
    finetune: &FineTuning,
    classes: usize,
    device: &Device,
) -> Result<Trained<M>, TrainError> {
    let weights = StartingWeights {
        path: &file.path,
        published: file.published,
        head: match finetune.head {
            StartingHead::New => Head::New(classes),
            StartingHead::Keep => Head::Keep,
        },
    };
    M::load_starting(&weights, device)
}

/// Returns the network that a run starts from, with a head for this number of classes, on a device. A new
/// head's weights are drawn on it.
pub(super) fn starting_network<M: NetworkConfig>(
    finetune: &FineTuning,
    classes: usize,
    device: &Device,
) -> Result<M::Network, TrainError> {
    let file = WeightsFile::find(&finetune.weights, &mut |_| ())?;
    Ok(starting::<M>(&file, finetune, classes, device)?.network)
}

/// Freezes the network's frozen stages: their weights get no gradients, and their batch-norm
/// statistics stay.
pub(super) fn freeze<N: ImageClassifier>(network: N, freeze: &Freeze) -> Result<N, TrainError> {
    Ok(match group(freeze, &network)? {
        Some(group) => network.freeze_group(group),
        None => network,
    })
}

/// Returns the parameters of all stages: everything but the classifiers.
pub(super) fn backbone(network: &impl ImageClassifier) -> ParamGroup {
    all(network.stage_parameters())
}

/// Returns what is to be frozen.
fn group(
    freeze: &Freeze,
    network: &impl ImageClassifier,
) -> Result<Option<ParamGroup>, TrainError> {
    let mut stages = network.stage_parameters();
    if *freeze != Freeze::None && stages.is_empty() {
        return Err(TrainError::NoStages {
            option: "finetune.freeze",
            remedy: "none",
        });
    }
    match freeze {
        Freeze::None => return Ok(None),
        Freeze::Backbone => {}
        Freeze::Until(last) => {
            let index = stages.iter().position(|(name, _)| name == last);
            let index = index.ok_or_else(|| TrainError::UnknownStage {
                name: last.clone(),
                known: names(&stages),
            })?;
            stages.truncate(index + 1);
        }
    }
    Ok(Some(all(stages)))
}

fn all(stages: Vec<(String, ParamGroup)>) -> ParamGroup {
    let none = ParamGroup::from_ids(Vec::new());
    let groups = stages.iter().map(|(_, group)| group);
    groups.fold(none, |all, group| all.fuse(group))
}

fn names(stages: &[(String, ParamGroup)]) -> String {
    let names = stages.iter().map(|(name, _)| name.as_str());
    names.collect::<Vec<_>>().join(", ")
}
