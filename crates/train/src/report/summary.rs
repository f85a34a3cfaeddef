//! From records to the rows of a report's tables.
//!
//! Means, spreads and differences are over the finished runs, differences by seed where the seeds allow it. How many runs there
//! are stands beside them, so that a mean over the survivors of a variant that diverges can't pass for the whole.

use serde::Serialize;

use super::front::Front;
use super::grid::Grid;
use super::measure::{self, finished, sample, unfinished};
use super::pairs::Pairs;
use super::statistics::{Difference, Sample};
use crate::numbers::{counted, listed, median};
use crate::record::{AblationRecord, ClaimMetric, RunState, VariantRecord};

/// The content of the report's tables, with a row for each variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// All runs of the ablation.
    pub runs: RunCounts,
    /// The accuracy that [`SummaryRow::epochs_to_base`] counts epochs to: the mean over the base's
    /// finished runs of their best test top-1. `None` while the base has no finished run.
    pub base_accuracy: Option<f64>,
    /// The variants, in the order of the record.
    pub rows: Vec<SummaryRow>,
    /// Every variant beside every other.
    pub pairs: Pairs,
    /// The view by axis, where the variants are all combinations of the values of two axes or more.
    pub grid: Option<Grid>,
    /// The variants that none beats in accuracy and in one cost at once, for each cost that is known.
    pub fronts: Vec<Front>,
}

/// The measurements of one variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SummaryRow {
    /// Name of the variant.
    pub name: String,
    /// Whether the others are compared with it.
    pub is_base: bool,
    /// Trainable parameters.
    pub parameters: u64,
    /// Parameters over those of the base.
    pub parameters_ratio: Option<f64>,
    /// Multiply-adds of a forward pass for one image; `None` if they are unknown.
    pub multiply_adds: Option<u64>,
    /// Multiply-adds over those of the base.
    pub multiply_adds_ratio: Option<f64>,
    /// Its runs.
    pub runs: RunCounts,
    /// Test top-1 of each run's best epoch.
    pub best_top1: Option<Sample>,
    /// [`Self::best_top1`] less that of the base, by seed; `None` for the base.
    pub best_difference: Option<Difference>,
    /// Test top-1 after the last epoch.
    pub final_top1: Option<Sample>,
    /// [`Self::final_top1`] less that of the base, by seed; `None` for the base.
    pub final_difference: Option<Difference>,
    /// Test top-1 after the epoch that is best on the images held back for validation; `None`, and left out of JSON, where
    /// there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen_top1: Option<Sample>,
    /// [`Self::chosen_top1`] less that of the base, by seed; `None` for the base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen_difference: Option<Difference>,
    /// Test MAP@100 after the last epoch; `None`, and left out of JSON, where images have one class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_map100: Option<Sample>,
    /// [`Self::final_map100`] less that of the base, by seed; `None` for the base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map100_difference: Option<Difference>,
    /// How long the runs took to reach [`Summary::base_accuracy`].
    pub epochs_to_base: Option<Reached>,
    /// Median over all epochs of the variant's runs of training steps a second.
    pub steps_per_second: Option<f64>,
    /// Seconds of a training step in the fastest epoch of all the variant's runs.
    pub seconds_per_step: Option<f64>,
    /// Epochs that each unfinished run has done, in the order of the seeds.
    pub epochs_of_unfinished: Vec<usize>,
}

/// How many finished runs reached an accuracy, and when.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reached {
    /// Runs that reached it.
    pub reached: usize,
    /// Finished runs.
    pub finished: usize,
    /// Mean over those that reached it of the first epoch that did.
    pub mean_epochs: Option<f64>,
}

/// Numbers of the runs that were asked for, by their state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RunCounts {
    /// All that were asked for.
    pub planned: usize,
    /// Came to their end.
    pub finished: usize,
    /// Ended because the loss was no longer finite.
    pub diverged: usize,
    /// Under way or stopped.
    pub unfinished: usize,
    /// Their records can't be used.
    pub damaged: usize,
    /// No record yet.
    pub not_started: usize,
}

impl RunCounts {
    /// Counts the runs of a variant that is trained once with each of `planned` seeds.
    pub fn of(variant: &VariantRecord, planned: usize) -> Self {
        let count = |state| variant.runs.iter().filter(|run| run.state == state).count();
        Self {
            planned,
            finished: count(RunState::Finished),
            diverged: count(RunState::Diverged),
            unfinished: count(RunState::Unfinished),
            damaged: variant.damaged.len(),
            not_started: planned.saturating_sub(variant.runs.len() + variant.damaged.len()),
        }
    }

    /// Says how many runs diverged, such as `2 of 3 runs diverged`; `None` where none did.
    pub fn diverged_text(&self) -> Option<String> {
        match (self.diverged, self.planned) {
            (0, _) => None,
            (_, 1) => Some("diverged".to_owned()),
            (diverged, planned) => Some(format!("{diverged} of {planned} runs diverged")),
        }
    }

    /// Returns whether every run came to its end.
    pub fn is_complete(&self) -> bool {
        self.finished == self.planned
    }

    pub(super) fn add(self, other: Self) -> Self {
        Self {
            planned: self.planned + other.planned,
            finished: self.finished + other.finished,
            diverged: self.diverged + other.diverged,
            unfinished: self.unfinished + other.unfinished,
            damaged: self.damaged + other.damaged,
            not_started: self.not_started + other.not_started,
        }
    }
}

/// `1 diverged and 1 not started, of 3 runs`.
pub(super) fn fate(counts: &RunCounts) -> String {
    let verb = |count: usize, verb: &str| (count > 0).then(|| format!("{count} {verb}"));
    let parts: Vec<_> = [
        verb(counts.diverged, "diverged"),
        verb(counts.unfinished, "unfinished"),
        verb(counts.damaged, "damaged"),
        verb(counts.not_started, "not started"),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("{}, of {}", listed(&parts), counted(counts.planned, "run"))
}

impl Summary {
    /// Computes the tables of `record`.
    pub fn of(record: &AblationRecord) -> Self {
        Self::among(record, &|_, _| true)
    }

    /// Computes the tables of `record`, in which only those variants are compared that `comparable` says may be, by their
    /// places.
    pub(super) fn among(
        record: &AblationRecord,
        comparable: &dyn Fn(usize, usize) -> bool,
    ) -> Self {
        let base_place = record.variants.iter().position(|v| v.name == record.base);
        let with_base = |place: usize| base_place.is_none_or(|base| comparable(place, base));
        let base = record.variants.iter().find(|v| v.name == record.base);
        let base_accuracy = base
            .and_then(|base| sample(base, ClaimMetric::BestTop1))
            .map(|best| best.mean);
        let rows: Vec<_> = record
            .variants
            .iter()
            .enumerate()
            .map(|(place, variant)| {
                let compared = with_base(place);
                SummaryRow::of(record, variant, (base, base_accuracy), compared)
            })
            .collect();
        let runs = rows
            .iter()
            .fold(RunCounts::default(), |total, row| total.add(row.runs));
        let grid = Grid::of(record, &rows);
        let fronts = Front::all(&rows, &with_base);
        Self {
            runs,
            base_accuracy,
            rows,
            pairs: Pairs::of(record, comparable),
            grid,
            fronts,
        }
    }

    /// Returns whether there are images held back for validation, by which an epoch is chosen.
    pub(super) fn has_chosen(&self) -> bool {
        self.rows.iter().any(|row| row.chosen_top1.is_some())
    }

    /// Returns whether images have sets of labels, so that there is an average precision.
    pub(super) fn has_map100(&self) -> bool {
        self.rows.iter().any(|row| row.final_map100.is_some())
    }
}

impl SummaryRow {
    fn of(
        record: &AblationRecord,
        variant: &VariantRecord,
        (base, base_accuracy): (Option<&VariantRecord>, Option<f64>),
        compared: bool,
    ) -> Self {
        let is_base = variant.name == record.base;
        let difference = |metric| {
            let base = base.filter(|_| compared && !is_base)?;
            measure::difference(variant, base, metric)
        };
        let ratio = |count: fn(&VariantRecord) -> Option<u64>| {
            let base = count(base?).filter(|&count| count > 0)?;
            Some(count(variant)? as f64 / base as f64)
        };
        Self {
            name: variant.name.clone(),
            is_base,
            parameters: variant.parameters,
            parameters_ratio: ratio(|v| Some(v.parameters)),
            multiply_adds: variant.multiply_adds,
            multiply_adds_ratio: ratio(|v| v.multiply_adds),
            runs: RunCounts::of(variant, record.seeds.len()),
            best_top1: sample(variant, ClaimMetric::BestTop1),
            best_difference: difference(ClaimMetric::BestTop1),
            final_top1: sample(variant, ClaimMetric::FinalTop1),
            final_difference: difference(ClaimMetric::FinalTop1),
            chosen_top1: sample(variant, ClaimMetric::ChosenTop1),
            chosen_difference: difference(ClaimMetric::ChosenTop1),
            final_map100: sample(variant, ClaimMetric::FinalMap100),
            map100_difference: difference(ClaimMetric::FinalMap100),
            epochs_to_base: base_accuracy
                .filter(|_| compared)
                .map(|accuracy| Reached::by(variant, accuracy)),
            steps_per_second: steps_per_second(variant),
            seconds_per_step: measure::seconds_per_step(variant),
            epochs_of_unfinished: unfinished(variant).map(|run| run.epochs.len()).collect(),
        }
    }
}

impl Reached {
    /// Looks for the first epoch of each finished run whose test top-1 is at least `accuracy`.
    fn by(variant: &VariantRecord, accuracy: f64) -> Self {
        let epochs: Vec<f64> = finished(variant)
            .filter_map(|run| run.epochs.iter().find(|epoch| epoch.test.top1 >= accuracy))
            .map(|epoch| epoch.epoch as f64)
            .collect();
        Self {
            reached: epochs.len(),
            finished: finished(variant).count(),
            mean_epochs: Sample::of(&epochs).map(|sample| sample.mean),
        }
    }
}

fn steps_per_second(variant: &VariantRecord) -> Option<f64> {
    let epochs = variant.runs.iter().flat_map(|run| &run.epochs);
    let rates = epochs
        .map(|epoch| epoch.steps as f64 / epoch.train_seconds)
        .filter(|rate| rate.is_finite());
    median(rates.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;
    use crate::report::statistics::Design;

    #[test]
    fn counts_and_ratios() {
        let record = synthetic::complete();
        let summary = Summary::of(&record);
        assert_eq!(summary.rows.len(), record.variants.len());
        assert!(summary.runs.is_complete());
        assert_eq!(summary.runs.planned, 12);
        let base = &summary.rows[0];
        assert!(base.is_base && base.best_difference.is_none());
        assert_eq!(base.parameters_ratio, Some(1.0));
        let row = &summary.rows[1];
        let expected = record.variants[1].parameters as f64 / record.variants[0].parameters as f64;
        assert_eq!(row.parameters_ratio, Some(expected));
        assert!(row.best_difference.unwrap().interval.is_some());
    }

    #[test]
    fn differences_are_of_means() {
        let summary = Summary::of(&synthetic::complete());
        let (base, other) = (&summary.rows[0], &summary.rows[1]);
        let expected = other.final_top1.unwrap().mean - base.final_top1.unwrap().mean;
        let difference = other.final_difference.unwrap();
        assert!((difference.mean - expected).abs() < 1e-12);
        assert_eq!(difference.design, Design::Paired { seeds: 3 });
    }

    #[test]
    fn epochs_to_an_accuracy() {
        let record = synthetic::from_curves(&[
            ("base", &[&[0.1, 0.5, 0.6], &[0.2, 0.3, 0.4]]),
            ("fast", &[&[0.5, 0.6, 0.6], &[0.1, 0.2, 0.49]]),
            ("slow", &[&[0.1, 0.1, 0.1], &[0.1, 0.1, 0.1]]),
        ]);
        let summary = Summary::of(&record);
        // The mean of 0.6 and 0.4.
        assert_eq!(summary.base_accuracy, Some(0.5));
        let reached = |row: usize| {
            let reached = summary.rows[row].epochs_to_base.unwrap();
            (reached.reached, reached.finished, reached.mean_epochs)
        };
        assert_eq!(reached(0), (1, 2, Some(2.0)));
        assert_eq!(reached(1), (1, 2, Some(1.0)));
        assert_eq!(reached(2), (0, 2, None));
    }

    #[test]
    fn speed_is_a_median() {
        let mut record = synthetic::from_curves(&[("base", &[&[0.1, 0.5, 0.6]])]);
        let epochs = &mut record.variants[0].runs[0].epochs;
        for (epoch, seconds) in epochs.iter_mut().zip([1.0, 2.0, 100.0]) {
            (epoch.steps, epoch.train_seconds) = (10, seconds);
        }
        let summary = Summary::of(&record);
        assert_eq!(summary.rows[0].steps_per_second, Some(5.0));
    }

    #[test]
    fn a_steps_time_is_that_of_the_fastest_epoch_of_all_runs() {
        let mut record = synthetic::from_curves(&[("base", &[&[0.1, 0.5], &[0.2, 0.6]])]);
        let runs = record.variants[0].runs.iter_mut();
        for (epoch, seconds) in runs
            .flat_map(|run| &mut run.epochs)
            .zip([3.0, 2.0, 1.0, 9.0])
        {
            (epoch.steps, epoch.train_seconds) = (10, seconds);
        }
        assert_eq!(Summary::of(&record).rows[0].seconds_per_step, Some(0.1));
    }

    #[test]
    fn the_chosen_epoch_counts_where_images_are_held_back() {
        let summary = Summary::of(&synthetic::complete());
        assert!(!summary.has_chosen());
        assert!(!serde_json::to_string(&summary).unwrap().contains("chosen"));
        let summary = Summary::of(&synthetic::validated());
        assert!(summary.has_chosen());
        let (base, other) = (&summary.rows[0], &summary.rows[1]);
        assert!(base.chosen_top1.is_some() && base.chosen_difference.is_none());
        let difference = other.chosen_difference.unwrap().mean;
        let expected = other.chosen_top1.unwrap().mean - base.chosen_top1.unwrap().mean;
        assert!((difference - expected).abs() < 1e-12);
    }

    #[test]
    fn unfinished_and_diverged_runs_are_counted_and_left_out() {
        let record = synthetic::incomplete();
        let summary = Summary::of(&record);
        assert!(!summary.runs.is_complete());
        let counted = summary.runs;
        assert_eq!(
            counted.finished + counted.diverged + counted.unfinished + counted.not_started,
            counted.planned
        );
        assert!(counted.diverged > 0 && counted.unfinished > 0 && counted.not_started > 0);
        for row in &summary.rows {
            let values = row.final_top1.map_or(0, |sample| sample.count);
            assert_eq!(values, row.runs.finished);
        }
    }

    #[test]
    fn diverged_runs_are_worded() {
        let mut counts = RunCounts {
            planned: 3,
            finished: 1,
            diverged: 2,
            ..RunCounts::default()
        };
        assert_eq!(counts.diverged_text().unwrap(), "2 of 3 runs diverged");
        counts.diverged = 0;
        assert_eq!(counts.diverged_text(), None);
        (counts.planned, counts.diverged) = (1, 1);
        assert_eq!(counts.diverged_text().unwrap(), "diverged");
    }

    #[test]
    fn no_runs_give_no_numbers() {
        let summary = Summary::of(&synthetic::not_started());
        assert_eq!(summary.base_accuracy, None);
        assert!(summary.rows.iter().all(|row| row.best_top1.is_none()
            && row.final_difference.is_none()
            && row.epochs_to_base.is_none()
            && row.steps_per_second.is_none()));
    }
}
