//! The files that a confusion matrix is written to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::charts::confusion::draw;
use super::{ReportError, files};
use crate::record::{Confusion, Scores};

const SCORES_FILE: &str = "scores.json";
const CSV_FILE: &str = "confusion.csv";
const CHART_FILE: &str = "confusion.svg";
/// Heads the column of the images without a prediction.
pub(super) const NO_PREDICTION: &str = "no prediction";

/// The content of `scores.json`.
#[derive(Serialize)]
struct ScoresFile<'a> {
    scores: &'a Scores,
    classes: Vec<ClassScores<'a>>,
}

/// One class in `scores.json`.
#[derive(Serialize)]
struct ClassScores<'a> {
    name: &'a str,
    images: u64,
    /// Fraction of its images that were recognized, 0 to 1.
    top1: f64,
}

impl Confusion {
    /// Writes the matrix as CSV: rows of classes that have images, columns of classes that have images or were guessed, with a first
    /// row and a first column of their names; images without a prediction have the last column, where there
    /// are any.
    ///
    /// # Errors
    ///
    /// Where the names can't be written.
    pub fn to_csv(&self) -> Result<String, ReportError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| ReportError::Format {
            format: "CSV",
            source,
        };
        let rows = self.rows();
        let guesses = self.counts.keys().filter_map(|(_, guess)| *guess);
        let columns: BTreeSet<_> = rows.iter().copied().chain(guesses).collect();
        let unpredicted = self.has_unpredicted().then_some(None);
        let columns: Vec<_> = columns.into_iter().map(Some).chain(unpredicted).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = columns.iter().map(|column| match column {
            Some(class) => self.name(*class),
            None => NO_PREDICTION.to_owned(),
        });
        let header = ["class".to_owned()].into_iter().chain(header);
        writer
            .write_record(header)
            .map_err(|error| failed(error.into()))?;
        for &class in &rows {
            let counts = columns
                .iter()
                .map(|&guess| self.count(class, guess).to_string());
            let row = [self.name(class)].into_iter().chain(counts);
            writer
                .write_record(row)
                .map_err(|error| failed(error.into()))?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|error| failed(error.to_string().into()))?;
        String::from_utf8(bytes).map_err(|error| failed(error.into()))
    }

    /// Writes scores, the matrix and its picture into a folder, which is made if it is not there: `scores.json`,
    /// `confusion.csv` and `confusion.svg`.
    ///
    /// # Errors
    ///
    /// Where a file can't be written.
    pub fn write(&self, scores: &Scores, folder: &Path) -> Result<[PathBuf; 3], ReportError> {
        let classes = self.rows().into_iter().map(|class| ClassScores {
            name: self.given_name(class),
            images: self.images(class),
            top1: self.count(class, Some(class)) as f64 / self.images(class) as f64,
        });
        let json = serde_json::to_string_pretty(&ScoresFile {
            scores,
            classes: classes.collect(),
        });
        let json = json.map_err(|cause| ReportError::Format {
            format: "JSON",
            source: cause.into(),
        })?;
        files::make_folder(folder)?;
        let paths = [SCORES_FILE, CSV_FILE, CHART_FILE].map(|name| folder.join(name));
        files::write_whole(&paths[0], &(json + "\n"))?;
        files::write_whole(&paths[1], &self.to_csv()?)?;
        files::write_whole(&paths[2], &draw(self)?.standalone())?;
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_classes_and_columns_guesses() {
        let csv = Confusion::example().to_csv().unwrap();
        let expected = "class,cat,\"dog, or wolf\",owl\ncat,2,1,0\n\"dog, or wolf\",0,1,2\n";
        assert_eq!(csv, expected);
    }

    #[test]
    fn images_without_a_prediction_have_the_last_column() {
        let mut confusion = Confusion::example();
        confusion.add(0, None);
        confusion.add(2, None);
        let csv = confusion.to_csv().unwrap();
        let expected = "class,cat,\"dog, or wolf\",fox,owl,no prediction\n\
             cat,2,1,0,0,1\n\"dog, or wolf\",0,1,0,2,0\nfox,0,0,0,0,1\n";
        assert_eq!(csv, expected);
        assert_eq!((confusion.recognized(), confusion.images(0)), (3, 4));
        let mistakes = confusion.mistakes();
        let nothing: Vec<_> = mistakes.iter().filter(|m| m.guess.is_none()).collect();
        assert_eq!((nothing.len(), nothing[0].class), (2, "cat"));
    }

    #[test]
    fn writes_scores_matrix_and_picture() {
        let folder = tempfile::tempdir().unwrap();
        let scores = Scores {
            loss: 1.0,
            top1: 0.5,
            top5: None,
            map100: None,
            images: 6,
        };
        let paths = Confusion::example()
            .write(&scores, &folder.path().join("new"))
            .unwrap();
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&paths[0]).unwrap()).unwrap();
        assert_eq!(json["classes"][1]["top1"], 1.0 / 3.0);
        assert!(json["scores"].get("top5").is_none(), "{json}");
        let picture = std::fs::read_to_string(&paths[2]).unwrap();
        assert!(picture.starts_with("<svg") && picture.contains("dog, or wolf"));
    }
}
