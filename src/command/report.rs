//! `xception report`.

use std::io::Write;

use anyhow::Result;
use xception::train::report;

use super::results::table;
use crate::arguments::ReportArguments;
use crate::terminal::{escaped_lines, escaped_path};

/// Writes the report of an ablation again.
pub fn run(arguments: &ReportArguments) -> Result<()> {
    let record = report::read(&arguments.folder)?;
    let paths = report::write(&record, &arguments.folder)?;
    let mut output = std::io::stdout();
    writeln!(output, "{}", escaped_lines(&table(&record)))?;
    writeln!(output, "report: {}", escaped_path(&paths.html))?;
    Ok(())
}
