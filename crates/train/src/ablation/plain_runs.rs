//! Runs that no ablation has asked for, as a record that reports are made from.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::settings::all_settings;
use super::study::{configured, origin, read_run};
use crate::TrainError;
use crate::files::file_error;
use crate::record::{AblationRecord, DamagedRun, RECORD_VERSION, RunRecord, VariantRecord};
use crate::training::{RunFolder, RunManifest};

/// The description of a run, without its model's type.
type Manifest = RunManifest<Value>;

/// Returns the run in a folder, or the runs of one configuration in its `seed-N` subfolders, as an ablation of one variant
/// without claims, named after the folder; `None` where there are none.
///
/// # Errors
///
/// Where the folder can't be read, or its runs differ in more than their seeds.
pub(super) fn read(folder: &Path) -> Result<Option<AblationRecord>, TrainError> {
    let runs = match manifest(folder) {
        Some(manifest) => vec![(folder.to_owned(), manifest)],
        None => runs_in(folder)?,
    };
    let Some((_, first)) = runs.first() else {
        return Ok(None);
    };
    let settings = all_settings(&first.config_value());
    if let Some((path, _)) = runs.iter().find(|(_, run)| !run.differs_by_seed(first)) {
        return Err(TrainError::damaged(
            path,
            "it is a run of another configuration or of other data than its neighbours: name the folder of each run",
        ));
    }
    let name = name(folder);
    let mut variant = VariantRecord {
        name: name.clone(),
        changes: Vec::new(),
        parameters: 0,
        multiply_adds: None,
        settings: configured(first),
        runs: Vec::new(),
        damaged: Vec::new(),
    };
    for (path, manifest) in &runs {
        let seed = manifest.seed;
        match read_run(path, seed, &manifest.asked(), 0) {
            Ok(Some(run)) => {
                variant.parameters = variant.parameters.max(run.parameters);
                variant.runs.push(RunRecord {
                    origin: Some(origin(manifest)),
                    ..run
                });
            }
            Ok(None) => {}
            Err(problem) => variant.damaged.push(DamagedRun { seed, problem }),
        }
    }
    for run in &mut variant.runs {
        run.parameters = variant.parameters; // of one that has no epoch yet
    }
    Ok(Some(AblationRecord {
        version: RECORD_VERSION,
        name: name.clone(),
        title: name.clone(),
        question: "Runs of one configuration.".to_owned(),
        settings,
        data: first.data.clone(),
        environment: first.environment.clone(),
        command: format!("xception report {}", folder.display()),
        seeds: runs.iter().map(|(_, manifest)| manifest.seed).collect(),
        epochs: first.config.recipe.epochs,
        base: name,
        variants: vec![variant],
        claims: Vec::new(),
    }))
}

fn manifest(folder: &Path) -> Option<Manifest> {
    RunFolder::manifest::<Value>(folder).ok()
}

/// Returns the runs in the subfolders `seed-N`, in the order of their seeds.
fn runs_in(folder: &Path) -> Result<Vec<(PathBuf, Manifest)>, TrainError> {
    let failed = |cause| file_error("read", folder, cause);
    let mut runs = Vec::new();
    if !folder.exists() {
        return Ok(runs);
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with("seed-") {
            runs.extend(manifest(&entry.path()).map(|manifest| (entry.path(), manifest)));
        }
    }
    runs.sort_by_key(|(_, manifest)| manifest.seed);
    Ok(runs)
}

/// Returns a run's name: its folder's, with the one above where that alone says which run it is.
fn name(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let of = |path: &Path| match path.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => "run".to_owned(),
    };
    match folder.parent() {
        Some(parent) if of(&folder).starts_with("seed-") => {
            format!("{}, {}", of(parent), of(&folder))
        }
        _ => of(&folder),
    }
}

impl Manifest {
    fn config_value(&self) -> Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    /// Returns whether another run is of the same configuration and data.
    fn differs_by_seed(&self, other: &Self) -> bool {
        self.config_value() == other.config_value() && self.data.sha256 == other.data.sha256
    }
}
