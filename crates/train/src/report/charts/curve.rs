//! What a chart of epochs draws of one variant.

use crate::record::{AblationRecord, EpochRecord, RunState, VariantRecord};
use crate::report::statistics::{Interval, Sample};

/// A quantity that is charted by epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Quantity {
    TestTop1,
    TestMap100,
    TrainTop1,
    TestLoss,
    TrainLoss,
}

impl Quantity {
    /// In the order of the report.
    pub(in crate::report) const ALL: [Self; 5] = [
        Self::TestTop1,
        Self::TestMap100,
        Self::TestLoss,
        Self::TrainTop1,
        Self::TrainLoss,
    ];

    /// Name of the chart's file.
    pub(in crate::report) fn stem(self) -> &'static str {
        match self {
            Self::TestTop1 => "test-top1",
            Self::TestMap100 => "test-map100",
            Self::TrainTop1 => "train-top1",
            Self::TestLoss => "test-loss",
            Self::TrainLoss => "train-loss",
        }
    }

    /// Heading of the chart: the quantity and its unit.
    pub(in crate::report) fn heading(self) -> &'static str {
        match self {
            Self::TestTop1 => "Test top-1 accuracy (%)",
            Self::TestMap100 => "Test MAP@100 (%)",
            Self::TrainTop1 => "Training top-1 accuracy (%)",
            Self::TestLoss => "Test loss (nats)",
            Self::TrainLoss => "Training loss (nats)",
        }
    }

    pub(in crate::report) fn is_loss(self) -> bool {
        matches!(self, Self::TestLoss | Self::TrainLoss)
    }

    /// Returns the quantity in the heading's unit; `None` where it is not finite, or says nothing because
    /// the weights no longer are.
    fn of(self, epoch: &EpochRecord) -> Option<f64> {
        let value = match self {
            Self::TestTop1 => 100.0 * epoch.test.top1,
            Self::TestMap100 => 100.0 * epoch.test.map100?,
            Self::TrainTop1 => 100.0 * epoch.train.top1,
            Self::TestLoss => epoch.test.loss,
            Self::TrainLoss => epoch.train.loss,
        };
        Some(value).filter(|value| value.is_finite() && epoch.train.loss.is_finite())
    }
}

/// Epoch and value.
pub(in crate::report) type Point = (f64, f64);

/// One variant in a chart of epochs.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Curve {
    /// Name of the variant.
    pub(in crate::report) name: String,
    /// Mean over the finished runs.
    pub(in crate::report) mean: Vec<Point>,
    /// Epoch, smallest and largest value of the finished runs; empty for a single one.
    pub(in crate::report) band: Vec<(f64, f64, f64)>,
    /// The 95 % interval of each point of the mean, where it has one.
    pub(in crate::report) intervals: Vec<Option<Interval>>,
    /// The runs that have not finished.
    pub(in crate::report) others: Vec<OtherRun>,
}

/// A run that did not come to its end, drawn by itself.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct OtherRun {
    pub(in crate::report) points: Vec<Point>,
    pub(in crate::report) diverged: bool,
}

impl Curve {
    /// Returns the curves of all variants, in the order of the record.
    pub(in crate::report) fn all(record: &AblationRecord, quantity: Quantity) -> Vec<Self> {
        let curves = record.variants.iter().map(|v| Self::of(v, quantity));
        curves.collect()
    }

    fn of(variant: &VariantRecord, quantity: Quantity) -> Self {
        let mut finished = Vec::new();
        let mut others = Vec::new();
        for run in &variant.runs {
            let values = run.epochs.iter().map(|epoch| quantity.of(epoch));
            if run.state == RunState::Finished {
                finished.push(values.collect::<Vec<_>>());
                continue;
            }
            let points: Vec<_> = values
                .zip(1..)
                .filter_map(|(value, epoch)| Some((f64::from(epoch), value?)))
                .collect();
            if !points.is_empty() {
                let diverged = run.state == RunState::Diverged;
                others.push(OtherRun { points, diverged });
            }
        }
        let epochs = finished.iter().map(Vec::len).min().unwrap_or(0);
        let mut curve = Self {
            name: variant.name.clone(),
            mean: Vec::with_capacity(epochs),
            band: Vec::with_capacity(epochs),
            intervals: Vec::with_capacity(epochs),
            others,
        };
        for index in 0..epochs {
            let values: Option<Vec<f64>> = finished.iter().map(|run| run[index]).collect();
            // The mean of some of the runs would jump: no point where one has no number.
            let Some(values) = values else { continue };
            let epoch = (index + 1) as f64;
            curve
                .mean
                .push((epoch, values.iter().sum::<f64>() / values.len() as f64));
            let sample = Sample::of(&values);
            curve
                .intervals
                .push(sample.and_then(|sample| sample.interval()));
            if values.len() > 1 {
                let low = values.iter().copied().fold(f64::INFINITY, f64::min);
                let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                curve.band.push((epoch, low, high));
            }
        }
        curve
    }

    /// Returns where the name of the variant is written: the last point that is drawn of it.
    pub(in crate::report) fn end(&self) -> Option<Point> {
        let other = self.others.iter().filter_map(|run| run.points.last());
        let longest = other.max_by(|a, b| a.0.total_cmp(&b.0));
        self.mean.last().or(longest).copied()
    }

    /// Returns all values that are drawn.
    pub(in crate::report) fn values(&self) -> impl Iterator<Item = f64> {
        let mean = self.mean.iter().map(|point| point.1);
        let band = self.band.iter().flat_map(|(_, low, high)| [*low, *high]);
        let others = self.others.iter().flat_map(|run| &run.points);
        mean.chain(band).chain(others.map(|point| point.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    #[test]
    fn means_and_bands_are_over_finished_runs() {
        let mut record = synthetic::from_curves(&[("a", &[&[0.1, 0.2], &[0.3, 0.6], &[0.9, 0.9]])]);
        record.variants[0].runs[2].state = RunState::Diverged;
        let curve = Curve::all(&record, Quantity::TestTop1).remove(0);
        assert_eq!(curve.mean, [(1.0, 20.0), (2.0, 40.0)]);
        assert_eq!(curve.band, [(1.0, 10.0, 30.0), (2.0, 20.0, 60.0)]);
        let half = 12.706204736174694 * 10.0; // of two values 20 apart, whose mean has a deviation of 10
        assert!((curve.intervals[0].unwrap().low - (20.0 - half)).abs() < 1e-6);
        assert_eq!(curve.others.len(), 1);
        assert!(curve.others[0].diverged);
        assert_eq!(curve.end(), Some((2.0, 40.0)));
    }

    #[test]
    fn values_that_are_not_finite_are_left_out() {
        let mut record = synthetic::from_curves(&[("a", &[&[0.1, 0.2], &[0.3, 0.6]])]);
        record.variants[0].runs[0].epochs[1].train.loss = f64::INFINITY;
        let curve = Curve::all(&record, Quantity::TrainLoss).remove(0);
        assert_eq!(curve.mean.len(), 1);
        record.variants[0].runs.truncate(1);
        record.variants[0].runs[0].state = RunState::Unfinished;
        let curve = Curve::all(&record, Quantity::TrainLoss).remove(0);
        assert_eq!(curve.others[0].points, [(1.0, 0.9)]);
        assert_eq!(curve.end(), Some((1.0, 0.9)));
    }

    #[test]
    fn one_run_has_no_band() {
        let record = synthetic::from_curves(&[("a", &[&[0.1, 0.2]])]);
        let curve = Curve::all(&record, Quantity::TestTop1).remove(0);
        assert_eq!(curve.mean.len(), 2);
        assert!(curve.band.is_empty());
    }
}
