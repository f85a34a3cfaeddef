//! The state of a run between two epochs, on disk.
//!
//! ```text
//! checkpoint/epoch-N/model.bpk       weights and running statistics
//! checkpoint/epoch-N/optimizer.bpk   the optimizer's state
//! checkpoint/epoch-N/record.json     the record so far
//! checkpoint/epoch-N/sha256.json     the hashes of the two burnpack files
//! ```
//!
//! A checkpoint is a folder that is written under another name, synced and then renamed, so that a run that
//! dies while it writes finds the one before. It holds all that the next epoch depends on: data order,
//! augmentation, dropout and learning rate are functions of the seed and the step, and need no state.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use sha2::{Digest, Sha256};

use super::task::ClassificationTask;
use crate::TrainError;
use crate::files::{create_folder, file_error, read_json, remove, write, write_json};
use crate::network::ImageClassifier;
use crate::record::{Asked, RunRecord};

const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const RECORD: &str = "record.json";
const HASHES: &str = "sha256.json";
/// The folder of a checkpoint that isn't whole yet.
const UNFINISHED: &str = "unfinished";

/// The state that a run goes on from.
pub(crate) struct TrainingState<N: ImageClassifier> {
    pub(crate) task: ClassificationTask<N>,
    pub(crate) optimizer: ModuleOptimizer,
    pub(crate) record: RunRecord,
}

/// The folder of a run's checkpoints; all but the last are removed.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    folder: PathBuf,
}

/// SHA-256 in hexadecimal by file name.
type Hashes = BTreeMap<String, String>;

impl Checkpoints {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes a checkpoint after the last epoch of the record, and removes the ones before.
    pub(crate) fn save<N: ImageClassifier>(
        &self,
        task: &ClassificationTask<N>,
        optimizer: &ModuleOptimizer,
        record: &RunRecord,
    ) -> Result<(), TrainError> {
        let epoch = record.epochs.len();
        let (unfinished, finished) = (self.folder.join(UNFINISHED), self.epoch_folder(epoch));
        remove(&unfinished)?;
        create_folder(&unfinished)?;
        let mut hashes = Hashes::new();
        let model = task.clone().into_record().into_bytes();
        for (name, bytes) in [(MODEL, model), (OPTIMIZER, optimizer.into_bytes())] {
            let path = unfinished.join(name);
            let bytes = bytes.map_err(|error| TrainError::damaged(&path, error))?;
            write(&path, &bytes)?;
            hashes.insert(name.to_owned(), sha256(&bytes));
        }
        write_json(&unfinished.join(HASHES), &hashes)?;
        write_json(&unfinished.join(RECORD), record)?;
        remove(&finished)?;
        xception_files::rename(&unfinished, &finished)
            .map_err(|error| file_error("rename", &finished, error))?;
        for other in self.epochs()? {
            if other != epoch {
                remove(&self.epoch_folder(other))?;
            }
        }
        Ok(())
    }

    /// Returns the last whole checkpoint, put into a task and an optimizer of the same configuration. `on_damaged`
    /// gets what is wrong with each that can't be used.
    pub(crate) fn load<N: ImageClassifier>(
        &self,
        task: &ClassificationTask<N>,
        optimizer: &ModuleOptimizer,
        asked: &Asked,
        on_damaged: &dyn Fn(&TrainError),
    ) -> Result<Option<TrainingState<N>>, TrainError> {
        let mut epochs = self.epochs()?;
        epochs.sort_unstable();
        for epoch in epochs.into_iter().rev() {
            match self.load_epoch(epoch, task.clone(), optimizer.clone(), asked) {
                Ok(state) => return Ok(Some(state)),
                Err(error) => on_damaged(&error),
            }
        }
        Ok(None)
    }

    fn load_epoch<N: ImageClassifier>(
        &self,
        epoch: usize,
        task: ClassificationTask<N>,
        optimizer: ModuleOptimizer,
        asked: &Asked,
    ) -> Result<TrainingState<N>, TrainError> {
        let folder = self.epoch_folder(epoch);
        let path = folder.join(RECORD);
        let record: RunRecord = read_json(&path)?;
        if let Some(problem) = record.problem(asked) {
            return Err(TrainError::damaged(&path, format!("the run {problem}")));
        }
        if record.epochs.len() != epoch {
            let epochs = record.epochs.len();
            return Err(TrainError::damaged(
                &path,
                format!("it is of {epochs} epochs, not {epoch}"),
            ));
        }
        // Checkpoints of earlier versions have no hashes.
        let path = folder.join(HASHES);
        let hashes = path
            .exists()
            .then(|| read_json::<Hashes>(&path))
            .transpose()?;
        let read = |name: &str| read_checked(&folder.join(name), hashes.as_ref());
        let (model, state) = (read(MODEL)?, read(OPTIMIZER)?);
        let task = ModuleRecord::from_bytes(model).and_then(|record| task.try_load_record(record));
        let optimizer = optimizer.from_bytes(state);
        Ok(TrainingState {
            task: task.map_err(|error| TrainError::damaged(&folder.join(MODEL), error))?,
            optimizer: optimizer
                .map_err(|error| TrainError::damaged(&folder.join(OPTIMIZER), error))?,
            record,
        })
    }

    /// Returns the number of epochs that the last checkpoint is of, whether it can be used or not.
    pub(crate) fn last_epoch(&self) -> Option<usize> {
        self.epochs().ok()?.into_iter().max()
    }

    /// Removes all checkpoints.
    pub(crate) fn clear(&self) -> Result<(), TrainError> {
        remove(&self.folder)
    }

    /// Removes the checkpoint that a killed process was about to write.
    pub(crate) fn remove_unfinished(&self) -> Result<(), TrainError> {
        remove(&self.folder.join(UNFINISHED))
    }

    fn epoch_folder(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("epoch-{epoch}"))
    }

    /// Returns the epochs of which there is a checkpoint.
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
}

/// Reads a file and checks its hash where one was recorded.
fn read_checked(path: &Path, hashes: Option<&Hashes>) -> Result<Bytes, TrainError> {
    let bytes = fs::read(path).map_err(|error| file_error("read", path, error))?;
    if let Some(hashes) = hashes {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (found, expected) = (sha256(&bytes), hashes.get(name.as_ref()));
        if expected != Some(&found) {
            let expected = expected.map_or("none", String::as_str);
            let cause = format!("its SHA-256 is {found}, and {expected} was recorded");
            return Err(TrainError::damaged(path, cause));
        }
    }
    Ok(Bytes::from_bytes_vec(bytes))
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use burn::prelude::Device;
    use xception_models::Model;

    use super::*;
    use crate::config::RunConfig;
    use crate::record::RunState;
    use crate::record::synthetic;
    use crate::training::Run;

    const ASKED: Asked = Asked {
        epochs: 12,
        train_images: None,
        validation_images: None,
        test_images: None,
    };

    fn parts() -> (ClassificationTask<Model>, ModuleOptimizer) {
        let text = r#"{
            "model": {"xception": {"width": 0.02, "middle_modules": 0, "stem": "small"}},
            "data": {"train_images": 20, "test_images": 20}
        }"#;
        let (config, data) = Run::prepare(&<RunConfig>::parse(text, &[]).unwrap()).unwrap();
        let device = Device::flex().autodiff();
        let network = Run::init_network(&config, &data, 1, &device).unwrap();
        let task = ClassificationTask::new(network, &config.recipe);
        (task, config.recipe.optimizer.init())
    }

    fn record(epochs: usize) -> RunRecord {
        let mut record = synthetic::complete().variants[0].runs[0].clone();
        record.state = RunState::Unfinished;
        record.epochs.truncate(epochs);
        record
    }

    #[test]
    fn whatever_is_damaged_is_told_and_left_out() {
        let (task, optimizer) = parts();
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join("checkpoint/epoch-2").join(name);
        let checkpoints = Checkpoints::new(folder.path().join("checkpoint"));
        let load = || {
            let problems = RefCell::new(Vec::new());
            let tell = |error: &TrainError| problems.borrow_mut().push(error.to_string());
            let state = checkpoints.load(&task, &optimizer, &ASKED, &tell).unwrap();
            (
                state.map(|state| state.record.epochs.len()),
                problems.into_inner(),
            )
        };
        assert_eq!(load(), (None, Vec::new()));
        type Damage = fn(Vec<u8>) -> Vec<u8>;
        let shorter: Damage = |mut bytes| {
            bytes.truncate(bytes.len() / 2);
            bytes
        };
        let flipped: Damage = |mut bytes| {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            bytes
        };
        let cases = [
            (MODEL, shorter, "model.bpk can't be used: its SHA-256"),
            (MODEL, flipped, "model.bpk can't be used: its SHA-256"),
            (
                OPTIMIZER,
                shorter,
                "optimizer.bpk can't be used: its SHA-256",
            ),
            (RECORD, shorter, "record.json can't be used: EOF"),
            (HASHES, |_| b"{}".to_vec(), "none was recorded"),
        ];
        for (name, damage, part) in cases {
            checkpoints.save(&task, &optimizer, &record(2)).unwrap();
            assert_eq!(load(), (Some(2), Vec::new()));
            let bytes = fs::read(place(name)).unwrap();
            fs::write(place(name), damage(bytes)).unwrap();
            let (state, problems) = load();
            assert_eq!(state, None, "{name}");
            assert!(
                problems.len() == 1 && problems[0].contains(part),
                "{problems:?}"
            );
        }
        // One of an earlier version, whose files can only be read.
        checkpoints.save(&task, &optimizer, &record(2)).unwrap();
        fs::remove_file(place(HASHES)).unwrap();
        assert_eq!(load(), (Some(2), Vec::new()));
        let bytes = fs::read(place(MODEL)).unwrap();
        fs::write(place(MODEL), shorter(bytes)).unwrap();
        assert!(load().1[0].contains("truncated"), "{:?}", load().1);
    }

    #[test]
    fn the_one_before_is_used_where_the_last_is_damaged() {
        let (task, optimizer) = parts();
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path().to_owned());
        checkpoints.save(&task, &optimizer, &record(3)).unwrap();
        fs::create_dir(folder.path().join("epoch-4")).unwrap();
        let state = checkpoints
            .load(&task, &optimizer, &ASKED, &|_| ())
            .unwrap();
        assert_eq!(state.unwrap().record.epochs.len(), 3);
        checkpoints.save(&task, &optimizer, &record(4)).unwrap();
        assert_eq!(checkpoints.epochs().unwrap(), [4]);
    }
}
