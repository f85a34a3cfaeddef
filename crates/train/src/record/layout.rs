//! The names of the files in an ablation's folder.

/// The page of the report.
pub(crate) const HTML_FILE: &str = "report.html";
/// The report in Markdown.
pub(crate) const MARKDOWN_FILE: &str = "report.md";
/// The record, and all that the report computed from it.
pub(crate) const JSON_FILE: &str = "results.json";
/// Every epoch of every run.
pub(crate) const CSV_FILE: &str = "results.csv";
/// The page of several ablations, in a folder of any name.
pub(crate) const COMPARISON_HTML_FILE: &str = "comparison.html";
/// The records that the page of several ablations is made of.
pub(crate) const COMPARISON_JSON_FILE: &str = "comparison.json";
/// The charts that the report in Markdown shows.
pub(crate) const CHART_FOLDER: &str = "charts";
/// The question: an [`AblationRecord`](super::AblationRecord) without runs, written when the ablation starts.
pub(crate) const STUDY: &str = "ablation.json";

/// All names that an ablation's folder has beside the folders of the variants.
pub(crate) const FILES: [&str; 6] = [
    HTML_FILE,
    MARKDOWN_FILE,
    JSON_FILE,
    CSV_FILE,
    CHART_FOLDER,
    STUDY,
];
