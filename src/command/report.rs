//! `xception report`.

use std::io::Write;

use anyhow::Result;
use xception::train::report;

use super::output;
use super::results::table;
use crate::arguments::ReportArguments;

/// Writes the report of an ablation again.
pub fn run(arguments: &ReportArguments) -> Result<()> {
    let record = report::read(&arguments.folder)?;
    let paths = report::write(&record, &arguments.folder)?;
    let mut output = output::notes();
    writeln!(output, "{}", table(&record))?;
    writeln!(output, "report: {}", paths.html.display())?;
    Ok(())
}
