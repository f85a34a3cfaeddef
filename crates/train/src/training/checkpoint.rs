//! The state of a run between two steps, on disk.
//!
//! ```text
//! checkpoint/epoch-N/              the state after epoch N
//! checkpoint/epoch-N-step-K/       the state after K steps of the epoch after that
//!     model.bpk                    weights and running statistics
//!     optimizer.bpk                the optimizer's state
//!     average.bpk                  the moving averages of model.bpk, if the recipe has them
//!     loss_scale.json              the scale of the loss, if the recipe's precision has one
//!     progress.json                within an epoch, what its steps gave so far
//!     record.json                  the record so far
//!     sha256.json                  the hashes of the other files
//! ```
//!
//! A checkpoint is a folder that is written under another name, synced and then renamed, so that a run that
//! dies while it writes finds the one before. It holds all that the next step depends on: data order,
//! augmentation, dropout and learning rate are functions of the seed and the step, and need no state.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use sha2::{Digest, Sha256};
use xception_optimizers::{LossScale, MovingAverage, Smoothing};

use super::epoch_progress::EpochProgress;
use super::place::Place;
use super::task::ClassificationTask;
use crate::TrainError;
use crate::files::{create_folder, file_error, file_sha256, read_json, remove, write, write_json};
use crate::network::ImageClassifier;
use crate::record::{Asked, RunRecord};

const MODEL: &str = "model.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const AVERAGE: &str = "average.bpk";
const LOSS_SCALE: &str = "loss_scale.json";
const RECORD: &str = "record.json";
const PROGRESS: &str = "progress.json";
const HASHES: &str = "sha256.json";
/// The folder of a checkpoint that isn't whole yet.
const UNFINISHED: &str = "unfinished";

/// The state that a run goes on from.
pub(crate) struct TrainingState<N: ImageClassifier> {
    pub(crate) task: ClassificationTask<N>,
    pub(crate) optimizer: ModuleOptimizer,
    /// The moving averages of the weights and the running statistics, if the recipe has them.
    pub(crate) average: Option<MovingAverage>,
    /// The scale of the loss, if the recipe's precision has one.
    pub(crate) loss_scale: Option<LossScale>,
    pub(crate) record: RunRecord,
    /// The part that is done of the epoch after those of the record.
    pub(crate) within: EpochProgress,
}

impl<N: ImageClassifier> TrainingState<N> {
    /// Returns how far the run has come.
    pub(crate) fn place(&self) -> Place {
        Place {
            epochs: self.record.epochs.len(),
            steps: self.within.steps,
        }
    }

    /// Returns what is trained, out of autodiff mode: the moving averages if there are some, the weights otherwise.
    pub(crate) fn trained(&self) -> ClassificationTask<N> {
        match &self.average {
            Some(average) => average.averaged(&self.task),
            None => self.task.valid(),
        }
    }
}

/// The folder of a run's checkpoints.
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

    /// Writes a checkpoint. Then the last `keep` that aren't of a later place stay, and all others go.
    pub(crate) fn save<N: ImageClassifier>(
        &self,
        state: &TrainingState<N>,
        keep: NonZeroUsize,
    ) -> Result<(), TrainError> {
        let TrainingState {
            task,
            optimizer,
            average,
            loss_scale,
            record,
            within,
        } = state;
        let place = state.place();
        let (unfinished, finished) = (self.folder.join(UNFINISHED), self.folder_of(place));
        remove(&unfinished)?;
        create_folder(&unfinished)?;
        let mut hashes = Hashes::new();
        // Running statistics take their last update over when a module is put into evaluation mode; a record leaves it out.
        drop(task.valid());
        let model = task.clone().into_record().into_bytes();
        let average = average.as_ref().map(|average| {
            let bytes = average.averaged(task).into_record().into_bytes();
            (AVERAGE, bytes)
        });
        let parts = [(MODEL, model), (OPTIMIZER, optimizer.into_bytes())];
        for (name, bytes) in parts.into_iter().chain(average) {
            let path = unfinished.join(name);
            let bytes = bytes.map_err(|error| TrainError::damaged(&path, error))?;
            write(&path, &bytes)?;
            hashes.insert(name.to_owned(), sha256(&bytes));
        }
        write_json(&unfinished.join(RECORD), record)?;
        let mut texts = vec![RECORD];
        if within.steps > 0 {
            write_json(&unfinished.join(PROGRESS), within)?;
            texts.push(PROGRESS);
        }
        if let Some(scale) = loss_scale {
            write_json(&unfinished.join(LOSS_SCALE), scale)?;
            texts.push(LOSS_SCALE);
        }
        for name in texts {
            hashes.insert(name.to_owned(), file_sha256(&unfinished.join(name))?);
        }
        write_json(&unfinished.join(HASHES), &hashes)?;
        remove(&finished)?;
        xception_files::rename(&unfinished, &finished)
            .map_err(|error| file_error("rename", &finished, error))?;
        let mut places = self.places()?;
        let later = places.split_off(places.partition_point(|&other| other <= place));
        let first_kept = places.len().saturating_sub(keep.get());
        for &other in places[..first_kept].iter().chain(&later) {
            remove(&self.folder_of(other))?;
        }
        Ok(())
    }

    /// Returns the last whole checkpoint, put into a task and an optimizer of the same configuration, with moving averages if that
    /// has some. `on_damaged` gets what is wrong with each that can't be used.
    pub(crate) fn load<N: ImageClassifier>(
        &self,
        task: &ClassificationTask<N>,
        optimizer: &ModuleOptimizer,
        smoothing: Option<Smoothing>,
        asked: &Asked,
        on_damaged: &dyn Fn(&TrainError),
    ) -> Result<Option<TrainingState<N>>, TrainError> {
        for place in self.places()?.into_iter().rev() {
            match self.load_place(place, task.clone(), optimizer.clone(), smoothing, asked) {
                Ok(state) => return Ok(Some(state)),
                Err(error) => on_damaged(&error),
            }
        }
        Ok(None)
    }

    fn load_place<N: ImageClassifier>(
        &self,
        place: Place,
        task: ClassificationTask<N>,
        optimizer: ModuleOptimizer,
        smoothing: Option<Smoothing>,
        asked: &Asked,
    ) -> Result<TrainingState<N>, TrainError> {
        let folder = self.folder_of(place);
        // Checkpoints of earlier versions have no hashes, or only those of the first two files.
        let path = folder.join(HASHES);
        let hashes = path
            .exists()
            .then(|| read_json::<Hashes>(&path))
            .transpose()?;
        let read = |name: &str| read_checked(&folder.join(name), hashes.as_ref());
        let (model, state) = (read(MODEL)?, read(OPTIMIZER)?);
        for name in [RECORD, PROGRESS, LOSS_SCALE] {
            if hashes
                .as_ref()
                .is_some_and(|hashes| hashes.contains_key(name))
            {
                read(name)?;
            }
        }
        let path = folder.join(RECORD);
        let record: RunRecord = read_json(&path)?;
        if let Some(problem) = record.problem(asked) {
            return Err(TrainError::damaged(&path, format!("the run {problem}")));
        }
        if record.epochs.len() != place.epochs {
            let (found, expected) = (record.epochs.len(), place.epochs);
            let cause = format!("it is of {found} epochs, not {expected}");
            return Err(TrainError::damaged(&path, cause));
        }
        let path = folder.join(PROGRESS);
        let within: EpochProgress = match place.steps {
            0 => EpochProgress::default(),
            _ => read_json(&path)?,
        };
        if within.steps != place.steps {
            let (found, expected) = (within.steps, place.steps);
            let cause = format!("it is of {found} steps, not {expected}");
            return Err(TrainError::damaged(&path, cause));
        }
        let steps = record.epochs.iter().map(|epoch| epoch.steps).sum::<usize>() + within.steps;
        let resume = |smoothing| -> Result<MovingAverage, TrainError> {
            // `valid` has running statistics of its own: a clone shares them.
            let averaged = task.valid();
            let loaded = ModuleRecord::from_bytes(read(AVERAGE)?)
                .and_then(|record| averaged.try_load_record(record));
            let averaged =
                loaded.map_err(|error| TrainError::damaged(&folder.join(AVERAGE), error))?;
            Ok(MovingAverage::resume(smoothing, &averaged, steps))
        };
        let average = smoothing.map(resume).transpose()?;
        let loss_scale = match task.precision.scales_loss() {
            true => Some(read_json(&folder.join(LOSS_SCALE))?),
            false => None,
        };
        let task = ModuleRecord::from_bytes(model).and_then(|record| task.try_load_record(record));
        let optimizer = optimizer.from_bytes(state);
        Ok(TrainingState {
            task: task.map_err(|error| TrainError::damaged(&folder.join(MODEL), error))?,
            optimizer: optimizer
                .map_err(|error| TrainError::damaged(&folder.join(OPTIMIZER), error))?,
            average,
            loss_scale,
            record,
            within,
        })
    }

    /// Returns the place that the last checkpoint is of, whether it can be used or not.
    pub(crate) fn last(&self) -> Option<Place> {
        self.places().ok()?.pop()
    }

    /// Removes all checkpoints.
    pub(crate) fn clear(&self) -> Result<(), TrainError> {
        remove(&self.folder)
    }

    /// Removes the checkpoint of a place, and the folder if that was the only one.
    pub(crate) fn remove_last(&self, place: Place) -> Result<(), TrainError> {
        remove(&self.folder_of(place))?;
        match self.last() {
            None => self.clear(),
            Some(_) => Ok(()),
        }
    }

    /// Removes the checkpoint that a killed process was about to write.
    pub(crate) fn remove_unfinished(&self) -> Result<(), TrainError> {
        remove(&self.folder.join(UNFINISHED))
    }

    /// Returns the folder of the checkpoint of a place.
    pub(crate) fn folder_of(&self, place: Place) -> PathBuf {
        let Place { epochs, steps } = place;
        self.folder.join(match steps {
            0 => format!("epoch-{epochs}"),
            _ => format!("epoch-{epochs}-step-{steps}"),
        })
    }

    /// Returns the places of which there is a checkpoint, in order.
    fn places(&self) -> Result<Vec<Place>, TrainError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file_error("read", &self.folder, error)),
        };
        let mut places = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| file_error("read", &self.folder, error))?;
            places.extend(entry.file_name().to_str().and_then(parse_place));
        }
        places.sort_unstable();
        Ok(places)
    }
}

/// Returns the place that a checkpoint's folder is named after.
fn parse_place(name: &str) -> Option<Place> {
    let rest = name.strip_prefix("epoch-")?;
    let (epochs, steps) = match rest.split_once("-step-") {
        Some((epochs, steps)) => (epochs, steps.parse().ok().filter(|&steps| steps > 0)?),
        None => (rest, 0),
    };
    let epochs = epochs.parse().ok()?;
    Some(Place { epochs, steps })
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

    use burn::module::{ModuleMapper, Param};
    use burn::prelude::{Device, Tensor};
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

    const ONE: NonZeroUsize = NonZeroUsize::MIN;

    fn within(steps: usize) -> EpochProgress {
        EpochProgress {
            steps,
            learning_rate: 0.1,
            seconds: 0.7,
            ..EpochProgress::default()
        }
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
        let save = |record: &RunRecord, steps| {
            let state = TrainingState {
                task: task.clone(),
                optimizer: optimizer.clone(),
                average: None,
                loss_scale: None,
                record: record.clone(),
                within: within(steps),
            };
            checkpoints.save(&state, ONE).unwrap();
        };
        let load = || {
            let problems = RefCell::new(Vec::new());
            let tell = |error: &TrainError| problems.borrow_mut().push(error.to_string());
            let state = checkpoints
                .load(&task, &optimizer, None, &ASKED, &tell)
                .unwrap();
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
            (RECORD, shorter, "record.json can't be used: its SHA-256"),
            (HASHES, |_| b"{}".to_vec(), "none was recorded"),
        ];
        for (name, damage, part) in cases {
            save(&record(2), 0);
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
        save(&record(2), 0);
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
        let save = |epochs, steps, keep| {
            let keep = NonZeroUsize::new(keep).unwrap();
            let state = TrainingState {
                task: task.clone(),
                optimizer: optimizer.clone(),
                average: None,
                loss_scale: None,
                record: record(epochs),
                within: within(steps),
            };
            checkpoints.save(&state, keep).unwrap();
        };
        let load = || {
            let state = checkpoints.load(&task, &optimizer, None, &ASKED, &|_| ());
            state.unwrap().unwrap()
        };
        let place = |epochs, steps| Place { epochs, steps };
        save(3, 0, 1);
        fs::create_dir(folder.path().join("epoch-4")).unwrap();
        assert_eq!(load().place(), place(3, 0));
        // The damaged one is of a later place, and goes.
        save(3, 5, 2);
        assert_eq!(checkpoints.places().unwrap(), [place(3, 0), place(3, 5)]);
        let state = load();
        assert_eq!(state.within, within(5));
        assert_eq!(state.place(), place(3, 5));
        // Within an epoch too.
        fs::remove_file(folder.path().join("epoch-3-step-5").join(PROGRESS)).unwrap();
        assert_eq!(load().place(), place(3, 0));
        save(3, 5, 2);
        save(3, 10, 2);
        save(4, 0, 2);
        assert_eq!(checkpoints.places().unwrap(), [place(3, 10), place(4, 0)]);
        assert_eq!(checkpoints.last(), Some(place(4, 0)));
        checkpoints.remove_last(place(4, 0)).unwrap();
        checkpoints.remove_last(place(3, 10)).unwrap();
        assert!(!folder.path().exists());
    }

    #[test]
    fn averages_are_a_part_of_a_checkpoint() {
        let (task, optimizer) = parts();
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path().to_owned());
        let smoothing = Smoothing {
            decay: 0.5,
            warm_up: false,
        };
        let mut average = MovingAverage::new(smoothing, &task);
        average.update(&Halved::of(&task));
        let bytes = |average: &MovingAverage| {
            let record = average.averaged(&task).into_record();
            record.into_bytes().unwrap().to_vec()
        };
        let expected = bytes(&average);
        assert_ne!(expected, bytes(&MovingAverage::new(smoothing, &task)));
        let state = TrainingState {
            task: task.clone(),
            optimizer: optimizer.clone(),
            average: Some(average),
            loss_scale: None,
            record: record(2),
            within: within(5),
        };
        checkpoints.save(&state, ONE).unwrap();
        let weights = task.valid().into_record().into_bytes().unwrap().to_vec();
        let load = |smoothing, tell: &dyn Fn(&TrainError)| {
            let state = checkpoints.load(&task, &optimizer, smoothing, &ASKED, tell);
            state.unwrap()
        };
        let state = load(Some(smoothing), &|_| ()).unwrap();
        let average = state.average.as_ref().unwrap();
        assert_eq!(average.updates(), 2 * 63 + 5); // of the record and of the epoch under way
        assert_eq!(bytes(average), expected);
        let found = state.task.valid().into_record().into_bytes().unwrap();
        assert!(
            found.to_vec() == weights,
            "the weights are the task's still"
        );
        assert_eq!(
            bytes(average),
            state.trained().into_record().into_bytes().unwrap().to_vec()
        );

        let file = folder.path().join("epoch-2-step-5").join(AVERAGE);
        fs::write(&file, b"x").unwrap();
        let problem = RefCell::new(String::new());
        let tell = |error: &TrainError| *problem.borrow_mut() = error.to_string();
        assert!(load(Some(smoothing), &tell).is_none());
        assert!(
            problem.borrow().contains("average.bpk can't be used"),
            "{problem:?}"
        );
    }

    /// Halves all parameters and running statistics.
    struct Halved;

    impl Halved {
        fn of(task: &ClassificationTask<Model>) -> ClassificationTask<Model> {
            task.valid().map(&mut Self)
        }
    }

    impl ModuleMapper for Halved {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            parameter.map(|tensor| tensor * 0.5 + 0.01)
        }
    }

    #[test]
    fn only_names_of_checkpoints_are_places() {
        let place = |epochs, steps| Some(Place { epochs, steps });
        assert_eq!(parse_place("epoch-12"), place(12, 0));
        assert_eq!(parse_place("epoch-0-step-3"), place(0, 3));
        for name in [
            "unfinished",
            "epoch-",
            "epoch-1-step-",
            "epoch-1-step-0",
            "epoch-x",
            "epoch-1-step-2-old",
        ] {
            assert_eq!(parse_place(name), None, "{name}");
        }
    }
}
