//! Every epoch of every run as a row of comma-separated values.

use super::ReportError;
use crate::record::{AblationRecord, Scores};

const COLUMNS: [&str; 18] = [
    "variant",
    "seed",
    "epoch",
    "steps",
    "learning_rate",
    "train_loss",
    "train_top1",
    "train_top5",
    "validation_loss",
    "validation_top1",
    "validation_top5",
    "test_loss",
    "test_top1",
    "test_top5",
    "train_seconds",
    "test_seconds",
    "validation_map100",
    "test_map100",
];

/// Writes all epochs of `record` as CSV with a header; a loss that is not finite is left empty,
/// and top-5 where it is no figure (see [`Scores::has_top5`]).
pub(super) fn to_csv(record: &AblationRecord) -> Result<String, ReportError> {
    let bytes = try_write(record).map_err(failed)?;
    String::from_utf8(bytes).map_err(failed)
}

fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ReportError {
    ReportError::Format {
        format: "CSV",
        source: cause.into(),
    }
}

fn try_write(record: &AblationRecord) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    let finite = |loss: f64| loss.is_finite().then_some(loss);
    // Records of before it was left out have it with few classes too.
    let top5 = |scores: &Scores| {
        scores
            .top5
            .filter(|_| Scores::has_top5(record.data.classes))
    };
    for variant in &record.variants {
        for run in &variant.runs {
            for epoch in &run.epochs {
                let (train, test) = (&epoch.train, &epoch.test);
                let validation = epoch.validation.as_ref();
                writer.serialize((
                    &variant.name,
                    run.seed,
                    (epoch.epoch, epoch.steps, epoch.learning_rate),
                    (finite(train.loss), train.top1, top5(train)),
                    (
                        validation.and_then(|scores| finite(scores.loss)),
                        validation.map(|scores| scores.top1),
                        validation.and_then(top5),
                    ),
                    (finite(test.loss), test.top1, top5(test)),
                    (epoch.train_seconds, epoch.test_seconds),
                    (validation.and_then(|scores| scores.map100), test.map100),
                ))?;
            }
        }
    }
    Ok(writer.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    #[test]
    fn one_row_an_epoch() {
        for record in synthetic::all() {
            let text = to_csv(&record).unwrap();
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            assert_eq!(reader.headers().unwrap(), COLUMNS.as_slice());
            let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
            let runs = record.variants.iter().flat_map(|variant| &variant.runs);
            assert_eq!(rows.len(), runs.map(|run| run.epochs.len()).sum::<usize>());
        }
    }

    #[test]
    fn average_precision_is_there_with_sets_of_labels() {
        let last = |record: &AblationRecord| {
            let text = to_csv(record).unwrap();
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            reader.records().next().unwrap().unwrap()[17].to_owned()
        };
        let record = synthetic::labelled();
        let expected = record.variants[0].runs[0].epochs[0].test.map100.unwrap();
        assert_eq!(last(&record).parse::<f64>().unwrap(), expected);
        assert_eq!(last(&synthetic::complete()), "");
    }

    #[test]
    fn numbers_are_not_rounded() {
        let record = synthetic::complete();
        let text = to_csv(&record).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let row = reader.records().next().unwrap().unwrap();
        let epoch = &record.variants[0].runs[0].epochs[0];
        assert_eq!(row[12].parse::<f64>().unwrap(), epoch.test.top1);
        assert_eq!(row[5].parse::<f64>().unwrap(), epoch.train.loss);
    }

    #[test]
    fn five_of_five_classes_are_left_empty() {
        let mut record = synthetic::complete();
        let columns = |record: &AblationRecord| {
            let text = to_csv(record).unwrap();
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            [row[7].to_owned(), row[13].to_owned()]
        };
        assert!(columns(&record).iter().all(|cell| !cell.is_empty()));
        record.data.classes = 5;
        assert_eq!(columns(&record), ["", ""]);
        record.data.classes = 10;
        record.variants[0].runs[0].epochs[0].test.top5 = None;
        assert_eq!(columns(&record)[1], "");
    }

    #[test]
    fn an_infinite_loss_is_empty() {
        let record = synthetic::incomplete();
        let text = to_csv(&record).unwrap();
        assert!(!text.contains("NaN"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let empty = reader
            .records()
            .filter(|row| row.as_ref().unwrap()[5].is_empty());
        assert_eq!(empty.count(), 1);
    }
}
