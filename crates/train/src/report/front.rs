//! The Pareto front: the variants that no other beats in accuracy and in cost at once.

use serde::Serialize;

use super::statistics::Sample;
use super::summary::SummaryRow;

/// What a network costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// Trainable parameters.
    Parameters,
    /// Multiply-adds of a forward pass for one image.
    MultiplyAdds,
    /// Seconds of a training step in the fastest epoch of all runs.
    SecondsPerStep,
}

impl Cost {
    /// In the order of the report.
    pub const ALL: [Self; 3] = [Self::Parameters, Self::MultiplyAdds, Self::SecondsPerStep];

    /// Returns the cost of a variant; `None` where it isn't known.
    pub fn of(self, row: &SummaryRow) -> Option<f64> {
        match self {
            Self::Parameters => Some(row.parameters as f64),
            Self::MultiplyAdds => row.multiply_adds.map(|count| count as f64),
            Self::SecondsPerStep => row.seconds_per_step,
        }
    }

    /// Name of the chart's file.
    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Parameters => "pareto-parameters",
            Self::MultiplyAdds => "pareto-multiply-adds",
            Self::SecondsPerStep => "pareto-step-time",
        }
    }

    /// Returns its name within a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::MultiplyAdds => "multiply-adds an image",
            Self::SecondsPerStep => "time of a training step",
        }
    }
}

/// The accuracy that a network's cost is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Accuracy {
    /// Test top-1 after the last epoch.
    FinalTop1,
    /// Test top-1 after the epoch chosen on the validation images.
    ChosenTop1,
}

impl Accuracy {
    /// Returns the chosen epoch's where every variant that has a finished run has one, else the last epoch's.
    pub fn best_founded(rows: &[SummaryRow]) -> Self {
        let mut finished = rows
            .iter()
            .filter(|row| row.final_top1.is_some())
            .peekable();
        match finished.peek().is_some() && finished.all(|row| row.chosen_top1.is_some()) {
            true => Self::ChosenTop1,
            false => Self::FinalTop1,
        }
    }

    /// Returns the accuracy of a variant over its finished runs.
    pub fn of(self, row: &SummaryRow) -> Option<Sample> {
        match self {
            Self::FinalTop1 => row.final_top1,
            Self::ChosenTop1 => row.chosen_top1,
        }
    }

    /// Returns its name within a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::FinalTop1 => "test top-1 after the last epoch",
            Self::ChosenTop1 => "test top-1 after the epoch chosen on the validation images",
        }
    }
}

/// The variants that are on the front of one cost, by their means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Front {
    /// The cost.
    pub cost: Cost,
    /// The accuracy.
    pub accuracy: Accuracy,
    /// All variants of which both are known, in the order of the record.
    pub points: Vec<FrontPoint>,
}

/// A variant's cost and accuracy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FrontPoint {
    /// Name of the variant.
    pub name: String,
    /// Its place in the record.
    #[serde(skip)]
    pub variant: usize,
    /// What it costs.
    pub cost: f64,
    /// Mean over the finished runs.
    pub top1: Sample,
    /// Whether it may be compared with the base; where it may not, it is on no front and keeps none off it.
    #[serde(skip_serializing_if = "is_true")]
    pub compared: bool,
    /// Whether no other variant is at least as accurate at no greater cost, and better in one of the two.
    pub on_front: bool,
}

fn is_true(value: &bool) -> bool {
    *value
}

impl Front {
    /// Returns the front of each cost that is known of two variants or more.
    ///
    /// `compared` says by its place whether a variant may be compared with the base.
    pub(super) fn all(rows: &[SummaryRow], compared: &dyn Fn(usize) -> bool) -> Vec<Self> {
        let accuracy = Accuracy::best_founded(rows);
        let fronts = Cost::ALL.map(|cost| Self::of(rows, cost, accuracy, compared));
        fronts
            .into_iter()
            .filter(|front| front.points.len() > 1)
            .collect()
    }

    fn of(
        rows: &[SummaryRow],
        cost: Cost,
        accuracy: Accuracy,
        compared: &dyn Fn(usize) -> bool,
    ) -> Self {
        let point = |(variant, row): (usize, &SummaryRow)| {
            Some(FrontPoint {
                name: row.name.clone(),
                variant,
                cost: cost.of(row)?,
                top1: accuracy.of(row)?,
                compared: compared(variant),
                on_front: true,
            })
        };
        let mut points: Vec<_> = rows.iter().enumerate().filter_map(point).collect();
        let both: Vec<_> = points
            .iter()
            .filter(|point| point.compared)
            .map(|point| (point.cost, point.top1.mean))
            .collect();
        for point in &mut points {
            let (cost, top1) = (point.cost, point.top1.mean);
            let beaten = both.iter().any(|other| {
                other.0 <= cost && other.1 >= top1 && (other.0 < cost || other.1 > top1)
            });
            point.on_front = point.compared && !beaten;
        }
        Self {
            cost,
            accuracy,
            points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;
    use crate::report::Summary;

    #[test]
    fn a_variant_is_on_the_front_unless_another_is_better_at_no_greater_cost() {
        let mut record = synthetic::from_curves(&[
            ("small", &[&[0.5]]),
            ("equal", &[&[0.5]]),
            ("worse", &[&[0.4]]),
            ("large", &[&[0.9]]),
            ("larger", &[&[0.9]]),
        ]);
        for (variant, parameters) in record.variants.iter_mut().zip([10, 10, 10, 20, 30]) {
            variant.parameters = parameters;
        }
        let fronts = Summary::of(&record).fronts;
        assert_eq!(fronts.len(), 3);
        let on: Vec<_> = fronts[0]
            .points
            .iter()
            .map(|point| point.on_front)
            .collect();
        assert_eq!(on, [true, true, false, true, false]);
        assert_eq!(fronts[0].accuracy, Accuracy::FinalTop1);
    }

    #[test]
    fn what_is_not_known_has_no_front() {
        let mut record = synthetic::validated();
        for variant in &mut record.variants {
            variant.multiply_adds = None;
        }
        let fronts = Summary::of(&record).fronts;
        let costs: Vec<_> = fronts.iter().map(|front| front.cost).collect();
        assert_eq!(costs, [Cost::Parameters, Cost::SecondsPerStep]);
        assert_eq!(fronts[0].accuracy, Accuracy::ChosenTop1);
        assert!(Summary::of(&synthetic::not_started()).fronts.is_empty());
    }
}
