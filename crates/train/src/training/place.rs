//! How far a run has come.

use std::fmt;

use serde::{Deserialize, Serialize};
use xception_messages::counted;

/// A place in a run: the epochs that are done, and the steps of the one after these.
///
/// Written for people as the rest of a sentence, such as `after epoch 2 and 14 steps of epoch 3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Place {
    /// Whole epochs, with their evaluation.
    pub epochs: usize,
    /// Optimization steps of the epoch under way.
    pub steps: usize,
}

impl Place {
    /// Returns the place after this number of epochs.
    pub fn after(epochs: usize) -> Self {
        Self { epochs, steps: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let Self { epochs, steps } = *self;
        let (steps_done, next) = (counted(steps, "step"), epochs + 1);
        match (epochs, steps) {
            (0, 0) => formatter.write_str("before the first step"),
            (_, 0) => write!(formatter, "after epoch {epochs}"),
            (0, _) => write!(formatter, "after {steps_done} of epoch {next}"),
            _ => write!(
                formatter,
                "after epoch {epochs} and {steps_done} of epoch {next}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ordered_and_read_as_parts_of_sentences() {
        let place = |epochs, steps| Place { epochs, steps };
        let places = [place(0, 0), place(0, 1), place(2, 0), place(2, 14)];
        assert!(places.is_sorted());
        assert_eq!(
            places.map(|place| place.to_string()),
            [
                "before the first step",
                "after 1 step of epoch 1",
                "after epoch 2",
                "after epoch 2 and 14 steps of epoch 3",
            ]
        );
    }
}
