//! What can go wrong with a report.

use std::path::PathBuf;

/// Why a report could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The records were written by another version of the program.
    #[error(
        "the records have layout version {found}, this program reads version {expected}: \
         make the report with the program that made the records, or run the ablation again"
    )]
    Version {
        /// The version that was found.
        found: u32,
        /// The version this program knows.
        expected: u32,
    },

    /// A variant is named that the record does not hold.
    #[error("{place} names the variant `{name}`, which is not one of: {}", .known.join(", "))]
    UnknownVariant {
        /// Who names it, such as `claim 2`.
        place: String,
        /// The name.
        name: String,
        /// The variants of the record.
        known: Vec<String>,
    },

    /// Two variants have one name.
    #[error("two variants are named `{name}`: rename one of them")]
    DuplicateVariant {
        /// The name.
        name: String,
    },

    /// A claim compares a variant with itself.
    #[error("claim {claim} compares `{name}` with itself: name two variants")]
    SelfComparison {
        /// Counts from 1.
        claim: usize,
        /// The variant.
        name: String,
    },

    /// The runs of a variant do not fit the seeds or the epochs of the ablation.
    #[error(
        "the run of variant `{variant}` with seed {seed} {problem}: start the ablation again with --retrain damaged"
    )]
    Run {
        /// The variant.
        variant: String,
        /// The seed.
        seed: u64,
        /// The problem.
        problem: String,
    },

    /// Nothing is given to compare.
    #[error("there is no study to compare: name the folder of an ablation")]
    NoStudy,

    /// Two ablations that are to be compared have other images.
    #[error(
        "`{first}` and `{second}` have different data: {first_data}, and {second_data}. Accuracies on different images say \
         nothing about networks; compare studies whose reports give the same SHA-256 of the data"
    )]
    DifferentData {
        /// Name of one ablation.
        first: String,
        /// Name of its data.
        first_data: String,
        /// Name of the other.
        second: String,
        /// Name of the other's data.
        second_data: String,
    },

    /// A folder could not be made.
    #[error(
        "can't make the folder {}: check that the path is right and may be written",
        path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },

    /// A file could not be written.
    #[error(
        "can't write {}: check that there is space left and that its folder may be written",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },

    /// A file could not be read.
    #[error("can't read {}: check that the folder is one that holds a report", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },

    /// A file is not what a report leaves.
    #[error(
        "{} does not hold the results of an ablation: restore it, or start the ablation again",
        path.display()
    )]
    Parse {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },

    /// The results could not be put into a text format.
    #[error("can't write the results as {format}")]
    Format {
        /// Such as `JSON`.
        format: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A chart could not be drawn.
    #[error("can't draw the chart `{chart}`: {cause}")]
    Chart {
        /// The chart.
        chart: String,
        /// The cause, as the drawing library gives it.
        cause: String,
    },
}
