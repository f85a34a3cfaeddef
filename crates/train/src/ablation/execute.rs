//! Running an ablation.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use burn::prelude::Device;

use super::estimate::Estimate;
use super::event::{Event, show};
use super::plan::{Plan, PlannedVariant};
use super::settings::shared_settings;
use super::study::{with_runs, write_study};
use crate::TrainError;
use crate::files::LockedFolder;
use crate::network::NetworkConfig;
use crate::record::{
    AblationRecord, DataRecord, EnvironmentRecord, RECORD_VERSION, RunRecord, RunState,
    VariantRecord,
};
use crate::report;
use crate::training::{Display, Run, RunFolder, RunStatus, StopSignal};

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
    /// Is told what happens.
    pub observer: Arc<dyn Fn(Event) + Send + Sync>,
}

/// The outcome of an ablation.
#[derive(Debug)]
pub struct Outcome {
    /// The results of all runs.
    pub record: AblationRecord,
    /// Runs that were left out.
    pub damaged: Vec<DamagedFolder>,
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

impl<'a> Execution<'a> {
    /// Describes an ablation on a device of the backend of this name, that tells what happens on standard error and leaves
    /// damaged runs out: fields that are to be otherwise can be set.
    pub fn new(device: &'a Device, backend: &'a str) -> Self {
        Self {
            device,
            backend,
            display: Display::Lines,
            stop: StopSignal::new(),
            command: String::new(),
            retrain_damaged: false,
            observer: Arc::new(|event| show(&event, Display::Lines)),
        }
    }

    /// Trains all runs of the plan that have not ended yet, and writes the results after each. A run whose files
    /// are damaged is left out, unless it is to be [trained again](Self::retrain_damaged).
    ///
    /// # Errors
    ///
    /// Where a folder can't be used or a run fails; what was done up to then stays, and the next call
    /// goes on from there.
    pub fn run<M: NetworkConfig>(&self, plan: &Plan<M>, out: &Path) -> Result<Outcome, TrainError> {
        let _lock = LockedFolder::open(out)?;
        self.check_folders(plan, out)?;
        let study = self.study(plan);
        write_study(&study, out)?;
        let mut record = with_runs(study.clone(), out);
        let estimate = self.planned_work(plan, &record);
        let estimate = Arc::new(Mutex::new(estimate));
        report::write(&record, out)?;

        let mut damaged = Vec::new();
        let (mut number, runs) = (0, plan.runs());
        // Seed by seed, so that every variant has a result as soon as possible.
        for &seed in &plan.config.seeds {
            for planned in &plan.variants {
                number += 1;
                let label = format!("{}, seed {seed}", planned.variant.name);
                let label = label.as_str();
                let folder = plan.run_folder(out, &planned.variant, seed);
                let status = RunStatus::of(&folder);
                let ended = match &status {
                    RunStatus::Ended(_) => true,
                    RunStatus::WithoutNetwork(_) => !self.retrain_damaged,
                    _ => false,
                };
                match &status {
                    _ if ended => (self.observer)(Event::Skipped {
                        label,
                        number,
                        runs,
                    }),
                    RunStatus::Damaged { .. } if !self.retrain_damaged => {}
                    _ => (self.observer)(Event::Started {
                        label,
                        number,
                        runs,
                    }),
                }
                let warn = |text: &str| (self.observer)(Event::Warning { label, text });
                // A run that has ended is opened too, in case its checkpoint is still there.
                let run = self.a_run(planned, seed, label, &warn);
                match self.train(&run, plan.work(planned), &folder, plan.epochs(), &estimate) {
                    Ok(_) if ended => continue,
                    Ok(_) => {}
                    Err(error @ TrainError::DamagedRun { .. }) => {
                        (self.observer)(Event::Damaged {
                            label,
                            number,
                            runs,
                            error: &error,
                        });
                        if let TrainError::DamagedRun { path, cause } = error {
                            let label = label.to_owned();
                            damaged.push(DamagedFolder { label, path, cause });
                        }
                    }
                    Err(error) => {
                        // The error comes first; the report can be made again from the records.
                        let _ = report::write(&with_runs(study, out), out);
                        return Err(error);
                    }
                }
                record = with_runs(study.clone(), out);
                report::write(&record, out)?;
            }
        }
        Ok(Outcome { record, damaged })
    }

    /// Checks, before anything is written, that every run's folder has that run or none.
    fn check_folders<M: NetworkConfig>(
        &self,
        plan: &Plan<M>,
        out: &Path,
    ) -> Result<(), TrainError> {
        for planned in &plan.variants {
            for &seed in &plan.config.seeds {
                let manifest = self.a_run(planned, seed, "", &|_| ()).manifest()?;
                let folder = plan.run_folder(out, &planned.variant, seed);
                RunFolder::check(&folder, &manifest)?;
            }
        }
        Ok(())
    }

    fn a_run<'r, M>(
        &'r self,
        planned: &'r PlannedVariant<M>,
        seed: u64,
        label: &'r str,
        warn: &'r (dyn Fn(&str) + Sync),
    ) -> Run<'r, M> {
        Run {
            config: &planned.variant.config,
            data: &planned.data,
            seed,
            device: self.device,
            backend: self.backend,
            display: self.display,
            stop: self.stop.clone(),
            label,
            retrain_damaged: self.retrain_damaged,
            warn,
        }
    }

    fn train<M: NetworkConfig>(
        &self,
        run: &Run<M>,
        work: f64,
        folder: &Path,
        epochs: usize,
        estimate: &Arc<Mutex<Estimate>>,
    ) -> Result<RunRecord, TrainError> {
        let (observer, estimate) = (self.observer.clone(), estimate.clone());
        let name = run.label.to_owned();
        run.train(folder, move |record| {
            let mut estimate = estimate.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(epoch) = record.epochs.last() {
                estimate.done(work, epoch.train_seconds + epoch.test_seconds);
                if record.state == RunState::Diverged {
                    estimate.cancel(work * (epochs - epoch.epoch) as f64);
                }
            }
            observer(Event::Epoch {
                label: &name,
                record,
                epochs,
                seconds_left: estimate.seconds_left().unwrap_or_default(),
            });
        })
    }

    /// Returns what is asked, a record without runs.
    fn study<M: NetworkConfig>(&self, plan: &Plan<M>) -> AblationRecord {
        let config = &plan.config;
        let mut variants = Vec::new();
        let mut varied = Vec::new();
        for planned in &plan.variants {
            let changes = &planned.variant.changes;
            varied.extend(changes.iter().map(|(path, _)| path.clone()));
            variants.push(VariantRecord {
                name: planned.variant.name.clone(),
                changes: changes.clone(),
                parameters: planned.size.parameters,
                multiply_adds: planned.size.multiply_adds,
                settings: Vec::new(),
                runs: Vec::new(),
                damaged: Vec::new(),
            });
        }
        let base = &plan.variants[0].variant; // never empty, as the configuration checked
        AblationRecord {
            version: RECORD_VERSION,
            name: config.name.clone(),
            title: config.title.clone(),
            question: config.question.clone(),
            settings: shared_settings(&base.config, &varied),
            data: DataRecord::new(&plan.variants[0].data),
            environment: EnvironmentRecord::new(self.backend, self.device),
            command: self.command.clone(),
            seeds: config.seeds.clone(),
            epochs: plan.epochs(),
            base: base.name.clone(),
            variants,
            claims: config.claims.clone(),
        }
    }

    /// Returns the work that the record doesn't have yet.
    fn planned_work<M: NetworkConfig>(&self, plan: &Plan<M>, record: &AblationRecord) -> Estimate {
        let mut estimate = Estimate::default();
        for (planned, variant) in plan.variants.iter().zip(&record.variants) {
            for seed in &plan.config.seeds {
                let run = variant.runs.iter().find(|run| run.seed == *seed);
                let is_damaged = variant.damaged.iter().any(|run| run.seed == *seed);
                let left = match run {
                    Some(run) if run.state != RunState::Unfinished => 0,
                    Some(run) => plan.epochs().saturating_sub(run.epochs.len()),
                    None if is_damaged && !self.retrain_damaged => 0,
                    None => plan.epochs(),
                };
                estimate.plan(left as f64 * plan.work(planned));
            }
        }
        estimate
    }
}
