//! What a run leaves on disk.
//!
//! ```text
//! run.json      what the run is, written before the first step
//! record.json   what each epoch gave, written after every epoch
//! checkpoint/   what the next epoch needs, while the run is under way
//! model.bpk     the trained network
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checkpoint::Checkpoints;
use crate::TrainError;
use crate::config::RunConfig;
use crate::files::{LockedFolder, read_json, write_json};
use crate::record::{DataRecord, EnvironmentRecord, RECORD_VERSION, RunRecord};

const MANIFEST: &str = "run.json";

/// What a run is: all that its result depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunManifest {
    /// Layout of this file.
    pub version: u32,
    /// The resolved configuration, defaults included.
    pub config: RunConfig,
    /// The seed of the weights, the data order, the augmentation and dropout.
    pub seed: u64,
    /// The data that was used.
    pub data: DataRecord,
    /// Where it runs.
    pub environment: EnvironmentRecord,
}

impl RunManifest {
    /// Describes a run.
    pub fn new(
        config: RunConfig,
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

    /// The first value that makes the two different runs, if any: a run may go on on another
    /// machine, but not with another configuration, seed, data or backend.
    fn difference(&self, other: &Self) -> Option<String> {
        let essence = |manifest: &Self| {
            serde_json::json!({
                "version": manifest.version,
                "config": manifest.config,
                "seed": manifest.seed,
                "data": manifest.data.sha256,
                "backend": manifest.environment.backend,
            })
        };
        first_difference("", &essence(self), &essence(other))
    }
}

/// Path and values of the first leaf in which two values differ.
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
    /// Opens the folder for this run and writes what the run is; a run that is there already has to
    /// be the same.
    ///
    /// # Errors
    ///
    /// Where the folder can't be written, another process has it, or it has another run.
    pub fn open(path: &Path, manifest: &RunManifest) -> Result<Self, TrainError> {
        let folder = LockedFolder::open(path)?;
        Self::check(path, manifest)?;
        let file = path.join(MANIFEST);
        if !file.exists() {
            write_json(&file, manifest)?;
        }
        Ok(Self { folder })
    }

    /// Checks that a folder has this run or none.
    ///
    /// # Errors
    ///
    /// Where it has another run.
    pub fn check(path: &Path, manifest: &RunManifest) -> Result<(), TrainError> {
        if !path.join(MANIFEST).exists() {
            return Ok(());
        }
        match Self::manifest(path)?.difference(manifest) {
            None => Ok(()),
            Some(difference) => Err(TrainError::OtherRun {
                path: path.to_owned(),
                difference,
            }),
        }
    }

    /// What the run in a folder is.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn manifest(path: &Path) -> Result<RunManifest, TrainError> {
        read_json(&path.join(MANIFEST))
    }

    /// The trained network of a run in a folder.
    pub fn model_file(path: &Path) -> PathBuf {
        path.join("model.bpk")
    }

    /// What the run gave so far, without opening the folder; `None` where no epoch ended.
    ///
    /// # Errors
    ///
    /// Where the record is damaged or of another version.
    pub fn read_record(path: &Path) -> Result<Option<RunRecord>, TrainError> {
        let file = path.join("record.json");
        if !file.exists() {
            return Ok(None);
        }
        let record: RunRecord = read_json(&file)?;
        if record.version != RECORD_VERSION {
            return Err(TrainError::Damaged {
                path: file,
                cause: format!(
                    "its layout is version {}, this program reads version {RECORD_VERSION}",
                    record.version
                ),
            });
        }
        Ok(Some(record))
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write_record(&self, record: &RunRecord) -> Result<(), TrainError> {
        write_json(&self.path().join("record.json"), record)
    }

    pub(crate) fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.path().join("checkpoint"))
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
