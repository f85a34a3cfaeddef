//! What an ablation's folder says: what was asked, and what each run has left.

use std::path::{Path, PathBuf};

use burn::prelude::Device;
use serde::Deserialize;
use serde_json::Value;

use super::plain_runs;
use super::plan::Plan;
use super::settings::{all_settings, shared_settings};
use crate::TrainError;
use crate::config::variant_folders;
use crate::files::{read_json, write_json};
use crate::network::NetworkConfig;
use crate::record::layout::{JSON_FILE, STUDY};
use crate::record::{
    AblationRecord, Asked, DamagedRun, DataRecord, EnvironmentRecord, RECORD_VERSION, RunOrigin,
    RunRecord, RunState, VariantRecord,
};
use crate::report::{self, ReportError};
use crate::training::{RunFolder, RunManifest};

/// Returns the record of the ablation in a folder, put together from the records of its runs. Nothing is written or
/// locked, so the ablation may be under way. A run that was trained by itself, or several in folders `seed-N` side by side, are
/// an ablation of one variant.
///
/// A run whose record can't be used is among the [damaged](VariantRecord::damaged). A folder that has a report but no
/// run gives what the report was made from; `warn` is told.
///
/// # Errors
///
/// Where the folder has neither an ablation nor a run, or what was asked can't be read.
pub fn read(folder: &Path, warn: &dyn Fn(&str)) -> Result<AblationRecord, TrainError> {
    let file = folder.join(STUDY);
    if !file.exists()
        && let Some(record) = plain_runs::read(folder)?
    {
        return Ok(record);
    }
    let asked = match file.exists() {
        true => read_study(&file)?,
        // Of an earlier version, or a report by itself.
        false if !folder.join(JSON_FILE).exists() => {
            return Err(TrainError::NoAblation {
                path: folder.to_owned(),
            });
        }
        false => report::read(folder)?,
    };
    let record = with_runs(asked, folder);
    let is_empty = |variant: &VariantRecord| variant.runs.is_empty() && variant.damaged.is_empty();
    if record.variants.iter().all(is_empty)
        && let Ok(written) = report::read(folder)
        && !written.variants.iter().all(is_empty)
    {
        warn(&format!(
            "{} has no folders of runs: the report is made from {}, as it was written last",
            folder.display(),
            JSON_FILE
        ));
        return Ok(written);
    }
    Ok(record)
}

/// Returns what is asked, a record without runs.
pub(super) fn describe<M: NetworkConfig>(
    plan: &Plan<M>,
    backend: &str,
    device: &Device,
    command: &str,
) -> AblationRecord {
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
        environment: EnvironmentRecord::new(backend, device),
        command: command.to_owned(),
        seeds: config.seeds.clone(),
        epochs: plan.epochs(),
        base: base.name.clone(),
        variants,
        claims: config.claims.clone(),
    }
}

/// Writes what was asked.
pub(super) fn write_study(study: &AblationRecord, folder: &Path) -> Result<(), TrainError> {
    write_json(&folder.join(STUDY), study)
}

fn read_study(file: &Path) -> Result<AblationRecord, TrainError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let with_remedy = |error| match error {
        TrainError::Damaged { path, cause } => TrainError::Damaged {
            path,
            cause: format!("{cause}; start the ablation again, which writes the file anew"),
        },
        other => other,
    };
    // Its version comes first: a record of another version may not even have the same fields.
    let Version { version: found } = read_json(file).map_err(with_remedy)?;
    if found != RECORD_VERSION {
        let expected = RECORD_VERSION;
        return Err(ReportError::Version { found, expected }.into());
    }
    let record: AblationRecord = read_json(file).map_err(with_remedy)?;
    report::validate(&record)?;
    Ok(record)
}

/// Returns the record with its runs as their folders have them now, and with what their descriptions say.
pub(super) fn with_runs(mut record: AblationRecord, folder: &Path) -> AblationRecord {
    let asked: Vec<_> = record.variants.iter().map(|v| record.asked(v)).collect();
    let folders = variant_folders(record.variants.iter().map(|variant| variant.name.as_str()));
    let variants = record.variants.iter_mut().zip(&asked).zip(&folders);
    for ((variant, asked), variant_folder) in variants {
        (variant.runs, variant.damaged) = (Vec::new(), Vec::new());
        variant.settings = Vec::new();
        for &seed in &record.seeds {
            let run = run_folder(folder, variant_folder, seed);
            let manifest = RunFolder::manifest::<Value>(&run).ok();
            match read_run(&run, seed, asked, variant.parameters) {
                Ok(run) => variant.runs.extend(run.map(|run| RunRecord {
                    origin: manifest.as_ref().map(origin),
                    ..run
                })),
                Err(problem) => variant.damaged.push(DamagedRun { seed, problem }),
            }
            // All runs of a variant have the same.
            if let Some(manifest) = manifest.filter(|_| variant.settings.is_empty()) {
                variant.settings = configured(&manifest);
            }
        }
    }
    record
}

/// Returns the code and the data of a run.
pub(super) fn origin(manifest: &RunManifest<Value>) -> RunOrigin {
    RunOrigin {
        versions: manifest.environment.versions.clone(),
        program_sha256: manifest.environment.program_sha256.clone(),
        data_sha256: manifest.data.sha256.clone(),
    }
}

/// Returns every value of a run's configuration.
pub(super) fn configured(manifest: &RunManifest<Value>) -> Vec<(String, String)> {
    serde_json::to_value(&manifest.config)
        .map_or_else(|_| Vec::new(), |config| all_settings(&config))
}

/// Returns the folder of the run with a seed, of the variant whose folder has this name.
pub(super) fn run_folder(folder: &Path, variant: &str, seed: u64) -> PathBuf {
    folder.join(variant).join(format!("seed-{seed}"))
}

/// Returns what a run has left, `None` where it hasn't started, or else what is wrong with it.
pub(super) fn read_run(
    folder: &Path,
    seed: u64,
    asked: &Asked,
    parameters: u64,
) -> Result<Option<RunRecord>, String> {
    if !RunFolder::has_results(folder) {
        let first_epoch = || RunRecord {
            version: RECORD_VERSION,
            seed,
            state: RunState::Unfinished,
            parameters,
            epochs: Vec::new(),
            network_sha256: None,
            divergence: None,
            origin: None,
        };
        return Ok(RunFolder::manifest::<Value>(folder)
            .is_ok()
            .then(first_epoch));
    }
    let record = RunFolder::read_record(folder).map_err(|error| match error {
        // Without the folder, so that a report that is moved with its runs stays the same.
        TrainError::Damaged { path, cause } => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            format!("{name} can't be used: {cause}")
        }
        TrainError::File {
            action,
            path,
            cause,
        } => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            format!("can't {action} {name}: {cause}")
        }
        other => other.to_string(),
    })?;
    match record {
        Some(record) if record.seed != seed => Err(format!("it has seed {}", record.seed)),
        Some(record) => match record.problem(asked) {
            Some(problem) => Err(format!("the run {problem}")),
            None => Ok(Some(record)),
        },
        None => Ok(None),
    }
}
