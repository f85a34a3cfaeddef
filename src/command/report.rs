//! The command `xception report`.

use std::io::Write;

use anyhow::Result;
use xception::train::numbers::counted;
use xception::train::training::warn;
use xception::train::{ablation, report};

use super::output;
use crate::arguments::ReportArguments;
use crate::terminal::{escaped_lines, escaped_path};

/// Writes the report of an ablation again, from the records of its runs.
pub fn run(arguments: &ReportArguments) -> Result<()> {
    let record = ablation::read(&arguments.folder, &warn)?;
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
    let paths = report::write(&record, &arguments.folder)?;
    let mut output = output::notes();
    writeln!(output, "{}", escaped_lines(&report::table(&record)))?;
    let claims = report::claims(&record);
    if !claims.is_empty() {
        writeln!(output, "\n{}\n", escaped_lines(&claims))?;
    }
    writeln!(output, "report: {}", escaped_path(&paths.html))?;
    let runs = record.variants.len() * record.seeds.len();
    anyhow::ensure!(
        damaged == 0,
        "{damaged} of {} can't be read; to train what is damaged again, start the ablation again with --retrain damaged",
        counted(runs, "run")
    );
    Ok(())
}
