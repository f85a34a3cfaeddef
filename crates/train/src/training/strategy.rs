//! The training loop.
//!
//! A learning strategy for Burn's learner that owns the loop: it holds the optimizer, decides the
//! learning rate of each step, scores every epoch, and writes record and checkpoint before the next
//! one starts. Burn's own strategies keep the optimizer to themselves and checkpoint files one by one,
//! without the record and with a panic where the disk is full.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::lr_scheduler::LrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrSchedulerConfig};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::prelude::Device;
use burn::train::{
    ClassificationOutput, EventProcessorTraining, Interrupter, Learner, LearnerEvent,
    SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents,
    TrainingItem, ValidLoader,
};

use super::loader::EpochLoader;
use super::run_folder::RunFolder;
use super::scores::ScoreSum;
use super::starting_weights::backbone;
use super::stop::{StopReason, StopSignal};
use super::task::{ClassificationTask, Scorer};
use crate::TrainError;
use crate::config::Recipe;
use crate::network::ImageClassifier;
use crate::record::{EpochRecord, RunRecord, RunState, Scores};

type Processor<N> = SupervisedTrainingEventProcessor<ClassificationTask<N>>;

/// Trains epoch by epoch; see the module's documentation.
pub(crate) struct EpochLoop {
    recipe: Recipe,
    /// Factor on the learning rate of everything but the classifier.
    backbone_rate: f64,
    steps_per_epoch: usize,
    device: Device,
    folder: Arc<RunFolder>,
    on_epoch: Box<dyn Fn(&RunRecord) + Send + Sync>,
    /// The images held back for validation.
    validation: Option<EpochLoader>,
    /// The shares of the classes in all labels, where images have sets of them.
    label_shares: Option<Vec<f64>>,
    stop: StopSignal,
    /// The optimizer and the record, taken by the loop and put back at its end.
    state: Mutex<Option<LoopState>>,
}

/// The state that changes while the loop runs, besides the network.
pub(crate) struct LoopState {
    pub(crate) optimizer: ModuleOptimizer,
    pub(crate) record: RunRecord,
    /// Why the loop stopped early.
    pub(crate) error: Option<TrainError>,
}

impl EpochLoop {
    /// Makes a loop on a device in autodiff mode that goes on after the last epoch of the record.
    pub(crate) fn new(
        recipe: Recipe,
        backbone_rate: f64,
        steps_per_epoch: usize,
        device: Device,
        folder: Arc<RunFolder>,
        state: LoopState,
        on_epoch: Box<dyn Fn(&RunRecord) + Send + Sync>,
    ) -> Self {
        Self {
            recipe,
            backbone_rate,
            steps_per_epoch,
            device,
            folder,
            on_epoch,
            validation: None,
            label_shares: None,
            stop: StopSignal::new(),
            state: Mutex::new(Some(state)),
        }
    }

    /// Sets the images held back for validation, on which every epoch is scored too.
    pub(crate) fn with_validation(mut self, validation: Option<EpochLoader>) -> Self {
        self.validation = validation;
        self
    }

    /// Sets the shares of the classes in all labels, where images have sets of them; scores then have the average precision.
    pub(crate) fn with_label_shares(mut self, shares: Option<Vec<f64>>) -> Self {
        self.label_shares = shares;
        self
    }

    /// Sets the signal that ends the loop after a batch.
    pub(crate) fn with_stop(mut self, stop: StopSignal) -> Self {
        self.stop = stop;
        self
    }

    /// Takes the state out, as it is at the end of the loop.
    pub(crate) fn take_state(&self) -> Option<LoopState> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Runs one epoch: trains, tests, records and writes a checkpoint.
    fn epoch<N: ImageClassifier + 'static>(
        &self,
        epoch: usize,
        task: ClassificationTask<N>,
        state: &mut LoopState,
        loaders: &Loaders<N>,
        events: &mut Events<N>,
    ) -> Result<ClassificationTask<N>, TrainError> {
        let start = Instant::now();
        let (task, train, learning_rate) =
            self.train(epoch, task, state, &loaders.train, events)?;
        let train_seconds = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let evaluated = task.valid();
        let scorer = evaluated.scorer();
        let empty = || ScoreSum::with_label_shares(self.label_shares.clone());
        let validation = self.validation.as_ref();
        let validation =
            validation.map(|loader| score(&scorer, loader, empty(), || events.check(epoch - 1)));
        let validation = validation.transpose()?;
        let test = test::<N>(epoch, &scorer, &loaders.test, empty(), events)?;
        let test_seconds = start.elapsed().as_secs_f64();

        let record = &mut state.record;
        record.epochs.push(EpochRecord {
            epoch,
            steps: self.steps_per_epoch,
            learning_rate,
            train,
            validation,
            test,
            train_seconds,
            test_seconds,
        });
        if !train.loss.is_finite() {
            record.state = RunState::Diverged;
        }
        self.folder
            .checkpoints()
            .save(&task, &state.optimizer, record)?;
        self.folder.write_record(record)?;
        (self.on_epoch)(record);
        events.train(LearnerEvent::EndEpoch(epoch));
        Ok(task)
    }

    /// Optimizes over all batches once; returns the scores on the way and the last learning rate.
    fn train<N: ImageClassifier + 'static>(
        &self,
        epoch: usize,
        mut task: ClassificationTask<N>,
        state: &mut LoopState,
        loader: &TrainLoader<ClassificationTask<N>>,
        events: &mut Events<N>,
    ) -> Result<(ClassificationTask<N>, Scores, f64), TrainError> {
        events.train(LearnerEvent::StartSplit {
            epoch_number: epoch,
            total_items: loader.num_items(),
        });
        let mut sum = ScoreSum::default();
        let mut learning_rate = 0.0;
        let mut batches = loader.iter();
        let mut index = 0;
        while let Some(batch) = batches.next() {
            let step = (epoch - 1) * self.steps_per_epoch + index;
            index += 1;
            let schedule = &self.recipe.schedule;
            let factor = schedule.factor(step, self.steps_per_epoch, self.recipe.epochs);
            learning_rate = self.recipe.learning_rate * factor;
            self.device.seed(step_seed(state.record.seed, step as u64));

            let output = task.train_step(batch.map_err(TrainError::burn)?);
            let rates = rates(learning_rate, self.backbone_rate, &task)?;
            task = state.optimizer.step(rates, task, output.grads);
            sum.add(&output.item)?;
            let item = TrainingItem::new(
                output.item.into(),
                batches.progress(),
                Some(index),
                Some(learning_rate.into()),
            );
            events.train(LearnerEvent::ProcessedItem(item));
            events.check(epoch - 1)?;
        }
        events.train(LearnerEvent::EndSplit(epoch));
        Ok((task, sum.mean()?, learning_rate))
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

/// Scores the network on all batches, in evaluation mode, without telling Burn's metrics; `check` may end it between two.
fn score(
    scorer: &Scorer,
    loader: &EpochLoader,
    mut sum: ScoreSum,
    mut check: impl FnMut() -> Result<(), TrainError>,
) -> Result<Scores, TrainError> {
    for batch in loader.iter() {
        let output = scorer.score(batch.map_err(TrainError::burn)?);
        sum.add(&output)?;
        check()?;
    }
    sum.mean()
}

/// Scores the network on all test batches, in evaluation mode.
fn test<N: ImageClassifier + 'static>(
    epoch: usize,
    scorer: &Scorer,
    loader: &ValidLoader<ClassificationTask<N>>,
    mut sum: ScoreSum,
    events: &mut Events<N>,
) -> Result<Scores, TrainError> {
    events.test(LearnerEvent::StartSplit {
        epoch_number: epoch,
        total_items: loader.num_items(),
    });
    let mut batches = loader.iter();
    let mut index = 0;
    while let Some(batch) = batches.next() {
        index += 1;
        let output = scorer.score(batch.map_err(TrainError::burn)?);
        sum.add(&output)?;
        let item = TrainingItem::new(output.into(), batches.progress(), Some(index), None);
        events.test(LearnerEvent::ProcessedItem(item));
        events.check(epoch - 1)?;
    }
    events.test(LearnerEvent::EndSplit(epoch));
    sum.mean()
}

/// The batches to train and to test with.
struct Loaders<N: ImageClassifier + 'static> {
    train: TrainLoader<ClassificationTask<N>>,
    test: ValidLoader<ClassificationTask<N>>,
}

impl<N: ImageClassifier + 'static> SupervisedLearningStrategy<ClassificationTask<N>> for EpochLoop {
    fn fit(
        &self,
        components: TrainingComponents<ClassificationTask<N>>,
        learner: Learner<ClassificationTask<N>>,
        train: TrainLoader<ClassificationTask<N>>,
        test: ValidLoader<ClassificationTask<N>>,
        starting_epoch: usize,
    ) -> (ClassificationTask<N>, Processor<N>) {
        let loaders = Loaders { train, test };
        let mut events = Events {
            processor: components.event_processor,
            interrupter: components.interrupter,
            stop: self.stop.clone(),
        };
        let mut task = learner.model();
        let Some(mut state) = self.take_state() else {
            return (task, events.processor);
        };
        for epoch in starting_epoch..=self.recipe.epochs {
            match self.epoch(epoch, task, &mut state, &loaders, &mut events) {
                Ok(trained) => task = trained,
                Err(error) => {
                    state.error = Some(error);
                    task = learner.model();
                    break;
                }
            }
            if state.record.state == RunState::Diverged {
                break;
            }
        }
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        (task, events.processor)
    }
}

/// Burn's events, which feed its metrics and the dashboard.
struct Events<N: ImageClassifier + 'static> {
    processor: Processor<N>,
    interrupter: Interrupter,
    stop: StopSignal,
}

impl<N: ImageClassifier + 'static> Events<N> {
    fn train(&mut self, event: LearnerEvent<ClassificationOutput>) {
        let sent = self.processor.process_train(event);
        self.interrupter.fail_on_error(sent);
    }

    fn test(&mut self, event: LearnerEvent<ClassificationOutput>) {
        let sent = self.processor.process_valid(event);
        self.interrupter.fail_on_error(sent);
    }

    /// Fails if someone or an error in a metric wants the end, after this number of epochs.
    fn check(&self, epochs: usize) -> Result<(), TrainError> {
        if let Some(error) = self.interrupter.error() {
            return Err(TrainError::burn(error));
        }
        let by_dashboard = || {
            let stops = self.interrupter.should_stop();
            stops.then_some(StopReason::Interrupted)
        };
        match self.stop.reason().or_else(by_dashboard) {
            Some(reason) => Err(TrainError::Interrupted { reason, epochs }),
            None => Ok(()),
        }
    }
}

/// Returns the seed of a step's dropout, a function of the run's seed and the step alone, so that a run that
/// goes on after a stop draws what it would have drawn.
fn step_seed(seed: u64, step: u64) -> u64 {
    // SplitMix64 (G. Steele et al., 2014): distinct steps give unrelated seeds.
    let mut z = seed ^ (step + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
