//! A line of JSON for each optimization step.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::files::file_error;
use crate::record::finite_or_null;

/// What one optimization step gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Counts from 1 over the whole run.
    pub step: usize,
    /// The epoch that the step is of, from 1.
    pub epoch: usize,
    /// The training loss of the step's images, before the step; `null` where it isn't finite.
    #[serde(with = "finite_or_null")]
    pub loss: f64,
    /// The learning rate.
    pub learning_rate: f64,
    /// The norm of all gradients together before they were clipped, if the recipe clips them; `null` where it isn't finite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm: Option<f64>,
    /// The factor on the loss in mixed precision, before the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_scale: Option<f64>,
    /// Whether the gradients overflowed, and the step was left out; left out of JSON where it wasn't.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
    /// Images of the step.
    pub images: usize,
    /// Images a second, with the time that the step waited for them.
    pub images_per_second: f64,
    /// Seconds that the step waited for its images.
    pub wait_seconds: f64,
}

/// The file `steps.jsonl` of a run, which gets a line after every step. The first line reaches the file at once, others once
/// a second and whenever a checkpoint is written, so that other programs can follow it.
#[derive(Debug)]
pub(crate) struct StepLog {
    path: PathBuf,
    file: BufWriter<File>,
    /// When lines last reached the file; none before the first.
    flushed: Option<Instant>,
}

/// The time after which lines reach the file.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

impl StepLog {
    /// Opens the file, without the lines of steps after `steps`, which a killed run did beyond its last checkpoint. Returns
    /// what the other lines say too.
    pub(crate) fn open(path: &Path, steps: usize) -> Result<(Self, Vec<StepRecord>), TrainError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let opened = options.open(path).and_then(|mut file| {
            let (end, records) = read_up_to(&file, steps)?;
            file.set_len(end)?;
            file.seek(SeekFrom::End(0))?;
            Ok((file, records))
        });
        let (file, records) = opened.map_err(|cause| file_error("write", path, cause))?;
        let log = Self {
            file: BufWriter::new(file),
            path: path.to_owned(),
            flushed: None,
        };
        Ok((log, records))
    }

    /// Adds the line of a step.
    pub(crate) fn write(&mut self, record: &StepRecord) -> Result<(), TrainError> {
        let line = serde_json::to_string(record).map_err(std::io::Error::from);
        let written = line.and_then(|line| writeln!(self.file, "{line}"));
        written.map_err(|cause| file_error("write", &self.path, cause))?;
        match self.flushed {
            Some(flushed) if flushed.elapsed() < FLUSH_INTERVAL => Ok(()),
            _ => self.flush(),
        }
    }

    /// Hands all lines to the system.
    pub(crate) fn flush(&mut self) -> Result<(), TrainError> {
        self.flushed = Some(Instant::now());
        let flushed = self.file.flush();
        flushed.map_err(|cause| file_error("write", &self.path, cause))
    }
}

/// Returns the lines at the start of a file that are of steps up to `steps`, and their length in bytes.
fn read_up_to(file: &File, steps: usize) -> std::io::Result<(u64, Vec<StepRecord>)> {
    let mut reader = BufReader::new(file);
    let (mut end, mut records, mut line) = (0, Vec::new(), Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        let is_whole = line.ends_with(b"\n");
        match serde_json::from_slice::<StepRecord>(&line) {
            Ok(record) if is_whole && record.step <= steps => records.push(record),
            _ => return Ok((end, records)),
        }
        end += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: usize) -> StepRecord {
        StepRecord {
            step,
            epoch: 1,
            loss: 0.1 + step as f64,
            learning_rate: 0.05,
            gradient_norm: Some(1.5),
            loss_scale: Some(65536.0),
            skipped: step == 2,
            images: 64,
            images_per_second: 1234.5,
            wait_seconds: 0.001,
        }
    }

    #[test]
    fn a_log_goes_on_after_the_steps_of_the_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.jsonl");
        let read = || {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
            lines.collect::<Vec<StepRecord>>()
        };
        let (mut log, _) = StepLog::open(&path, 0).unwrap();
        log.write(&record(1)).unwrap();
        assert_eq!(read(), [record(1)]); // at once
        for step in 2..=5 {
            log.write(&record(step)).unwrap();
        }
        log.flush().unwrap();
        // Killed within a line.
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"step\": 6, \"ep").unwrap();

        let (mut log, done) = StepLog::open(&path, 5).unwrap();
        assert_eq!(done, read());
        assert_eq!(done, (1..=5).map(record).collect::<Vec<_>>());
        log.write(&record(6)).unwrap();
        drop(log);
        let (mut log, _) = StepLog::open(&path, 3).unwrap();
        let diverged = StepRecord {
            loss: f64::NAN,
            ..record(4)
        };
        log.write(&diverged).unwrap();
        drop(log);
        let found = read();
        assert_eq!(found[..3], (1..=3).map(record).collect::<Vec<_>>());
        assert!(found.len() == 4 && found[3].loss.is_nan());
    }
}
