//! The command `xception report`.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use xception::train::numbers::counted;
use xception::train::record::AblationRecord;
use xception::train::report::Comparison;
use xception::train::training::warn;
use xception::train::{ablation, report};

use super::output;
use crate::arguments::ReportArguments;
use crate::terminal::{escaped_lines, escaped_path};

/// Writes the report of an ablation again, from the records of its runs, or one page of several ablations.
pub fn run(arguments: &ReportArguments) -> Result<()> {
    match arguments.folders.as_slice() {
        [folder] => one(folder, arguments.out.as_deref().unwrap_or(folder)),
        folders => several(folders, arguments.comparison_folder()),
    }
}

fn one(folder: &Path, out: &Path) -> Result<()> {
    let record = ablation::read(folder, &warn)?;
    let damaged = tell_damaged(&record);
    let paths = report::write(&record, out)?;
    let mut output = output::notes();
    writeln!(output, "{}", escaped_lines(&report::table(&record)))?;
    let claims = report::claims(&record);
    if !claims.is_empty() {
        writeln!(output, "\n{}\n", escaped_lines(&claims))?;
    }
    writeln!(output, "report: {}", escaped_path(&paths.html))?;
    ensure_none_damaged(damaged, record.variants.len() * record.seeds.len())
}

fn several(folders: &[PathBuf], out: &Path) -> Result<()> {
    let mut seen: HashMap<PathBuf, &PathBuf> = HashMap::new();
    for folder in folders {
        // What isn't there is told when it is read.
        let Ok(place) = folder.canonicalize() else {
            continue;
        };
        if let Some(before) = seen.insert(place, folder) {
            bail!(
                "{} and {} are the same folder: name each study once",
                before.display(),
                folder.display()
            );
        }
    }
    let mut records = Vec::new();
    let (mut damaged, mut runs) = (0, 0);
    for folder in folders {
        let record = ablation::read(folder, &warn)?;
        damaged += tell_damaged(&record);
        runs += record.variants.len() * record.seeds.len();
        let name = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let name = name.file_name().unwrap_or(folder.as_os_str());
        records.push((name.to_string_lossy().into_owned(), record));
    }
    let comparison = Comparison::of(records)?;
    let page = report::write_comparison(&comparison, out)?;
    let mut output = output::notes();
    let table = report::comparison_table(&comparison);
    writeln!(output, "{}\n", escaped_lines(&table))?;
    for study in &comparison.studies {
        let claims = report::claims(&study.record);
        if !claims.is_empty() {
            writeln!(
                output,
                "{}",
                escaped_lines(&format!("{}: {claims}\n", study.label))
            )?;
        }
    }
    writeln!(output, "report: {}", escaped_path(&page))?;
    ensure_none_damaged(damaged, runs)
}

/// Warns of every run that is damaged, and returns how many there are.
fn tell_damaged(record: &AblationRecord) -> usize {
    let mut damaged = 0;
    for variant in &record.variants {
        for run in &variant.damaged {
            damaged += 1;
            let (name, seed) = (&variant.name, run.seed);
            warn(&format!(
                "{name}, seed {seed} is damaged and left out: {}",
                run.problem
            ));
        }
    }
    damaged
}

fn ensure_none_damaged(damaged: usize, runs: usize) -> Result<()> {
    ensure!(
        damaged == 0,
        "{damaged} of {} can't be read; to train what is damaged again, start the ablation again with --retrain damaged",
        counted(runs, "run")
    );
    Ok(())
}
