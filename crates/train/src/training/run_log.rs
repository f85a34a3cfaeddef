//! What a run writes while it is under way, for people and other programs to follow.

use super::run_folder::RunFolder;
use super::step_log::{StepLog, StepRecord};
use super::tensorboard::TensorBoard;
use crate::TrainError;
use crate::record::EpochRecord;

/// The log of steps, and TensorBoard's event file if that is wanted.
pub(super) struct RunLog {
    steps: StepLog,
    tensorboard: Option<TensorBoard>,
    /// The last step that an epoch has ended with.
    epoch_end: usize,
}

impl RunLog {
    /// Opens the files in a run's folder, to go on after a number of steps and the epochs that are done.
    pub(super) fn open(
        folder: &RunFolder,
        steps: usize,
        epochs: &[EpochRecord],
        tensorboard: bool,
    ) -> Result<Self, TrainError> {
        let (log, done) = StepLog::open(&folder.steps_file(), steps)?;
        let board = folder.tensorboard_folder();
        Ok(Self {
            steps: log,
            tensorboard: match tensorboard {
                true => Some(TensorBoard::open(&board, &done, epochs)?),
                false => None,
            },
            epoch_end: epochs.iter().map(|epoch| epoch.steps).sum(),
        })
    }

    /// Writes what a step gave.
    pub(super) fn step(&mut self, record: &StepRecord) -> Result<(), TrainError> {
        self.steps.write(record)?;
        match &mut self.tensorboard {
            Some(board) => board.step(record),
            None => Ok(()),
        }
    }

    /// Writes what an epoch gave.
    pub(super) fn epoch(&mut self, record: &EpochRecord) -> Result<(), TrainError> {
        self.epoch_end += record.steps;
        match &mut self.tensorboard {
            Some(board) => board.epoch(record, self.epoch_end),
            None => Ok(()),
        }
    }

    /// Hands all lines to the system.
    pub(super) fn flush(&mut self) -> Result<(), TrainError> {
        self.steps.flush()
    }
}
