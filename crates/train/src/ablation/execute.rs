//! Running an ablation.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::prelude::Device;

use super::event::{Event, show};
use super::plan::{Plan, PlannedRun};
use super::pool::Pool;
use super::study::{describe, write_study};
use super::tracker::Tracker;
use super::workers::Workers;
use crate::TrainError;
use crate::files::LockedFolder;
use crate::network::NetworkConfig;
use crate::record::AblationRecord;
use crate::training::{CheckpointPolicy, Display, Run, RunFolder, RunStatus, StopSignal};

/// The machine and the manner in which an ablation runs.
pub struct Execution<'a> {
    /// The device, without autodiff.
    pub device: &'a Device,
    /// Name of the backend, for the record.
    pub backend: &'a str,
    /// The display of each run's progress.
    pub display: Display,
    /// The signal that ends the ablation after a batch.
    pub stop: StopSignal,
    /// The command that repeats it, for the report.
    pub command: String,
    /// Whether runs whose files are damaged are trained again from the start, rather than left out.
    pub retrain_damaged: bool,
    /// When runs write checkpoints, and which of them stay.
    pub checkpoints: CheckpointPolicy,
    /// Whether each run has an event file for TensorBoard.
    pub tensorboard: bool,
    /// The processes that train runs side by side; without any, this process trains one run after another.
    pub workers: Option<Workers>,
    /// Is told what happens.
    pub observer: Arc<dyn Fn(Event) + Send + Sync>,
}

/// The outcome of an ablation.
#[derive(Debug)]
pub struct Outcome {
    /// The results of all runs.
    pub record: AblationRecord,
    /// Runs that were left out, for damage.
    pub damaged: Vec<DamagedFolder>,
    /// Runs that failed in a process of their own, while the others went on.
    pub failed: Vec<FailedRun>,
}

/// A run that was left out, because its files are damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedFolder {
    /// Variant and seed.
    pub label: String,
    /// Its folder.
    pub path: PathBuf,
    /// The problem.
    pub cause: String,
}

/// A run that failed in a process of its own.
#[derive(Debug)]
pub struct FailedRun {
    /// Variant and seed.
    pub label: String,
    /// Its folder.
    pub path: PathBuf,
    /// The problem.
    pub error: TrainError,
}

/// What is to be done about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It has ended; its checkpoint may still be there.
    Skip,
    /// It is damaged, and to be left out.
    LeaveOut,
    /// It is new, or goes on from its last checkpoint.
    Train,
}

impl<'a> Execution<'a> {
    /// Describes an ablation on a device of the backend of this name, that trains one run after another in this process, tells
    /// what happens on standard error and leaves damaged runs out: fields that are to be otherwise can be set.
    pub fn new(device: &'a Device, backend: &'a str) -> Self {
        Self {
            device,
            backend,
            display: Display::Lines,
            stop: StopSignal::new(),
            command: String::new(),
            retrain_damaged: false,
            checkpoints: CheckpointPolicy::default(),
            tensorboard: false,
            workers: None,
            observer: Arc::new(|event| show(&event, Display::Lines)),
        }
    }

    /// Trains all runs of the plan that have not ended yet, and writes the results after each. A run whose files
    /// are damaged is left out, unless it is to be [trained again](Self::retrain_damaged).
    ///
    /// # Errors
    ///
    /// Where a folder can't be used, or a run fails in this process; what was done up to then stays, and the next call
    /// goes on from there. A run that fails in a [worker](Self::workers) is among the [failed](Outcome::failed), and the
    /// others go on.
    pub fn run<M: NetworkConfig>(&self, plan: &Plan<M>, out: &Path) -> Result<Outcome, TrainError> {
        let jobs = self.workers.as_ref().map_or(1, |workers| workers.count);
        plan.check_memory(jobs, self.device)?;
        let _lock = LockedFolder::open(out)?;
        self.check_folders(plan, out)?;
        let study = describe(plan, self.backend, self.device, &self.command);
        write_study(&study, out)?;
        let runs = plan.list(out);
        let steps: Vec<Step> = runs.iter().map(|run| self.step(&run.folder)).collect();
        let to_train = steps.iter().filter(|step| **step == Step::Train).count();
        let at_once = jobs.min(to_train).max(1);
        let mut tracker = Tracker::begin(
            study,
            out,
            &runs,
            at_once,
            self.retrain_damaged,
            self.observer.clone(),
        )?;
        let tasks = runs.iter().zip(steps);
        let done = match self.workers.as_ref().filter(|_| at_once > 1) {
            Some(workers) => Pool::new(self, workers, at_once).train(tasks, &mut tracker),
            None => self.one_after_another(tasks, &mut tracker),
        };
        if let Err(error) = done {
            // The error comes first; the report can be made again from the records.
            let _ = tracker.report();
            return Err(error);
        }
        Ok(tracker.finish())
    }

    /// Returns what is to be done about the run in a folder.
    fn step(&self, folder: &Path) -> Step {
        match RunStatus::of(folder) {
            RunStatus::Ended(_) => Step::Skip,
            RunStatus::WithoutNetwork(_) if !self.retrain_damaged => Step::Skip,
            RunStatus::Damaged { .. } if !self.retrain_damaged => Step::LeaveOut,
            _ => Step::Train,
        }
    }

    fn one_after_another<'r, M: NetworkConfig>(
        &self,
        tasks: impl Iterator<Item = (&'r PlannedRun<'r, M>, Step)>,
        tracker: &mut Tracker,
    ) -> Result<(), TrainError> {
        for (run, step) in tasks {
            self.here(run, step, tracker)?;
        }
        Ok(())
    }

    /// Takes a step of a run in this process.
    pub(super) fn here<M: NetworkConfig>(
        &self,
        run: &PlannedRun<M>,
        step: Step,
        tracker: &mut Tracker,
    ) -> Result<(), TrainError> {
        match step {
            Step::Skip => tracker.skipped(run),
            Step::LeaveOut => {}
            Step::Train => tracker.started(run),
        }
        // A run that has ended is opened too, in case its checkpoint is still there.
        match self.train(run, tracker) {
            Ok(_) if step == Step::Skip => return Ok(()),
            Ok(_) => {}
            Err(error @ TrainError::DamagedRun { .. }) => tracker.left_out(run, error),
            Err(error) => return Err(error),
        }
        tracker.report()
    }

    fn train<M: NetworkConfig>(
        &self,
        run: &PlannedRun<M>,
        tracker: &Tracker,
    ) -> Result<(), TrainError> {
        let label = run.label.as_str();
        let warn = |text: &str| (self.observer)(Event::Warning { label, text });
        let (index, work, epochs) = (run.index, run.work, tracker.epochs().clone());
        let name = label.to_owned();
        self.prepared(run, &warn)
            .train(&run.folder, move |record| {
                epochs.ended(index, work, &name, record)
            })
            .map(|_| ())
    }

    /// Checks, before anything is written, that every run's folder has that run or none.
    fn check_folders<M: NetworkConfig>(
        &self,
        plan: &Plan<M>,
        out: &Path,
    ) -> Result<(), TrainError> {
        for run in plan.list(out) {
            let manifest = self.prepared(&run, &|_| ()).manifest()?;
            RunFolder::check(&run.folder, &manifest)?;
        }
        Ok(())
    }

    fn prepared<'r, M>(
        &'r self,
        run: &'r PlannedRun<'r, M>,
        warn: &'r (dyn Fn(&str) + Sync),
    ) -> Run<'r, M> {
        Run {
            config: &run.planned.variant.config,
            data: &run.planned.data,
            seed: run.seed,
            device: self.device,
            backend: self.backend,
            parallel: None,
            display: self.display,
            stop: self.stop.clone(),
            label: &run.label,
            retrain_damaged: self.retrain_damaged,
            checkpoints: self.checkpoints,
            tensorboard: self.tensorboard,
            warn,
        }
    }
}
