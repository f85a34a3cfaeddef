//! What a person is told while an ablation runs.

use std::fmt;
use std::io::Write;

use crate::TrainError;
use crate::numbers::duration;
use crate::printable::printable;
use crate::record::RunRecord;
use crate::training::{Display, Progress, warn};

/// Something that happened in an ablation.
#[derive(Debug)]
pub enum Event<'a> {
    /// A run starts, or goes on after its last epoch.
    Started {
        /// Variant and seed.
        label: &'a str,
        /// Counts from 1 over the ablation's runs.
        number: usize,
        /// Number of runs of the ablation.
        runs: usize,
    },
    /// A run had ended before.
    Skipped {
        /// Variant and seed.
        label: &'a str,
        /// Counts from 1 over the ablation's runs.
        number: usize,
        /// Number of runs of the ablation.
        runs: usize,
    },
    /// A run was left out, because its files are damaged.
    Damaged {
        /// Variant and seed.
        label: &'a str,
        /// Counts from 1 over the ablation's runs.
        number: usize,
        /// Number of runs of the ablation.
        runs: usize,
        /// Which folder, what is wrong with it, and what to do.
        error: &'a TrainError,
    },
    /// A run failed in a process of its own; the others go on.
    Failed {
        /// Variant and seed.
        label: &'a str,
        /// Counts from 1 over the ablation's runs.
        number: usize,
        /// Number of runs of the ablation.
        runs: usize,
        /// What happened.
        error: &'a TrainError,
    },
    /// The process of a run wrote a line on standard error.
    Output {
        /// Variant and seed.
        label: &'a str,
        /// The line.
        line: &'a str,
    },
    /// Something that a person should know of, but the run can go on without.
    Warning {
        /// Variant and seed.
        label: &'a str,
        /// What it is.
        text: &'a str,
    },
    /// An epoch ended.
    Epoch {
        /// Variant and seed.
        label: &'a str,
        /// The run so far.
        record: &'a RunRecord,
        /// Epochs of a run.
        epochs: usize,
        /// Estimated seconds until the whole ablation ends.
        seconds_left: f64,
    },
}

/// Writes the event in a line, such as `run 2/12: base, seed 1`.
impl fmt::Display for Event<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Started {
                label,
                number,
                runs,
            } => {
                write!(formatter, "run {number}/{runs}: {label}")
            }
            Self::Skipped {
                label,
                number,
                runs,
            } => {
                write!(formatter, "run {number}/{runs}: {label} was done before")
            }
            Self::Damaged {
                label,
                number,
                runs,
                error,
            } => write!(
                formatter,
                "run {number}/{runs}: {label} is left out: {error}"
            ),
            Self::Failed {
                label,
                number,
                runs,
                error,
            } => write!(formatter, "run {number}/{runs}: {label} failed: {error}"),
            Self::Output { label, line } => write!(formatter, "{label}: {line}"),
            Self::Warning { label, text } => write!(formatter, "{label}: {text}"),
            Self::Epoch {
                label,
                record,
                epochs,
                seconds_left,
            } => {
                let line = Progress::line(record, *epochs);
                let left = duration(*seconds_left);
                write!(formatter, "{label}: {line} (ablation: {left})")
            }
        }
    }
}

/// Tells on standard error of an event: of a problem whatever the display, of all else only where lines are shown.
pub fn show(event: &Event, display: Display) {
    match event {
        Event::Damaged { .. } | Event::Failed { .. } | Event::Warning { .. } => {
            warn(&event.to_string());
        }
        Event::Output { .. } => {
            let _ = writeln!(std::io::stderr(), "{}", printable(&event.to_string()));
        }
        Event::Started { .. } | Event::Skipped { .. } | Event::Epoch { .. } => {
            if display == Display::Lines {
                // A closed standard error is no reason to stop training.
                let _ = writeln!(std::io::stderr(), "{}", printable(&event.to_string()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines() {
        let (label, number, runs) = ("base, seed 1", 2, 12);
        let started = Event::Started {
            label,
            number,
            runs,
        };
        assert_eq!(started.to_string(), "run 2/12: base, seed 1");
        let skipped = Event::Skipped {
            label,
            number,
            runs,
        };
        assert_eq!(
            skipped.to_string(),
            "run 2/12: base, seed 1 was done before"
        );
        let error = &TrainError::NoImages;
        let damaged = Event::Damaged {
            label,
            number,
            runs,
            error,
        };
        let text = damaged.to_string();
        assert!(
            text.starts_with("run 2/12: base, seed 1 is left out: there is no image"),
            "{text}"
        );
        let failed = Event::Failed {
            label,
            number,
            runs,
            error,
        };
        let text = failed.to_string();
        assert!(
            text.starts_with("run 2/12: base, seed 1 failed: there is no image"),
            "{text}"
        );
        let output = Event::Output {
            label,
            line: "thread panicked",
        };
        assert_eq!(output.to_string(), "base, seed 1: thread panicked");
        let record = &crate::record::synthetic::complete().variants[0].runs[0];
        let epoch = Event::Epoch {
            label,
            record,
            epochs: 12,
            seconds_left: 65.0,
        };
        let text = epoch.to_string();
        assert!(
            text.starts_with("base, seed 1: epoch 12/12: training loss"),
            "{text}"
        );
        assert!(text.ends_with(" to go (ablation: 1 min 05 s)"), "{text}");
    }
}
