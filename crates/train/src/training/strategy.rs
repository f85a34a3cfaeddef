//! The training loop.
//!
//! A learning strategy for Burn's learner that owns the loop: it holds the optimizer, decides the
//! learning rate of each step, scores every epoch, writes record and checkpoint before the next
//! one starts, and checkpoints within an epoch as the run's policy says. Burn's own strategies keep the optimizer to themselves and checkpoint files one by one,
//! without the record and with a panic where the disk is full.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::lr_scheduler::LrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrSchedulerConfig};
use burn::module::Module;
use burn::prelude::Device;
use burn::train::{
    Learner, LearnerEvent, SupervisedLearningStrategy, TrainLoader, TrainOutput,
    TrainingComponents, TrainingItem, ValidLoader,
};
use xception_parallel::DataParallel;

use super::checkpoint::TrainingState;
use super::checkpoint_policy::CheckpointPolicy;
use super::data_parallel::{guarded, parallel_step};
use super::epoch_scores::{EpochScores, score, test};
use super::events::{Events, Processor};
use super::gradient_step::GradientStep;
use super::loader::EpochLoader;
use super::output::TaskOutput;
use super::run_folder::RunFolder;
use super::run_log::RunLog;
use super::scores::ScoreSum;
use super::starting_weights::backbone;
use super::step_log::StepRecord;
use super::stop::StopSignal;
use super::targets::ImageBatch;
use super::task::{ClassificationTask, Scorer};
use crate::TrainError;
use crate::config::{Extent, Recipe};
use crate::data::Batch;
use crate::network::ImageClassifier;
use crate::record::{Divergence, EpochRecord, RunRecord, RunState, WeightScores};

/// Writes a network to a file.
pub(crate) type NetworkWriter<N> = Box<dyn Fn(&N, &Path) -> Result<(), TrainError> + Send + Sync>;

/// Trains epoch by epoch; see the module's documentation.
pub(crate) struct EpochLoop<N: ImageClassifier> {
    pub(crate) recipe: Recipe,
    /// Factor on the learning rate of everything but the classifier.
    pub(crate) backbone_rate: f64,
    pub(crate) extent: Extent,
    /// The device, in autodiff mode.
    pub(crate) device: Device,
    /// The devices that share each batch, where that isn't `device` alone, which is the first of them.
    pub(crate) parallel: Option<DataParallel>,
    /// The batches to train with.
    pub(crate) train: Arc<EpochLoader>,
    pub(crate) folder: Arc<RunFolder>,
    pub(crate) checkpoints: CheckpointPolicy,
    /// Whether there is an event file for TensorBoard.
    pub(crate) tensorboard: bool,
    /// What is called with the record after every epoch.
    pub(crate) on_epoch: Box<dyn Fn(&RunRecord) + Send + Sync>,
    /// What writes the network after an epoch that is the best so far on the images held back for validation.
    pub(crate) save_best: Option<NetworkWriter<N>>,
    /// The images held back for validation, on which every epoch is scored too.
    pub(crate) validation: Option<EpochLoader>,
    /// The shares of the classes in all labels, where images have sets of them; scores then have the average precision.
    pub(crate) label_shares: Option<Vec<f64>>,
    /// The signal that ends the loop after a batch.
    pub(crate) stop: StopSignal,
    /// The state, taken by the loop; at its end that of the run, or why the loop stopped early.
    pub(crate) state: Mutex<Option<Result<TrainingState<N>, TrainError>>>,
}

/// What the loop writes to.
struct Outputs<N: ImageClassifier + 'static> {
    events: Events<N>,
    log: RunLog,
    /// The time of the last checkpoint of this process, or of its start.
    saved: Instant,
}

impl<N: ImageClassifier + 'static> EpochLoop<N> {
    /// Takes the state out.
    pub(crate) fn take_state(&self) -> Option<Result<TrainingState<N>, TrainError>> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn put_state(&self, state: Result<TrainingState<N>, TrainError>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// Runs all epochs that are left.
    fn run(
        &self,
        mut state: TrainingState<N>,
        outputs: &mut Outputs<N>,
        test: &ValidLoader<ClassificationTask<N>>,
    ) -> Result<TrainingState<N>, TrainError> {
        while state.record.epochs.len() < self.recipe.epochs
            && state.record.state != RunState::Diverged
        {
            if let Some(reason) = outputs.events.stop_reason()? {
                let place = state.place();
                return Err(TrainError::Interrupted { reason, place });
            }
            state = self.epoch(state, outputs, test)?;
        }
        Ok(state)
    }

    /// Runs one epoch, or the rest of it: trains, tests, records and writes a checkpoint.
    fn epoch(
        &self,
        state: TrainingState<N>,
        outputs: &mut Outputs<N>,
        test: &ValidLoader<ClassificationTask<N>>,
    ) -> Result<TrainingState<N>, TrainError> {
        let epoch = state.record.epochs.len() + 1;
        let (mut state, divergence) = self.train(epoch, state, outputs)?;

        let start = Instant::now();
        let scored = self.score(epoch, &state, outputs, test);
        if let Err(TrainError::Interrupted { .. }) = scored {
            self.save(&state, outputs)?; // goes on with the evaluation
        }
        let EpochScores {
            validation,
            test,
            weights,
        } = scored?;
        let test_seconds = start.elapsed().as_secs_f64();

        let within = std::mem::take(&mut state.within);
        let record = &mut state.record;
        record.epochs.push(EpochRecord {
            epoch,
            steps: within.steps,
            skipped_steps: within.skipped,
            learning_rate: within.learning_rate,
            train: within.score_sum().mean()?,
            validation,
            test,
            weights,
            train_seconds: within.seconds,
            test_seconds,
        });
        if divergence.is_some() {
            record.state = RunState::Diverged;
            record.divergence = divergence;
        }
        let is_best = record
            .chosen_epoch()
            .is_some_and(|best| best.epoch == epoch);
        if let Some(save) = self.save_best.as_ref().filter(|_| is_best) {
            let file = RunFolder::best_model_file(self.folder.path());
            save(&state.trained().network, &file)?;
        }
        self.save(&state, outputs)?;
        self.folder.write_record(&state.record)?;
        if let Some(epoch) = state.record.epochs.last() {
            outputs.log.epoch(epoch)?;
        }
        (self.on_epoch)(&state.record);
        outputs.events.train(LearnerEvent::EndEpoch(epoch));
        Ok(state)
    }

    /// Optimizes over the batches that are left of an epoch. A loss that isn't finite ends that, before its step changes the
    /// network, as do gradients that overflow whatever the scale of the loss.
    fn train(
        &self,
        epoch: usize,
        mut state: TrainingState<N>,
        outputs: &mut Outputs<N>,
    ) -> Result<(TrainingState<N>, Option<Divergence>), TrainError> {
        outputs.events.train(LearnerEvent::StartSplit {
            epoch_number: epoch,
            total_items: self.train.num_items(),
        });
        let (start, before) = (Instant::now(), state.within);
        let mut sum = before.score_sum();
        let mut batches = self.train.epoch();
        let mut divergence = None;
        while divergence.is_none() {
            let step_start = Instant::now();
            let Some(batch) = batches.next() else { break };
            let wait = step_start.elapsed();
            let step = (epoch - 1) * self.extent.steps_per_epoch + state.within.steps;
            let learning_rate = self.learning_rate(step);
            let seed = step_seed(state.record.seed, step as u64);

            if let Some(scale) = &state.loss_scale {
                state.task.loss_scale = scale.factor();
            }
            let (task, output) = self.gradients(state.task, batch?, seed)?;
            state.task = task;
            let images = output.item.logits.dims()[0];
            sum.add(&output.item)?;
            let loss = sum.read()? / images as f64;
            let loss_scale = state.loss_scale.map(|scale| scale.factor());
            let mut outcome = GradientStep::Diverged; // unless the loss is finite
            if loss.is_finite() {
                let rates = rates(learning_rate, self.backbone_rate, &state.task)?;
                (state, outcome) = state.step(rates, output.grads, self.recipe.clip_norm)?;
            }
            let (gradient_norm, skipped) = match outcome {
                GradientStep::Taken { norm } => (norm, false),
                GradientStep::Skipped => (None, true),
                GradientStep::Diverged => {
                    divergence = Some(Divergence {
                        epoch,
                        step: step + 1,
                        learning_rate,
                        of_gradients: loss.is_finite(),
                    });
                    (None, false)
                }
            };
            let within = &mut state.within;
            within.step(skipped, learning_rate, sum.sums(), &before, start.elapsed());
            outputs.log.step(&StepRecord {
                step: step + 1,
                epoch,
                loss,
                learning_rate,
                gradient_norm,
                loss_scale,
                skipped,
                images,
                images_per_second: images as f64 / step_start.elapsed().as_secs_f64(),
                wait_seconds: wait.as_secs_f64(),
            })?;
            let item = TrainingItem::new(
                output.item.into(),
                batches.progress(),
                Some(within.steps),
                Some(learning_rate.into()),
            );
            outputs.events.train(LearnerEvent::ProcessedItem(item));
            // After a divergence the record of the epoch is written at once.
            if divergence.is_none() {
                self.save_within_epoch(step + 1, &state, outputs)?;
            }
        }
        outputs.events.train(LearnerEvent::EndSplit(epoch));
        Ok((state, divergence))
    }

    /// Computes the gradients of a batch, on one device or on all.
    fn gradients(
        &self,
        task: ClassificationTask<N>,
        batch: Batch,
        seed: u64,
    ) -> Result<(ClassificationTask<N>, TrainOutput<TaskOutput>), TrainError> {
        let size = self.train.size();
        match &self.parallel {
            None => {
                self.device.seed(seed);
                let output = task.train_step(ImageBatch::new(batch, size, &self.device));
                Ok((task, output))
            }
            Some(parallel) => parallel_step(parallel, task, &batch, size, seed),
        }
    }

    /// Returns the learning rate of a step, which counts from 0 over the whole run.
    fn learning_rate(&self, step: usize) -> f64 {
        self.recipe.learning_rate_at(step, &self.extent)
    }

    /// Writes a checkpoint after a step if one is due. Where someone wants the end there is one too, and then the end.
    fn save_within_epoch(
        &self,
        steps: usize,
        state: &TrainingState<N>,
        outputs: &mut Outputs<N>,
    ) -> Result<(), TrainError> {
        let stop = outputs.events.stop_reason()?;
        let interval = self.checkpoints.within_epochs;
        // After the last step, that of the epoch is about to come.
        let is_due = state.within.steps < self.extent.steps_per_epoch
            && interval.is_due(steps, outputs.saved.elapsed());
        if stop.is_some() || is_due {
            self.save(state, outputs)?;
        }
        match stop {
            Some(reason) => Err(TrainError::Interrupted {
                reason,
                place: state.place(),
            }),
            None => Ok(()),
        }
    }

    /// Writes a checkpoint.
    fn save(&self, state: &TrainingState<N>, outputs: &mut Outputs<N>) -> Result<(), TrainError> {
        outputs.log.flush()?; // it has all steps of a checkpoint
        if let Some(parallel) = &self.parallel {
            parallel.main().check()?;
        }
        let checkpoints = self.folder.checkpoints();
        checkpoints.save(state, self.checkpoints.keep)?;
        outputs.saved = Instant::now();
        Ok(())
    }

    /// Scores the trained network on the images held back for validation, if there are any, and on the test images; and beside
    /// averages the weights themselves.
    fn score(
        &self,
        epoch: usize,
        state: &TrainingState<N>,
        outputs: &mut Outputs<N>,
        test_batches: &ValidLoader<ClassificationTask<N>>,
    ) -> Result<EpochScores, TrainError> {
        let place = state.place();
        let check = |events: &Events<N>| match events.stop_reason()? {
            Some(reason) => Err(TrainError::Interrupted { reason, place }),
            None => Ok(()),
        };
        let empty = || ScoreSum::with_label_shares(self.label_shares.clone());
        let events = &mut outputs.events;
        let validate = |scorer: &Scorer, events: &Events<N>| {
            let score =
                |loader: &EpochLoader| score(scorer, loader.iter(), empty(), || check(events));
            self.validation.as_ref().map(score).transpose()
        };
        let read = self.parallel.is_some();
        let trained = state.trained();
        let scorer = trained.scorer();
        let validation = validate(&scorer, events)?;
        let test = test(epoch, &scorer, test_batches, read, empty(), events, check)?;
        let mut weights = None;
        if state.average.is_some() {
            let evaluated = state.task.valid();
            let scorer = evaluated.scorer();
            let validation = validate(&scorer, events)?;
            // The same images again, of which the dashboard isn't told.
            let test = score(&scorer, test_batches.iter(), empty(), || check(events))?;
            weights = Some(WeightScores { validation, test });
        }
        Ok(EpochScores {
            validation,
            test,
            weights,
        })
    }
}

/// Returns the learning rate of each parameter: `learning_rate` for the classifiers, and that times `backbone_rate`
/// for everything else.
fn rates<N: ImageClassifier>(
    learning_rate: f64,
    backbone_rate: f64,
    task: &ClassificationTask<N>,
) -> Result<ModuleLearningRate, TrainError> {
    if backbone_rate == 1.0 {
        return Ok(learning_rate.into());
    }
    let constant = LrSchedulerConfig::Constant;
    let rates = ModuleLrSchedulerConfig::new(constant(learning_rate)).with_group(
        backbone(&task.network),
        constant(learning_rate * backbone_rate),
    );
    Ok(rates.init().map_err(TrainError::burn)?.step())
}

impl<N: ImageClassifier + 'static> SupervisedLearningStrategy<ClassificationTask<N>>
    for EpochLoop<N>
{
    fn fit(
        &self,
        components: TrainingComponents<ClassificationTask<N>>,
        learner: Learner<ClassificationTask<N>>,
        _: TrainLoader<ClassificationTask<N>>, // has the batches on one device
        test: ValidLoader<ClassificationTask<N>>,
        _: usize,
    ) -> (ClassificationTask<N>, Processor<N>) {
        let events = Events {
            processor: components.event_processor,
            interrupter: components.interrupter,
            stop: self.stop.clone(),
        };
        let Some(Ok(state)) = self.take_state() else {
            return (learner.model(), events.processor);
        };
        let steps = state.record.epochs.len() * self.extent.steps_per_epoch + state.within.steps;
        let epochs = &state.record.epochs;
        let log = match RunLog::open(&self.folder, steps, epochs, self.tensorboard) {
            Ok(log) => log,
            Err(error) => {
                self.put_state(Err(error));
                return (learner.model(), events.processor);
            }
        };
        let mut outputs = Outputs {
            events,
            log,
            saved: Instant::now(),
        };
        let run = || self.run(state, &mut outputs, &test);
        let ended = match &self.parallel {
            None => run(),
            Some(parallel) => guarded(parallel, run),
        };
        let task = match &ended {
            Ok(state) => state.task.clone(),
            Err(_) => learner.model(),
        };
        self.put_state(ended);
        (task, outputs.events.processor)
    }
}

/// Returns the seed of a step's dropout, a function of the run's seed and the step alone, so that a run that
/// goes on after a stop draws what it would have drawn.
pub(super) fn step_seed(seed: u64, step: u64) -> u64 {
    // SplitMix64 (G. Steele et al., 2014): distinct steps give unrelated seeds.
    let mut z = seed ^ (step + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
