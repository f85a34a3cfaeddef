//! How far a run has come, from the files in its folder.

use std::path::{Path, PathBuf};

use serde_json::Value;
use xception_models::weights::read_burnpack;

use super::place::Place;
use super::run_folder::RunFolder;
use crate::TrainError;
use crate::files::file_sha256;
use crate::record::{RunRecord, RunState};

/// The progress of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunStatus {
    /// No epoch is done.
    New,
    /// It goes on from its last checkpoint.
    Unfinished {
        /// What is missing or can't be used, and is made again from the checkpoint.
        repaired: Option<String>,
    },
    /// All epochs are done, or it diverged; the trained network is there.
    Ended(RunRecord),
    /// All epochs are done, or it diverged; of the trained network only the hash is there, as where records are shared
    /// without weights.
    WithoutNetwork(RunRecord),
    /// A file is missing or can't be used, and there is no checkpoint to make it again from.
    Damaged {
        /// The problem.
        cause: String,
    },
}

impl RunStatus {
    /// Looks into a run's folder, which needn't be locked: nothing is written.
    pub fn of(path: &Path) -> Self {
        let checkpoint = RunFolder::checkpoints_in(path).last();
        let record = match Self::record(path) {
            Ok(record) => record,
            // What the checkpoint is of stands in the manifest.
            Err(cause) if checkpoint.is_some() && RunFolder::manifest::<Value>(path).is_ok() => {
                return Self::Unfinished {
                    repaired: Some(cause),
                };
            }
            Err(cause) => return Self::Damaged { cause },
        };
        match (record, checkpoint) {
            (None, None) if Self::has_network(path) => Self::Damaged {
                cause: "record.json is missing, though the trained network is there".to_owned(),
            },
            (None, None) => Self::New,
            (Some(record), checkpoint) if record.state != RunState::Unfinished => {
                let is_there = Self::has_network(path);
                match (network_problem(path, &record), checkpoint) {
                    (None, _) => Self::Ended(record),
                    (Some(_), None) if !is_there && record.network_sha256.is_some() => {
                        Self::WithoutNetwork(record)
                    }
                    // Killed before the network was written.
                    (repaired, Some(place)) if place == Place::after(record.epochs.len()) => {
                        Self::Unfinished { repaired }
                    }
                    (Some(cause), _) => Self::Damaged { cause },
                }
            }
            _ => Self::Unfinished { repaired: None },
        }
    }

    fn has_network(path: &Path) -> bool {
        RunFolder::model_file(path).exists()
    }

    /// Returns the record, or what is damaged.
    fn record(path: &Path) -> Result<Option<RunRecord>, String> {
        match RunFolder::has_results(path) {
            true => RunFolder::read_record(path).map_err(|error| error.to_string()),
            false => Ok(None),
        }
    }
}

/// Returns what is wrong with a run's trained network, by its hash. Of a run without one, of an earlier version, only a file
/// that was cut is found: it has fewer bytes than the names and shapes at its start ask for.
fn network_problem(path: &Path, record: &RunRecord) -> Option<String> {
    let file = RunFolder::model_file(path);
    if !file.exists() {
        return Some("model.bpk, the trained network, is missing".to_owned());
    }
    if let Err(error) = read_burnpack(&file) {
        return Some(error.to_string());
    }
    let expected = record.network_sha256.as_ref()?;
    match file_sha256(&file) {
        Ok(found) if found == *expected => None,
        Ok(found) => Some(format!(
            "model.bpk, the trained network, has SHA-256 {found}, and {expected} was recorded"
        )),
        Err(error) => Some(error.to_string()),
    }
}

impl RunFolder {
    /// Returns the file of a run's trained network, after a look at whether it is there.
    ///
    /// # Errors
    ///
    /// Where the run in the folder hasn't ended, its network is damaged, or there is no run at all.
    pub fn trained_network(path: &Path) -> Result<PathBuf, TrainError> {
        let file = Self::model_file(path);
        if file.exists() {
            return match Self::read_record(path) {
                Ok(Some(record)) if record.network_sha256.is_some() => {
                    match network_problem(path, &record) {
                        None => Ok(file),
                        Some(problem) => Err(TrainError::NoNetwork {
                            path: path.to_owned(),
                            reason: format!(
                                "{problem}; the command that started the run trains it again, with --retrain damaged"
                            ),
                        }),
                    }
                }
                _ => Ok(file),
            };
        }
        let again = "the command that started it";
        let reason = match (Self::manifest_file(path).exists(), Self::read_record(path)) {
            (false, _) => "it isn't the folder of a run".to_owned(),
            (true, Err(error)) => error.to_string(),
            (true, Ok(None)) => format!("no epoch of the run is done; {again} goes on"),
            (true, Ok(Some(record))) => match (record.state, record.epochs.len()) {
                (RunState::Unfinished, done) => {
                    let of =
                        Self::manifest::<Value>(path).map(|manifest| manifest.config.recipe.epochs);
                    let of = of.map_or_else(|_| String::new(), |epochs| format!(" of {epochs}"));
                    format!("the run is at epoch {done}{of}; {again} goes on")
                }
                (RunState::Diverged, done) => format!(
                    "the run diverged in epoch {done} ({} became infinite or not a number), and model.bpk is \
                     missing",
                    record.diverging()
                ),
                (RunState::Finished, _) => format!(
                    "the run is finished, but model.bpk is missing; {again} trains it again, with --retrain damaged"
                ),
            },
        };
        Err(TrainError::NoNetwork {
            path: path.to_owned(),
            reason,
        })
    }
}
