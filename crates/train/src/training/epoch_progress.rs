//! The part of an epoch that is done.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::scores::{ReadScores, ScoreSum};

/// The steps of the epoch under way, as a checkpoint within it has them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct EpochProgress {
    /// Optimization steps.
    pub(crate) steps: usize,
    /// Those of them that were left out, since their gradients overflowed.
    #[serde(default)]
    pub(crate) skipped: usize,
    /// The learning rate of the last of them.
    pub(crate) learning_rate: f64,
    /// The sums of their losses and of right predictions.
    pub(crate) sums: ReadScores,
    /// The seconds that they took, in all processes that did some of them.
    pub(crate) seconds: f64,
}

impl EpochProgress {
    /// Returns the sums, to which the batches of further steps are added.
    pub(crate) fn score_sum(&self) -> ScoreSum {
        ScoreSum::going_on(self.sums)
    }

    /// Counts a step, which was left out if `skipped` is set, `since_start` after this process began or went on with the epoch with `before`.
    pub(crate) fn step(
        &mut self,
        skipped: bool,
        learning_rate: f64,
        sums: ReadScores,
        before: &Self,
        since_start: Duration,
    ) {
        *self = Self {
            steps: self.steps + 1,
            skipped: self.skipped + usize::from(skipped),
            learning_rate,
            sums,
            seconds: before.seconds + since_start.as_secs_f64(),
        };
    }
}
