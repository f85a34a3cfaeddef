//! One run.

use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use burn::prelude::Device;
use burn::train::logger::InMemoryMetricLogger;
use burn::train::metric::{AccuracyMetric, LearningRateMetric, LossMetric, TopKAccuracyMetric};
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};
use xception_models::ModelConfig;
use xception_models::preprocessing::{Labels, Preprocessing};
use xception_optimizers::{LossScale, MovingAverage};
use xception_parallel::DataParallel;

use super::checkpoint::TrainingState;
use super::checkpoint_policy::CheckpointPolicy;
use super::data_parallel::guarded;
use super::epoch_progress::EpochProgress;
use super::loader::EpochLoader;
use super::place::Place;
use super::progress::{Display, warn};
use super::run_folder::{RunFolder, RunManifest};
use super::run_status::RunStatus;
use super::starting_weights::freeze;
use super::stop::StopSignal;
use super::strategy::{EpochLoop, NetworkWriter};
use super::task::ClassificationTask;
use super::warnings::Warnings;
use crate::TrainError;
use crate::config::{Average, Extent, RunConfig};
use crate::data::{BatchPlan, Dataset, Samples};
use crate::files::file_sha256;
use crate::network::{ImageClassifier, NetworkConfig, Trained};
use crate::record::{Asked, DataRecord, EnvironmentRecord, RECORD_VERSION, RunRecord, RunState};

/// Returns the most threads that prepare batches while the device computes: one for each core. No more are started than help.
fn data_workers() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// One run: a configuration, a seed, and where it happens.
pub struct Run<'a, M = ModelConfig> {
    /// The configuration, as [`Run::prepare`] gives it.
    pub config: &'a RunConfig<M>,
    /// The images of the configuration, as [`Run::prepare`] gives them.
    pub data: &'a Dataset,
    /// The seed of the weights, the data order, the augmentation and dropout.
    pub seed: u64,
    /// The device, without autodiff.
    pub device: &'a Device,
    /// Name of the backend, for the record.
    pub backend: &'a str,
    /// The devices that share each batch, in place of `device`, which has to be the first of them.
    pub parallel: Option<&'a DataParallel>,
    /// The display of the run's progress.
    pub display: Display,
    /// The signal that ends the training after a batch.
    pub stop: StopSignal,
    /// When checkpoints are written, and which of them stay.
    pub checkpoints: CheckpointPolicy,
    /// Whether there is an event file for TensorBoard, in the folder `tensorboard` of the run's.
    pub tensorboard: bool,
    /// The run's name in its display.
    pub label: &'a str,
    /// Whether a run whose files are damaged is trained again from the start, rather than refused.
    pub retrain_damaged: bool,
    /// Is told what a person should know of but the run can go on without.
    pub warn: &'a (dyn Fn(&str) + Sync),
}

impl<'a, M: NetworkConfig> Run<'a, M> {
    /// Describes a run that shows nothing meanwhile, tells of problems on standard error and refuses damaged files: fields
    /// that are to be otherwise can be set.
    pub fn new(
        config: &'a RunConfig<M>,
        data: &'a Dataset,
        seed: u64,
        device: &'a Device,
        backend: &'a str,
    ) -> Self {
        Self {
            config,
            data,
            seed,
            device,
            backend,
            parallel: None,
            display: Display::Quiet,
            stop: StopSignal::new(),
            checkpoints: CheckpointPolicy::default(),
            tensorboard: false,
            label: "",
            retrain_damaged: false,
            warn: &warn,
        }
    }

    /// Describes the run, with every value of its configuration resolved.
    ///
    /// # Errors
    ///
    /// Where the model has another number of classes than the data, or the configuration wasn't
    /// [prepared](Self::prepare).
    pub fn manifest(&self) -> Result<RunManifest<M>, TrainError> {
        let finetune = self.config.finetune.as_ref();
        let weights = finetune.is_some_and(|finetune| finetune.sha256.is_none());
        if weights || self.config.complexity.is_some() {
            return Err(TrainError::Unprepared);
        }
        Ok(RunManifest::new(
            self.config.resolve(self.data.classes.len())?,
            self.seed,
            DataRecord::new(self.data),
            EnvironmentRecord::new(self.backend, self.device)
                .with_devices(self.parallel)
                .with_program(),
        ))
    }

    /// Returns what an image has to go through to look like the run's.
    fn preprocessing(&self) -> Preprocessing {
        match self.config.data.source.image_size() {
            None => Preprocessing {
                size: self.data.size(), // of a mosaic, where samples are mosaics of images
                ..self.config.preprocessing()
            },
            Some(_) => self.data.preprocessing(),
        }
    }

    /// Trains, or goes on from the last checkpoint in the folder, or returns the record of a run that
    /// has ended. `on_epoch` gets the record after every epoch.
    ///
    /// A checkpoint that is damaged is left out, with a warning: the run then starts from the beginning.
    ///
    /// # Errors
    ///
    /// Where the parts don't fit together, the folder can't be used, or the device fails. What was
    /// recorded up to then stays. [`TrainError::DamagedRun`] where the run's files are damaged and it isn't to be
    /// [trained again](Self::retrain_damaged).
    pub fn train(
        &self,
        folder: &Path,
        on_epoch: impl Fn(&RunRecord) + Send + Sync + 'static,
    ) -> Result<RunRecord, TrainError> {
        match self.parallel {
            None => self.train_on_devices(folder, on_epoch),
            Some(parallel) => guarded(parallel, || self.train_on_devices(folder, on_epoch)),
        }
    }

    fn train_on_devices(
        &self,
        folder: &Path,
        on_epoch: impl Fn(&RunRecord) + Send + Sync + 'static,
    ) -> Result<RunRecord, TrainError> {
        // Before anything is written.
        Self::outline(self.config, self.data, self.device)?;
        if self.checkpoints.keep_best && self.data.validation.is_none() {
            return Err(TrainError::NoValidation);
        }
        let manifest = self.manifest()?;
        RunFolder::check(folder, &manifest)?;
        let device = self.device.clone().autodiff();
        let init = || Self::init_network(self.config, self.data, self.seed, &device);
        // Made before anything is written, since that shows whether all parts fit together.
        let network = match RunStatus::of(folder) {
            RunStatus::New => Some(init()?),
            _ => None,
        };
        let folder = Arc::new(RunFolder::open(folder, &manifest)?);
        if let Some(record) = self.look_at(&folder)? {
            return Ok(record);
        }
        let network = network.map_or_else(init, Ok)?;
        folder.begin(&manifest)?;

        let mut state = self.state(&folder, network, &manifest.asked())?;
        // After the checkpoint, which doesn't have what is frozen.
        if let Some(finetune) = &self.config.finetune {
            state.task.network = freeze(state.task.network, &finetune.freeze)?;
        }
        // A run that was killed after its last epoch has only its network left to write.
        let done = state.record.state != RunState::Unfinished
            || state.record.epochs.len() >= self.config.recipe.epochs;
        if let Some(reason) = self.stop.reason().filter(|_| !done) {
            let place = state.place();
            return Err(TrainError::Interrupted { reason, place });
        }
        let state = match done {
            true => state,
            false => Warnings::told(self.warn, |warnings| {
                self.run_loop(state, &folder, &device, warnings, Box::new(on_epoch))
            })?,
        };
        self.finish(state, &folder)
    }

    /// Returns the record of a run that has ended; otherwise sees to it that the run can start or go on.
    fn look_at(&self, folder: &RunFolder) -> Result<Option<RunRecord>, TrainError> {
        match RunStatus::of(folder.path()) {
            RunStatus::Ended(record) => {
                Self::clear_checkpoints(folder, &record)?; // those of a process killed before it did
                return Ok(Some(record));
            }
            RunStatus::WithoutNetwork(record) if !self.retrain_damaged => return Ok(Some(record)),
            RunStatus::WithoutNetwork(_) => {
                (self.warn)(
                    "model.bpk, the trained network, is missing: the run is trained again from the start",
                );
                folder.discard()?;
            }
            RunStatus::Damaged { cause } if !self.retrain_damaged => {
                return Err(TrainError::DamagedRun {
                    path: folder.path().to_owned(),
                    cause,
                });
            }
            RunStatus::Damaged { cause } => {
                (self.warn)(&format!("{cause}: the run is trained again from the start"));
                folder.discard()?;
            }
            RunStatus::Unfinished {
                repaired: Some(cause),
            } => (self.warn)(&format!(
                "{cause}: it is made again from the last checkpoint"
            )),
            RunStatus::Unfinished { repaired: None } | RunStatus::New => {}
        }
        Ok(None)
    }

    /// Returns the state of the last checkpoint, or that before the first step.
    fn state(
        &self,
        folder: &RunFolder,
        network: M::Network,
        asked: &Asked,
    ) -> Result<TrainingState<M::Network>, TrainError> {
        let parameters = network.parameters();
        let task = ClassificationTask::new(network, &self.config.recipe);
        let optimizer = self.config.recipe.optimizer.init();
        let warn = |error: &TrainError| (self.warn)(&error.to_string());
        let checkpoints = folder.checkpoints();
        let average = self.config.recipe.average.as_ref();
        let smoothing = average.map(Average::smoothing);
        if let Some(state) = checkpoints.load(&task, &optimizer, smoothing, asked, &warn)? {
            return Ok(state);
        }
        if RunFolder::has_results(folder.path()) {
            (self.warn)(
                "there is no checkpoint that can be used: the run starts again from the first epoch",
            );
            folder.discard_epochs()?;
        }
        Ok(TrainingState {
            average: smoothing.map(|smoothing| MovingAverage::new(smoothing, &task)),
            loss_scale: task.precision.scales_loss().then(LossScale::new),
            task,
            optimizer,
            record: RunRecord {
                version: RECORD_VERSION,
                seed: self.seed,
                state: RunState::Unfinished,
                parameters,
                epochs: Vec::new(),
                divergence: None,
                network_sha256: None,
                origin: None,
            },
            within: EpochProgress::default(),
        })
    }

    /// Hands the state to Burn's learner, which runs the loop.
    fn run_loop(
        &self,
        state: TrainingState<M::Network>,
        folder: &Arc<RunFolder>,
        device: &Device,
        warnings: &Warnings,
        on_epoch: Box<dyn Fn(&RunRecord) + Send + Sync>,
    ) -> Result<TrainingState<M::Network>, TrainError> {
        let recipe = &self.config.recipe;
        let epochs_done = state.record.epochs.len();
        let batch_size = Self::batch_size(self.config, self.data);
        let normalization = self.data.normalization;
        let train_plan = BatchPlan {
            augmentation: self.config.data.augmentation,
            epoch: epochs_done as u64,
            start_batch: state.within.steps,
            drop_last: true,
            workers: data_workers(),
            ..BatchPlan::train(batch_size, normalization, self.seed)
        };
        let test_plan = BatchPlan {
            workers: data_workers(),
            ..BatchPlan::test(recipe.batch_size, normalization)
        };
        let loader = |samples: &Samples, plan: &BatchPlan, device: &Device| {
            EpochLoader::new(
                samples.clone(),
                plan.clone(),
                device.clone(),
                warnings.clone(),
            )
        };
        let evaluated = |samples: &Samples| loader(samples, &test_plan, self.device);
        let train = Arc::new(loader(&self.data.train, &train_plan, device));
        let test = evaluated(&self.data.test);
        let validation = self.data.validation.as_ref().map(evaluated);

        let learner = Learner::new(
            state.task.clone(),
            recipe.optimizer.init(),
            recipe.learning_rate,
        );
        let finetune = self.config.finetune.as_ref();
        let strategy = Arc::new(EpochLoop {
            recipe: recipe.clone(),
            backbone_rate: finetune.map_or(1.0, |finetune| finetune.backbone_rate),
            extent: Extent {
                epochs: recipe.epochs,
                steps_per_epoch: train.batches(),
                batch_size,
            },
            device: device.clone(),
            parallel: self.parallel.cloned(),
            train: train.clone(),
            folder: folder.clone(),
            checkpoints: self.checkpoints,
            tensorboard: self.tensorboard,
            on_epoch,
            save_best: match self.checkpoints.keep_best {
                true => Some(self.writer()?),
                false => None,
            },
            validation,
            label_shares: self.data.label_shares(),
            stop: self.stop.clone(),
            state: Mutex::new(Some(Ok(state))),
        });
        let interrupter = Interrupter::new();
        let renderer = self
            .display
            .renderer(self.label, interrupter.clone(), epochs_done);
        let classes = self.data.classes.len();
        let training = SupervisedTraining::new(folder.path(), train, Arc::new(test))
            .with_training_strategy(TrainingStrategy::Custom(strategy.clone()))
            .with_application_logger(None)
            .with_metric_logger(InMemoryMetricLogger::default())
            .with_interrupter(interrupter)
            .renderer(renderer)
            .metrics((
                LossMetric::new(),
                AccuracyMetric::new(),
                TopKAccuracyMetric::new(classes.min(5)),
            ))
            .metric_train_numeric(LearningRateMetric::new())
            .num_epochs(recipe.epochs)
            .checkpoint(epochs_done)
            .label(self.label);
        let result = training.launch(learner);
        drop(result.renderer); // gives the terminal back
        let state = strategy.take_state().ok_or_else(|| TrainError::Burn {
            cause: "the learner ended without running the loop".to_owned(),
        })?;
        match (state, result.error) {
            (Err(error), _) => Err(error),
            (Ok(_), Some(error)) => Err(TrainError::burn(error)),
            (Ok(state), None) => Ok(state),
        }
    }

    /// Returns what writes a network of this run to a file, with all that it takes to use it.
    fn writer(&self) -> Result<NetworkWriter<M::Network>, TrainError> {
        let config = self.config.resolve(self.data.classes.len())?.model;
        let preprocessing = self.preprocessing();
        let labels = Labels::new(self.data.classes.clone());
        let multi_label = self.data.label_shares().is_some();
        Ok(Box::new(move |network, file| {
            let trained = Trained {
                config: config.clone(),
                network: network.clone(),
                preprocessing,
                labels: Some(labels.clone()),
                multi_label,
            };
            M::save(&trained, file)
        }))
    }

    /// Writes the trained network, beside averages the weights themselves too, and the record, then lets go of the checkpoints.
    fn finish(
        &self,
        state: TrainingState<M::Network>,
        folder: &RunFolder,
    ) -> Result<RunRecord, TrainError> {
        let file = RunFolder::model_file(folder.path());
        let write = self.writer()?;
        if state.average.is_some() {
            let file = RunFolder::weights_file(folder.path());
            write(&state.task.network, &file)?;
        }
        write(&state.trained().network, &file)?;
        let mut record = state.record;
        record.network_sha256 = Some(file_sha256(&file)?);
        if record.state == RunState::Unfinished {
            record.state = RunState::Finished;
        }
        folder.write_record(&record)?;
        Self::clear_checkpoints(folder, &record)?;
        Ok(record)
    }

    /// Removes the checkpoints of a run that has ended. Of one that diverged those before its end stay, for whoever looks for the
    /// reason.
    fn clear_checkpoints(folder: &RunFolder, record: &RunRecord) -> Result<(), TrainError> {
        let checkpoints = folder.checkpoints();
        match record.state {
            RunState::Diverged => checkpoints.remove_last(Place::after(record.epochs.len())),
            _ => checkpoints.clear(),
        }
    }
}
