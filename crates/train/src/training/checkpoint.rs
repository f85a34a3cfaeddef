//! The state of a run between two epochs, on disk.
//!
//! A checkpoint is a folder that is written under another name and then renamed, so that a run that
//! dies while it writes finds the one before. It holds all that the next epoch depends on: weights and
//! running statistics, the optimizer's state, and the record so far. Data order, augmentation,
//! dropout and learning rate are functions of the seed and the step, and need no state.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;

use super::task::ClassificationTask;
use crate::TrainError;
use crate::files::{file_error, read_json, write_json};
use crate::record::RunRecord;

const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const RECORD: &str = "record.json";

/// What a run needs to go on.
pub(crate) struct TrainingState {
    pub(crate) task: ClassificationTask,
    pub(crate) optimizer: ModuleOptimizer,
    pub(crate) record: RunRecord,
}

/// Where a run keeps its checkpoints; all but the last are removed.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes a checkpoint after the last epoch of the record, and removes the ones before.
    pub(crate) fn save(
        &self,
        task: &ClassificationTask,
        optimizer: &ModuleOptimizer,
        record: &RunRecord,
    ) -> Result<(), TrainError> {
        let epoch = record.epochs.len();
        let (unfinished, finished) = (self.folder.join("unfinished"), self.epoch_folder(epoch));
        self.remove(&unfinished)?;
        fs::create_dir_all(&unfinished).map_err(|e| file_error("make", &unfinished, e))?;
        let model = unfinished.join(MODEL);
        let saved = task.clone().into_record().save(&model);
        saved.map_err(|error| damaged(&model, error))?;
        let path = unfinished.join(OPTIMIZER);
        let saved = optimizer.save(&path);
        saved.map_err(|error| damaged(&path, error))?;
        write_json(&unfinished.join(RECORD), record)?;
        self.remove(&finished)?;
        xception_files::rename(&unfinished, &finished)
            .map_err(|e| file_error("rename", &finished, e))?;
        for other in self.epochs()? {
            if other != epoch {
                self.remove(&self.epoch_folder(other))?;
            }
        }
        Ok(())
    }

    /// The last checkpoint, put into a task and an optimizer of the same configuration.
    pub(crate) fn load(
        &self,
        task: ClassificationTask,
        optimizer: ModuleOptimizer,
    ) -> Result<Option<TrainingState>, TrainError> {
        let Some(epoch) = self.epochs()?.into_iter().max() else {
            return Ok(None);
        };
        let folder = self.epoch_folder(epoch);
        let model = folder.join(MODEL);
        let task = task.try_load_file(&model);
        let path = folder.join(OPTIMIZER);
        let optimizer = optimizer.load(&path);
        Ok(Some(TrainingState {
            task: task.map_err(|error| damaged(&model, error))?,
            optimizer: optimizer.map_err(|error| damaged(&path, error))?,
            record: read_json(&folder.join(RECORD))?,
        }))
    }

    /// Removes all checkpoints.
    pub(crate) fn clear(&self) -> Result<(), TrainError> {
        self.remove(&self.folder)
    }

    fn epoch_folder(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("epoch-{epoch}"))
    }

    /// The epochs of which there is a whole checkpoint.
    fn epochs(&self) -> Result<Vec<usize>, TrainError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file_error("read", &self.folder, error)),
        };
        let mut epochs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| file_error("read", &self.folder, error))?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("epoch-"));
            epochs.extend(number.and_then(|number| number.parse::<usize>().ok()));
        }
        Ok(epochs)
    }

    fn remove(&self, folder: &Path) -> Result<(), TrainError> {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(file_error("remove", folder, error))
            }
            _ => Ok(()),
        }
    }
}

fn damaged(path: &Path, error: impl std::fmt::Display) -> TrainError {
    TrainError::Damaged {
        path: path.to_owned(),
        cause: error.to_string(),
    }
}
