//! What a run leaves on disk.
//!
//! ```text
//! run.json      what the run is, written before the first step
//! record.json   what each epoch gave, written after every epoch
//! steps.jsonl   what each step gave
//! tensorboard/  the same for TensorBoard, if it is asked for
//! checkpoint/   what the next step needs, while the run is under way
//! model.bpk     the trained network
//! model-weights.bpk   the weights themselves, if the trained network has moving averages of them
//! model-best.bpk   that of the epoch that is best on the images held back for validation, if it is asked for
//! ```
//!
//! A run has ended once `record.json` says so and `model.bpk` is there; until then the checkpoint stays, and
//! with it all that the two are made from.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xception_models::ModelConfig;

use super::checkpoint::Checkpoints;
use crate::TrainError;
use crate::config::RunConfig;
use crate::files::{LockedFolder, read_json, remove, remove_leftovers, write_json};
use crate::network::NetworkConfig;
use crate::record::{Asked, DataRecord, EnvironmentRecord, RECORD_VERSION, RunRecord};

const MANIFEST: &str = "run.json";
const RECORD: &str = "record.json";
const STEPS: &str = "steps.jsonl";

/// The description of a run: all that its result depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunManifest<M = ModelConfig> {
    /// Layout of this file.
    pub version: u32,
    /// The resolved configuration, defaults included.
    pub config: RunConfig<M>,
    /// The seed of the weights, the data order, the augmentation and dropout.
    pub seed: u64,
    /// The data that was used.
    pub data: DataRecord,
    /// The machine and the build it runs on.
    pub environment: EnvironmentRecord,
}

impl<M> RunManifest<M> {
    /// Describes a run.
    pub fn new(
        config: RunConfig<M>,
        seed: u64,
        data: DataRecord,
        environment: EnvironmentRecord,
    ) -> Self {
        Self {
            version: RECORD_VERSION,
            config,
            seed,
            data,
            environment,
        }
    }

    /// Returns what the run's record is held against.
    pub(crate) fn asked(&self) -> Asked {
        Asked {
            epochs: self.config.recipe.epochs,
            train_images: Some(self.data.train_images),
            validation_images: self.data.validation_images,
            test_images: Some(self.data.test_images),
        }
    }

    /// Returns all that a run depends on: it may go on on another machine, but not with another configuration, seed, data
    /// or backend.
    fn essence(&self) -> Value
    where
        M: Serialize,
    {
        serde_json::json!({
            "version": self.version,
            "config": self.config,
            "seed": self.seed,
            "data": self.data.sha256,
            "backend": self.environment.backend,
            "devices": self.environment.devices.len().max(1), // the parts of a batch, not which devices they are
        })
    }

    /// Returns the first value in which the run that a folder has differs from this one, if there is a run and it does.
    fn difference(&self, folder: &Path) -> Option<String>
    where
        M: Serialize + DeserializeOwned,
    {
        let written = match RunFolder::manifest::<M>(folder) {
            Ok(written) => written.essence(),
            // Perhaps a run of another kind of network.
            Err(_) => RunFolder::manifest::<Value>(folder).ok()?.essence(),
        };
        first_difference("", &written, &self.essence())
    }
}

/// Returns the path and values of the first leaf in which two values differ.
fn first_difference(path: &str, old: &Value, new: &Value) -> Option<String> {
    if let (Value::Object(a), Value::Object(b)) = (old, new) {
        let missing = &Value::Null;
        return a.keys().chain(b.keys()).find_map(|key| {
            let below = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let (a, b) = (a.get(key).unwrap_or(missing), b.get(key).unwrap_or(missing));
            first_difference(&below, a, b)
        });
    }
    (old != new).then(|| format!("`{path}` is {old} there, {new} here"))
}

/// A run's folder, locked for this process.
#[derive(Debug)]
pub struct RunFolder {
    folder: LockedFolder,
}

impl RunFolder {
    /// Locks the folder for this run, and removes the temporary files that a killed process has left there. A run
    /// that is there already has to be the same.
    ///
    /// # Errors
    ///
    /// Where the folder can't be written, another process has it, or it has another run.
    pub fn open<M: NetworkConfig>(
        path: &Path,
        manifest: &RunManifest<M>,
    ) -> Result<Self, TrainError> {
        let folder = LockedFolder::open(path)?;
        Self::check(path, manifest)?;
        remove_leftovers(path)?;
        let folder = Self { folder };
        folder.checkpoints().remove_unfinished()?;
        Ok(folder)
    }

    /// Writes what the run is, if that isn't there yet.
    ///
    /// # Errors
    ///
    /// Where the folder can't be written.
    pub(crate) fn begin<M: NetworkConfig>(
        &self,
        manifest: &RunManifest<M>,
    ) -> Result<(), TrainError> {
        match Self::manifest::<M>(self.path()) {
            Ok(written) if written.essence() == manifest.essence() => Ok(()),
            _ => write_json(&Self::manifest_file(self.path()), manifest),
        }
    }

    /// Checks that a folder has this run, none, or one of which no epoch is done, which may be replaced. Whether
    /// its files are whole is for [`RunStatus::of`](super::RunStatus::of) to say.
    ///
    /// # Errors
    ///
    /// Where it has another run.
    pub fn check<M: NetworkConfig>(
        path: &Path,
        manifest: &RunManifest<M>,
    ) -> Result<(), TrainError> {
        match manifest.difference(path) {
            Some(difference) if Self::has_results(path) => Err(TrainError::OtherRun {
                path: path.to_owned(),
                difference,
            }),
            _ => Ok(()),
        }
    }

    /// Reads what the run in a folder is, with the network's configuration as this type. As [`Value`] it is that of any
    /// network.
    ///
    /// # Errors
    ///
    /// If there is none, or its network has a configuration of another type.
    pub fn manifest<M: DeserializeOwned>(path: &Path) -> Result<RunManifest<M>, TrainError> {
        read_json(&Self::manifest_file(path))
    }

    pub(crate) fn manifest_file(path: &Path) -> PathBuf {
        path.join(MANIFEST)
    }

    /// Returns the file of the trained network of a run in a folder.
    pub fn model_file(path: &Path) -> PathBuf {
        path.join("model.bpk")
    }

    /// Returns the file of the network with the last weights themselves, of a run whose recipe has moving averages.
    pub fn weights_file(path: &Path) -> PathBuf {
        path.join("model-weights.bpk")
    }

    /// Returns the file of the network after the epoch that is best on the images held back for validation.
    pub fn best_model_file(path: &Path) -> PathBuf {
        path.join("model-best.bpk")
    }

    /// Returns the folder of the run's last checkpoint, if there is one.
    pub fn last_checkpoint(path: &Path) -> Option<PathBuf> {
        let checkpoints = Self::checkpoints_in(path);
        Some(checkpoints.folder_of(checkpoints.last()?))
    }

    pub(crate) fn tensorboard_folder(&self) -> PathBuf {
        self.path().join("tensorboard")
    }

    pub(crate) fn steps_file(&self) -> PathBuf {
        self.path().join(STEPS)
    }

    /// Reads what the run gave so far, without opening the folder; `None` where no epoch ended. The record is held
    /// against what the run is.
    ///
    /// # Errors
    ///
    /// Where the record or the manifest is damaged or of another version, or they don't fit together.
    pub fn read_record(path: &Path) -> Result<Option<RunRecord>, TrainError> {
        let manifest = Self::manifest::<Value>(path)?;
        let file = path.join(RECORD);
        if !file.exists() {
            return Ok(None);
        }
        let record: RunRecord = read_json(&file)?;
        let problem = match record.seed == manifest.seed {
            true => record.problem(&manifest.asked()),
            false => Some(format!("has seed {}, not {}", record.seed, manifest.seed)),
        };
        match problem {
            None => Ok(Some(record)),
            Some(problem) => Err(TrainError::Damaged {
                path: file,
                cause: format!("the run {problem}"),
            }),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write_record(&self, record: &RunRecord) -> Result<(), TrainError> {
        write_json(&self.path().join(RECORD), record)
    }

    pub(crate) fn checkpoints(&self) -> Checkpoints {
        Self::checkpoints_in(self.path())
    }

    pub(super) fn checkpoints_in(path: &Path) -> Checkpoints {
        Checkpoints::new(path.join("checkpoint"))
    }

    /// Returns whether a folder has a record, a checkpoint or a network.
    pub(crate) fn has_results(path: &Path) -> bool {
        let files = [path.join(RECORD), Self::model_file(path)];
        files.iter().any(|file| file.exists()) || Self::checkpoints_in(path).last().is_some()
    }

    /// Removes what the run's epochs have left, so that it starts from the first one.
    pub(crate) fn discard_epochs(&self) -> Result<(), TrainError> {
        self.checkpoints().clear()?;
        remove(&Self::model_file(self.path()))?;
        remove(&Self::best_model_file(self.path()))?;
        remove(&Self::weights_file(self.path()))?;
        remove(&self.steps_file())?;
        remove(&self.tensorboard_folder())?;
        remove(&self.path().join(RECORD))
    }

    /// Removes all that the run has left.
    pub(crate) fn discard(&self) -> Result<(), TrainError> {
        self.discard_epochs()?;
        remove(&Self::manifest_file(self.path()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_the_first_difference() {
        let old = json!({"a": 1, "b": {"c": [1, 2], "d": 3}});
        assert_eq!(first_difference("", &old, &old), None);
        let new = json!({"a": 1, "b": {"c": [1, 3], "d": 4}});
        let difference = first_difference("", &old, &new).unwrap();
        assert_eq!(difference, "`b.c` is [1,2] there, [1,3] here");
        let new = json!({"a": 1, "b": {"c": [1, 2], "d": 3, "e": true}});
        let difference = first_difference("", &old, &new).unwrap();
        assert_eq!(difference, "`b.e` is null there, true here");
    }
}
