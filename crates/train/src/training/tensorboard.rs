//! Scalars for TensorBoard.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use syntaxdot_summary::SummaryWriter;

use super::step_log::StepRecord;
use crate::TrainError;
use crate::files::{create_folder, file_error, remove};
use crate::record::{EpochRecord, Scores};

/// A TensorBoard event file in the folder of a run, with what each step and each epoch gave.
///
/// An event file has no place to go on from, so it is written anew, from the log of steps and the record, by every process that
/// works on the run: TensorBoard then never shows steps twice.
pub(crate) struct TensorBoard {
    path: PathBuf,
    writer: SummaryWriter<BufWriter<File>>,
}

impl TensorBoard {
    /// Starts the event file in a folder, in place of those of processes before, with the steps and the epochs that are done.
    pub(crate) fn open(
        folder: &Path,
        steps: &[StepRecord],
        epochs: &[EpochRecord],
    ) -> Result<Self, TrainError> {
        remove(folder)?;
        create_folder(folder)?;
        let writer = SummaryWriter::from_prefix(folder.join("events"));
        let mut board = Self {
            writer: writer.map_err(|cause| file_error("write", folder, cause))?,
            path: folder.to_owned(),
        };
        for step in steps {
            board.step(step)?;
        }
        let mut last_step = 0;
        for epoch in epochs {
            last_step += epoch.steps;
            board.epoch(epoch, last_step)?;
        }
        Ok(board)
    }

    /// Adds what a step gave.
    pub(crate) fn step(&mut self, record: &StepRecord) -> Result<(), TrainError> {
        self.scalars(
            record.step,
            &[
                ("step/loss", record.loss),
                ("step/learning_rate", record.learning_rate),
                ("step/images_per_second", record.images_per_second),
                ("step/wait_seconds", record.wait_seconds),
            ],
        )?;
        let scalars = [
            ("step/gradient_norm", record.gradient_norm),
            ("step/loss_scale", record.loss_scale),
        ];
        let scalars = scalars.into_iter();
        let scalars = scalars.filter_map(|(name, value)| value.map(|value| (name, value)));
        self.scalars(record.step, &scalars.collect::<Vec<_>>())
    }

    /// Adds the scores of an epoch, at its last step.
    pub(crate) fn epoch(&mut self, record: &EpochRecord, step: usize) -> Result<(), TrainError> {
        let parts = [
            ("training", Some(&record.train)),
            ("validation", record.validation.as_ref()),
            ("test", Some(&record.test)),
            (
                "weights_validation",
                record.weights.as_ref().and_then(|w| w.validation.as_ref()),
            ),
            ("weights_test", record.weights.as_ref().map(|w| &w.test)),
        ];
        for (part, scores) in parts {
            let Some(scores) = scores else { continue };
            let Scores {
                loss,
                top1,
                top5,
                map100,
                ..
            } = *scores;
            let values = [
                ("loss", Some(loss)),
                ("top1", Some(top1)),
                ("top5", top5),
                ("map100", map100),
            ];
            for (name, value) in values {
                let Some(value) = value else { continue };
                self.scalars(step, &[(&format!("{part}/{name}"), value)])?;
            }
        }
        Ok(())
    }

    fn scalars(&mut self, step: usize, values: &[(&str, f64)]) -> Result<(), TrainError> {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let mut written: io::Result<()> = Ok(());
        for (tag, value) in values {
            written = written.and_then(|()| self.writer.write_scalar(*tag, step, *value as f32));
        }
        written.map_err(|cause| file_error("write", &self.path, cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    /// The records of an event file: a length of 8 bytes, its checksum, the data, its checksum.
    fn records(folder: &Path) -> Vec<Vec<u8>> {
        let mut files = std::fs::read_dir(folder).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none(), "more than one event file");
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("events.out.tfevents."), "{name}");
        let bytes = std::fs::read(file).unwrap();
        let (mut records, mut rest) = (Vec::new(), &bytes[..]);
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            records.push(rest[12..12 + length].to_vec());
            rest = &rest[12 + length + 4..];
        }
        records
    }

    #[test]
    fn the_file_is_made_anew_from_what_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tensorboard");
        let step = |step| StepRecord {
            step,
            epoch: 1,
            loss: 1.5,
            learning_rate: 0.05,
            gradient_norm: None,
            loss_scale: None,
            skipped: false,
            images: 64,
            images_per_second: 1234.5,
            wait_seconds: 0.001,
        };
        let epoch = synthetic::complete().variants[0].runs[0].epochs[0].clone();
        let mut board = TensorBoard::open(&path, &[], &[]).unwrap();
        for number in 1..=5 {
            board.step(&step(number)).unwrap();
        }
        drop(board);
        // Goes on after three steps, of which the first two were an epoch.
        let two_steps = EpochRecord { steps: 2, ..epoch };
        let mut board = TensorBoard::open(
            &path,
            &[1, 2, 3].map(step),
            std::slice::from_ref(&two_steps),
        )
        .unwrap();
        board.step(&step(4)).unwrap();
        drop(board);

        let records = records(&path);
        let count = |tag: &str| {
            let has = |record: &&Vec<u8>| {
                record
                    .windows(tag.len())
                    .any(|window| window == tag.as_bytes())
            };
            records.iter().filter(has).count()
        };
        assert_eq!(count("brain.Event:2"), 1);
        for tag in [
            "step/loss",
            "step/learning_rate",
            "step/images_per_second",
            "step/wait_seconds",
        ] {
            assert_eq!(count(tag), 4, "{tag}");
        }
        for tag in [
            "training/loss",
            "training/top1",
            "test/loss",
            "test/top1",
            "test/top5",
        ] {
            assert_eq!(count(tag), 1, "{tag}");
        }
        assert_eq!(count("validation/loss"), 0);
    }
}
