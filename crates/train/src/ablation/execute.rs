//! Running an ablation.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use burn::prelude::Device;

use super::estimate::Estimate;
use super::plan::{Plan, PlannedVariant};
use super::settings::shared_settings;
use crate::TrainError;
use crate::files::LockedFolder;
use crate::record::{
    AblationRecord, DataRecord, EnvironmentRecord, RECORD_VERSION, RunRecord, RunState,
    VariantRecord,
};
use crate::report;
use crate::training::{Display, Run, RunFolder, StopSignal};

/// Where and how an ablation runs.
pub struct Execution<'a> {
    /// The device, without autodiff.
    pub device: &'a Device,
    /// Name of the backend, for the record.
    pub backend: &'a str,
    /// What is shown of each run meanwhile.
    pub display: Display,
    /// What ends the ablation after a batch.
    pub stop: StopSignal,
    /// The command that repeats it, for the report.
    pub command: String,
    /// Is told what happens.
    pub observer: Arc<dyn Fn(Event) + Send + Sync>,
}

/// Something that happened in an ablation.
#[derive(Debug)]
pub enum Event<'a> {
    /// A run starts, or goes on after its last epoch.
    Started {
        /// Variant and seed.
        label: &'a str,
        /// Counts from 1 over the ablation's runs.
        number: usize,
        /// Number of runs of the ablation.
        runs: usize,
    },
    /// A run had ended before.
    Skipped {
        /// Variant and seed.
        label: &'a str,
        /// Counts from 1 over the ablation's runs.
        number: usize,
        /// Number of runs of the ablation.
        runs: usize,
    },
    /// An epoch ended.
    Epoch {
        /// Variant and seed.
        label: &'a str,
        /// The run so far.
        record: &'a RunRecord,
        /// Epochs of a run.
        epochs: usize,
        /// Estimated seconds until the whole ablation ends.
        seconds_left: f64,
    },
}

impl Execution<'_> {
    /// Trains all runs of the plan that have not ended yet, and writes the results after each.
    ///
    /// # Errors
    ///
    /// Where a folder can't be used or a run fails; what was done up to then stays, and the next call
    /// goes on from there.
    pub fn run(&self, plan: &Plan, out: &Path) -> Result<AblationRecord, TrainError> {
        let _lock = LockedFolder::open(out)?;
        self.check_folders(plan, out)?;
        let mut record = self.read_record(plan, out)?;
        let estimate = Arc::new(Mutex::new(planned_work(plan, &record)));
        report::write(&record, out)?;

        let mut number = 0;
        // Seed by seed, so that every variant has a result as soon as possible.
        for &seed in &plan.config.seeds {
            for (index, planned) in plan.variants.iter().enumerate() {
                number += 1;
                let label = format!("{}, seed {seed}", planned.variant.name);
                let folder = plan.run_folder(out, &planned.variant, seed);
                let ended = record.variants[index]
                    .runs
                    .iter()
                    .any(|run| run.seed == seed && run.state != RunState::Unfinished);
                let (text, runs) = (label.as_str(), plan.runs());
                (self.observer)(match ended {
                    true => Event::Skipped {
                        label: text,
                        number,
                        runs,
                    },
                    false => Event::Started {
                        label: text,
                        number,
                        runs,
                    },
                });
                // A run that has ended is opened too, and gives its record.
                let run = self.a_run(planned, seed, &label);
                let run = self.train(&run, planned, &folder, plan.epochs(), &estimate)?;
                insert(&mut record.variants[index].runs, run, &plan.config.seeds);
                report::write(&record, out)?;
            }
        }
        Ok(record)
    }

    /// Checks, before anything is written, that every run's folder has that run or none.
    fn check_folders(&self, plan: &Plan, out: &Path) -> Result<(), TrainError> {
        for planned in &plan.variants {
            for &seed in &plan.config.seeds {
                let manifest = self.a_run(planned, seed, "").manifest()?;
                let folder = plan.run_folder(out, &planned.variant, seed);
                RunFolder::check(&folder, &manifest)?;
            }
        }
        Ok(())
    }

    fn a_run<'a>(&'a self, planned: &'a PlannedVariant, seed: u64, label: &'a str) -> Run<'a> {
        Run {
            config: &planned.variant.config,
            data: &planned.data,
            seed,
            device: self.device,
            backend: self.backend,
            display: self.display,
            stop: self.stop.clone(),
            label,
        }
    }

    fn train(
        &self,
        run: &Run,
        planned: &PlannedVariant,
        folder: &Path,
        epochs: usize,
        estimate: &Arc<Mutex<Estimate>>,
    ) -> Result<RunRecord, TrainError> {
        let (observer, estimate) = (self.observer.clone(), estimate.clone());
        let (work, name) = (planned.work(), run.label.to_owned());
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

    /// The record as the run folders have it.
    fn read_record(&self, plan: &Plan, out: &Path) -> Result<AblationRecord, TrainError> {
        let config = &plan.config;
        let mut variants = Vec::new();
        let mut varied = Vec::new();
        for planned in &plan.variants {
            let mut runs = Vec::new();
            for &seed in &config.seeds {
                let folder = plan.run_folder(out, &planned.variant, seed);
                runs.extend(RunFolder::read_record(&folder)?);
            }
            let changes = &planned.variant.changes;
            varied.extend(changes.iter().map(|(path, _)| path.clone()));
            variants.push(VariantRecord {
                name: planned.variant.name.clone(),
                changes: changes.clone(),
                parameters: planned.parameters,
                multiply_adds: planned.multiply_adds,
                runs,
            });
        }
        let base = &plan.variants[0].variant; // never empty, as the configuration checked
        Ok(AblationRecord {
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
        })
    }
}

/// The work that the record doesn't have yet.
fn planned_work(plan: &Plan, record: &AblationRecord) -> Estimate {
    let mut estimate = Estimate::default();
    for (planned, variant) in plan.variants.iter().zip(&record.variants) {
        for seed in &plan.config.seeds {
            let run = variant.runs.iter().find(|run| run.seed == *seed);
            let left = match run {
                Some(run) if run.state != RunState::Unfinished => 0,
                Some(run) => plan.epochs().saturating_sub(run.epochs.len()),
                None => plan.epochs(),
            };
            estimate.plan(left as f64 * planned.work());
        }
    }
    estimate
}

/// Puts a run in its place among the runs of its variant, which stay in the order of the seeds.
fn insert(runs: &mut Vec<RunRecord>, run: RunRecord, seeds: &[u64]) {
    runs.retain(|other| other.seed != run.seed);
    runs.push(run);
    let place = |run: &RunRecord| seeds.iter().position(|seed| *seed == run.seed);
    runs.sort_by_key(place);
}
