//! The report of an ablation: a page, its Markdown twin, and the numbers behind them.
//!
//! [`write()`] makes all of it from an [`AblationRecord`] and nothing else, [`read()`] gives the
//! record of a written report back. A report made again from its own `results.json` is the same,
//! byte for byte.
//!
//! ```text
//! report.html      one page that needs nothing else
//! report.md        the same in Markdown
//! charts/          the charts that report.md shows
//! results.json     the records, and what the report computed from them
//! results.csv      every epoch of every run
//! ```
//!
//! [`write_comparison()`] makes one page of several, from a [`Comparison`].

mod charts;
mod claim_table;
pub mod comparison;
mod confusion;
mod definitions;
pub mod divergence;
mod error;
mod files;
mod format;
pub mod front;
pub mod grid;
mod html;
mod judgement;
mod markdown;
mod measure;
mod notes;
pub mod pairs;
mod reason;
mod rows;
mod runs;
mod settings;
#[cfg(test)]
mod simulation;
pub mod statistics;
pub mod summary;
mod table;
mod text;
mod validate;
pub mod verdict;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use comparison::Comparison;
pub use error::ReportError;
pub use notes::runs_cell;
pub use summary::Summary;
pub use text::{claims, comparison_table, table};
pub use validate::validate;
pub use verdict::{ClaimVerdict, Verdict, verdicts};

use crate::record::AblationRecord;
use crate::record::layout::{
    CHART_FOLDER, COMPARISON_HTML_FILE, COMPARISON_JSON_FILE, CSV_FILE, HTML_FILE, JSON_FILE,
    MARKDOWN_FILE,
};

/// The files of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPaths {
    /// The page.
    pub html: PathBuf,
    /// The same in Markdown.
    pub markdown: PathBuf,
    /// The records, with the summary and the verdicts.
    pub json: PathBuf,
    /// Every epoch of every run.
    pub csv: PathBuf,
    /// The charts as files of their own; none before the first epoch.
    pub charts: Vec<PathBuf>,
}

/// What `results.json` holds.
#[derive(Serialize)]
struct Results<'a> {
    record: &'a AblationRecord,
    summary: &'a Summary,
    verdicts: &'a [ClaimVerdict],
}

/// Writes the report of `record` into `folder`, which is made if it is not there.
///
/// The record may be incomplete: the report says what is missing. Each file is written beside its
/// place and then moved there, `results.json` first.
///
/// # Errors
///
/// If the record does not hold together (see [`validate()`]), or a file can't be written.
pub fn write(record: &AblationRecord, folder: &Path) -> Result<ReportPaths, ReportError> {
    validate(record)?;
    let summary = Summary::of(record);
    let verdicts = verdicts(record);
    let drawn = charts::Charts::of(record, &summary)?;
    let results = Results {
        record,
        summary: &summary,
        verdicts: &verdicts,
    };
    let json = serde_json::to_string_pretty(&results).map_err(|cause| ReportError::Format {
        format: "JSON",
        source: cause.into(),
    })?;

    let chart_folder = folder.join(CHART_FOLDER);
    files::make_folder(&chart_folder)?;
    let mut paths = ReportPaths {
        html: folder.join(HTML_FILE),
        markdown: folder.join(MARKDOWN_FILE),
        json: folder.join(JSON_FILE),
        csv: folder.join(CSV_FILE),
        charts: Vec::new(),
    };
    files::write_whole(&paths.json, &(json + "\n"))?;
    files::write_whole(&paths.csv, &rows::to_csv(record)?)?;
    for chart in drawn.iter() {
        let path = chart_folder.join(chart.stem).with_extension("svg");
        files::write_whole(&path, &chart.standalone())?;
        paths.charts.push(path);
    }
    let markdown = markdown::to_markdown(record, &summary, &verdicts, &drawn, CHART_FOLDER);
    files::write_whole(&paths.markdown, &markdown)?;
    let html = html::to_html(record, &summary, &verdicts, &drawn);
    files::write_whole(&paths.html, &html)?;
    Ok(paths)
}

/// Writes the page of several ablations, and their records, into `folder`, which is made if it is not there. Returns the path of
/// the page.
///
/// # Errors
///
/// If a file can't be written.
pub fn write_comparison(comparison: &Comparison, folder: &Path) -> Result<PathBuf, ReportError> {
    let drawn = charts::Charts::of(&comparison.record, &comparison.summary)?;
    let json = serde_json::to_string_pretty(comparison).map_err(|cause| ReportError::Format {
        format: "JSON",
        source: cause.into(),
    })?;
    files::make_folder(folder)?;
    files::write_whole(&folder.join(COMPARISON_JSON_FILE), &(json + "\n"))?;
    let page = folder.join(COMPARISON_HTML_FILE);
    files::write_whole(&page, &html::comparison_to_html(comparison, &drawn))?;
    Ok(page)
}

/// Reads the record of the report in `folder`, to make the report again or to compare it.
///
/// # Errors
///
/// If there is no `results.json`, or it is not one that this version of the program can read.
pub fn read(folder: &Path) -> Result<AblationRecord, ReportError> {
    let path = folder.join(JSON_FILE);
    let content = std::fs::read_to_string(&path).map_err(|source| ReportError::Read {
        path: path.clone(),
        source,
    })?;
    parse(&content).map_err(|cause| match cause {
        ParseError::Json(source) => ReportError::Parse { path, source },
        ParseError::Report(error) => error,
    })
}

enum ParseError {
    Json(serde_json::Error),
    Report(ReportError),
}

impl From<serde_json::Error> for ParseError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

/// Returns the record of `results.json`. Its version comes first: a record of another version may not even
/// have the same fields.
fn parse(content: &str) -> Result<AblationRecord, ParseError> {
    #[derive(Deserialize)]
    struct File<T> {
        record: T,
    }
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let File::<Version> { record } = serde_json::from_str(content)?;
    validate::validate_version(record.version).map_err(ParseError::Report)?;
    let File::<AblationRecord> { record } = serde_json::from_str(content)?;
    validate(&record).map_err(ParseError::Report)?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::record::synthetic;

    fn contents(paths: &ReportPaths) -> BTreeMap<String, String> {
        let files = [&paths.html, &paths.markdown, &paths.json, &paths.csv];
        files
            .into_iter()
            .chain(&paths.charts)
            .map(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect()
    }

    #[test]
    fn a_report_made_again_is_the_same() {
        for record in synthetic::all() {
            let folder = tempfile::tempdir().unwrap();
            let first = write(&record, &folder.path().join("first")).unwrap();
            let again = read(&folder.path().join("first")).unwrap();
            let second = write(&again, &folder.path().join("second")).unwrap();
            assert_eq!(contents(&first), contents(&second));
        }
    }

    #[test]
    fn a_record_that_does_not_hold_together_writes_nothing() {
        let mut record = synthetic::complete();
        record.claims[0].better = "missing".to_owned();
        let folder = tempfile::tempdir().unwrap();
        let error = write(&record, folder.path()).unwrap_err();
        assert!(matches!(error, ReportError::UnknownVariant { .. }));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(JSON_FILE);
        assert!(matches!(
            read(folder.path()),
            Err(ReportError::Read { path: named, .. }) if named == path
        ));
        fs::write(&path, "{}").unwrap();
        assert!(matches!(
            read(folder.path()),
            Err(ReportError::Parse { .. })
        ));
        fs::write(&path, r#"{"record": {"version": 99}}"#).unwrap();
        assert!(matches!(
            read(folder.path()),
            Err(ReportError::Version { found: 99, .. })
        ));
    }

    /// `REPORT_PREVIEW=folder cargo test` leaves the reports there to be looked at.
    #[test]
    fn every_kind_of_record_gives_a_report() {
        let temporary = tempfile::tempdir().unwrap();
        let preview = std::env::var_os("REPORT_PREVIEW").map(PathBuf::from);
        let folder = preview.as_deref().unwrap_or(temporary.path());
        for (name, record) in &synthetic::named() {
            let paths = write(record, &folder.join(name)).unwrap();
            for (file, content) in contents(&paths) {
                assert!(!content.is_empty(), "{name}/{file}");
            }
            let charts = match *name {
                "none" => 0,
                "labelled" => 9, // with the average precision
                _ => 8,
            };
            assert_eq!(paths.charts.len(), charts, "{name}");
        }
        let scores = synthetic::complete().variants[0].runs[0].epochs[0].test;
        let paths = synthetic::confusion().write(&scores, &folder.join("confusion"));
        let picture = fs::read_to_string(&paths.unwrap()[2]).unwrap();
        assert!(picture.contains("others") && picture.contains("no prediction"));
    }
}
