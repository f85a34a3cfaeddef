//! When checkpoints are written, and which of them stay.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// When a run writes checkpoints, and which of them it keeps. It decides how much is done again after a kill; the run's
/// results are the same with any policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointPolicy {
    /// How often there is one within an epoch. There is always one after an epoch, and where the run is stopped.
    pub within_epochs: Interval,
    /// The number of checkpoints that stay, the last ones, while the run is under way.
    pub keep: NonZeroUsize,
    /// Whether the network of the epoch that is best on the images held back for validation is saved too, as
    /// `model-best.bpk`.
    pub keep_best: bool,
}

impl Default for CheckpointPolicy {
    /// Ten minutes within an epoch, of which the last two checkpoints stay.
    fn default() -> Self {
        Self {
            within_epochs: Interval::Time(Duration::from_secs(600)),
            keep: NonZeroUsize::MIN.saturating_add(1),
            keep_best: false,
        }
    }
}

/// The interval between two checkpoints within an epoch. As text it is a number of steps, such as `500`, a time, such as
/// `90s`, `10m` or `2h`, or `epoch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// So many steps of the run.
    Steps(NonZeroUsize),
    /// So much time since the last checkpoint.
    Time(Duration),
    /// None within an epoch.
    Epoch,
}

impl Interval {
    /// Returns whether a checkpoint is due after this number of steps of the run, so long after the last one.
    pub(crate) fn is_due(self, steps: usize, since_last: Duration) -> bool {
        match self {
            Self::Steps(every) => steps.is_multiple_of(every.get()),
            Self::Time(every) => since_last >= every,
            Self::Epoch => false,
        }
    }
}

/// A text that is no [`Interval`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{given}` is no interval: give a number of steps such as 500, a time such as 90s, 10m or 2h, or `epoch`"
)]
pub struct IntervalError {
    /// The text.
    pub given: String,
}

/// Units of time with their seconds, the longest first.
const UNITS: [(&str, u64); 3] = [("h", 3600), ("m", 60), ("s", 1)];

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(given: &str) -> Result<Self, IntervalError> {
        let error = || IntervalError {
            given: given.to_owned(),
        };
        if given == "epoch" {
            return Ok(Self::Epoch);
        }
        for (unit, seconds) in UNITS {
            let Some(number) = given.strip_suffix(unit) else {
                continue;
            };
            let number: u64 = number.parse().map_err(|_| error())?;
            let seconds = number.checked_mul(seconds).filter(|&seconds| seconds > 0);
            return seconds
                .map(|seconds| Self::Time(Duration::from_secs(seconds)))
                .ok_or_else(error);
        }
        given.parse().map(Self::Steps).map_err(|_| error())
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Steps(steps) => write!(formatter, "{steps}"),
            Self::Epoch => formatter.write_str("epoch"),
            Self::Time(time) => {
                let time = time.as_secs();
                let whole = |(_, seconds): &(&str, u64)| time.is_multiple_of(*seconds);
                let (unit, seconds) = UNITS.into_iter().find(whole).unwrap_or(("s", 1));
                write!(formatter, "{}{unit}", time / seconds)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_round_trip_and_the_rest_is_refused() {
        for text in ["1", "500", "90s", "10m", "2h", "epoch"] {
            assert_eq!(text.parse::<Interval>().unwrap().to_string(), text);
        }
        for text in [
            "0",
            "0s",
            "",
            "m",
            "-5",
            "1.5h",
            "10 m",
            "epochs",
            "99999999999999999999h",
        ] {
            let error = text.parse::<Interval>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{text}` is no interval")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_checkpoint_is_due_by_steps_or_by_time() {
        let due = |text: &str, steps, seconds| {
            let interval: Interval = text.parse().unwrap();
            interval.is_due(steps, Duration::from_secs(seconds))
        };
        assert!(due("5", 10, 0) && !due("5", 11, 1000));
        assert!(due("10s", 1, 10) && !due("10s", 1, 9));
        assert!(!due("epoch", 1, 100_000));
    }
}
