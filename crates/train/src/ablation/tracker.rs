//! What is known of an ablation's runs while they train, and who is told.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::estimate::Estimate;
use super::event::Event;
use super::execute::{DamagedFolder, FailedRun, Outcome};
use super::plan::PlannedRun;
use super::study::with_runs;
use crate::TrainError;
use crate::record::{AblationRecord, RunRecord, RunState};
use crate::report;

/// Tells the observer of every event, and writes results and report after every run.
pub(super) struct Tracker<'a> {
    out: &'a Path,
    /// What is asked, a record without runs.
    study: AblationRecord,
    /// What the runs have left up to now.
    record: AblationRecord,
    runs: usize,
    epochs: Epochs,
    damaged: Vec<DamagedFolder>,
    failed: Vec<FailedRun>,
}

/// Is told of every epoch, by any thread.
#[derive(Clone)]
pub(super) struct Epochs {
    /// Epochs of a run.
    of: usize,
    estimate: Arc<Mutex<Estimate>>,
    observer: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Epochs {
    /// Tells of the last epoch of a run's record.
    pub(super) fn ended(&self, run: usize, work: f64, label: &str, record: &RunRecord) {
        let mut estimate = self.estimate.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(epoch) = record.epochs.last() {
            estimate.done(run, work, epoch.train_seconds + epoch.test_seconds);
            if record.state == RunState::Diverged {
                estimate.cancel(run);
            }
        }
        (self.observer)(Event::Epoch {
            label,
            record,
            epochs: self.of,
            seconds_left: estimate.seconds_left().unwrap_or_default(),
        });
    }

    fn cancel(&self, run: usize) {
        let mut estimate = self.estimate.lock().unwrap_or_else(PoisonError::into_inner);
        estimate.cancel(run);
    }
}

impl<'a> Tracker<'a> {
    /// Begins with what the folder has of the study, and writes the report of that.
    ///
    /// # Errors
    ///
    /// Where the report can't be written.
    pub(super) fn begin<M>(
        study: AblationRecord,
        out: &'a Path,
        runs: &[PlannedRun<M>],
        at_once: usize,
        retrain_damaged: bool,
        observer: Arc<dyn Fn(Event) + Send + Sync>,
    ) -> Result<Self, TrainError> {
        let record = with_runs(study.clone(), out);
        let left = runs.iter().map(|run| {
            let variant = record
                .variants
                .iter()
                .find(|variant| variant.name == run.planned.variant.name);
            let epochs = variant.map_or(study.epochs, |variant| {
                let recorded = variant.runs.iter().find(|r| r.seed == run.seed);
                let is_damaged = variant.damaged.iter().any(|r| r.seed == run.seed);
                match recorded {
                    Some(recorded) if recorded.state != RunState::Unfinished => 0,
                    Some(recorded) => study.epochs.saturating_sub(recorded.epochs.len()),
                    None if is_damaged && !retrain_damaged => 0,
                    None => study.epochs,
                }
            });
            epochs as f64 * run.work
        });
        let estimate = Estimate::new(left.collect(), at_once);
        report::write(&record, out)?;
        Ok(Self {
            out,
            runs: runs.len(),
            epochs: Epochs {
                of: study.epochs,
                estimate: Arc::new(Mutex::new(estimate)),
                observer,
            },
            study,
            record,
            damaged: Vec::new(),
            failed: Vec::new(),
        })
    }

    /// Returns who is to be told of epochs.
    pub(super) fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// Tells that a run starts, or goes on after its last epoch.
    pub(super) fn started<M>(&self, run: &PlannedRun<M>) {
        self.tell(Event::Started {
            label: &run.label,
            number: run.index + 1,
            runs: self.runs,
        });
    }

    /// Tells that a run had ended before.
    pub(super) fn skipped<M>(&self, run: &PlannedRun<M>) {
        self.tell(Event::Skipped {
            label: &run.label,
            number: run.index + 1,
            runs: self.runs,
        });
    }

    /// Tells an event of a run as it is.
    pub(super) fn tell(&self, event: Event) {
        (self.epochs.observer)(event);
    }

    /// Leaves a run out, for damage or a failure.
    pub(super) fn left_out<M>(&mut self, run: &PlannedRun<M>, error: TrainError) {
        let (label, number, runs) = (run.label.as_str(), run.index + 1, self.runs);
        self.epochs.cancel(run.index);
        let event = match error {
            TrainError::DamagedRun { .. } => Event::Damaged {
                label,
                number,
                runs,
                error: &error,
            },
            _ => Event::Failed {
                label,
                number,
                runs,
                error: &error,
            },
        };
        self.tell(event);
        let label = label.to_owned();
        match error {
            TrainError::DamagedRun { path, cause } => {
                self.damaged.push(DamagedFolder { label, path, cause });
            }
            error => {
                let path = run.folder.clone();
                self.failed.push(FailedRun { label, path, error });
            }
        }
    }

    /// Returns whether a run has failed.
    pub(super) fn has_failures(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Writes results and report of what the runs have left up to now.
    ///
    /// # Errors
    ///
    /// Where that can't be written.
    pub(super) fn report(&mut self) -> Result<(), TrainError> {
        self.record = with_runs(self.study.clone(), self.out);
        report::write(&self.record, self.out)?;
        Ok(())
    }

    /// Returns the outcome.
    pub(super) fn finish(self) -> Outcome {
        Outcome {
            record: self.record,
            damaged: self.damaged,
            failed: self.failed,
        }
    }
}
