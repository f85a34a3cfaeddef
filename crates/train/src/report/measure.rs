//! What runs are measured by.

use super::statistics::{Difference, Sample};
use crate::record::{ClaimMetric, RunRecord, RunState, VariantRecord};

/// Returns the runs that came to their end.
pub(super) fn finished(variant: &VariantRecord) -> impl Iterator<Item = &RunRecord> {
    let is_finished = |run: &&RunRecord| run.state == RunState::Finished;
    variant.runs.iter().filter(is_finished)
}

/// Returns the runs that are under way or were stopped.
pub(super) fn unfinished(variant: &VariantRecord) -> impl Iterator<Item = &RunRecord> {
    let is_unfinished = |run: &&RunRecord| run.state == RunState::Unfinished;
    variant.runs.iter().filter(is_unfinished)
}

/// Returns a metric over the finished runs of a variant.
pub(super) fn sample(variant: &VariantRecord, metric: ClaimMetric) -> Option<Sample> {
    let values: Vec<f64> = by_seed(variant, metric)
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    Sample::of(&values)
}

/// Returns a metric of the finished runs of a variant, each with its seed.
pub(super) fn by_seed(variant: &VariantRecord, metric: ClaimMetric) -> Vec<(u64, f64)> {
    finished(variant)
        .filter_map(|run| Some((run.seed, measure(run, metric)?)))
        .collect()
}

/// Returns a metric of the first variant less that of the second; `None` where one has no finished run.
pub(super) fn difference(
    first: &VariantRecord,
    second: &VariantRecord,
    metric: ClaimMetric,
) -> Option<Difference> {
    Difference::between(&by_seed(first, metric), &by_seed(second, metric))
}

/// Returns the seconds of an optimization step in the fastest epoch of all runs of a variant; `None` where there is no epoch.
///
/// Other programs on the machine only ever slow a run down, so the fastest epoch is nearest to what the step takes by itself.
pub(super) fn seconds_per_step(variant: &VariantRecord) -> Option<f64> {
    let epochs = variant.runs.iter().flat_map(|run| &run.epochs);
    let seconds = epochs.map(|epoch| epoch.train_seconds / epoch.steps as f64);
    let measured = seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0);
    measured.min_by(f64::total_cmp)
}

/// Returns the name of a metric within a sentence.
pub(super) fn metric_name(metric: ClaimMetric) -> &'static str {
    match metric {
        ClaimMetric::BestTop1 => "best test top-1",
        ClaimMetric::FinalTop1 => "final test top-1",
        ClaimMetric::ChosenTop1 => "test top-1 of the epoch chosen on the validation images",
        ClaimMetric::FinalTrainLoss => "final training loss",
        ClaimMetric::MeanTop1 => "mean test top-1 over the epochs",
        ClaimMetric::FinalMap100 => "final test MAP@100",
        ClaimMetric::MeanMap100 => "mean test MAP@100 over the epochs",
    }
}

/// Returns whether less of a metric is better.
pub(super) fn is_lower_better(metric: ClaimMetric) -> bool {
    match metric {
        ClaimMetric::FinalTrainLoss => true,
        ClaimMetric::BestTop1
        | ClaimMetric::FinalTop1
        | ClaimMetric::ChosenTop1
        | ClaimMetric::MeanTop1
        | ClaimMetric::FinalMap100
        | ClaimMetric::MeanMap100 => false,
    }
}

/// Returns a metric of one run; `None` where it has no epoch or the number is not finite.
pub(super) fn measure(run: &RunRecord, metric: ClaimMetric) -> Option<f64> {
    let last = run.epochs.last()?;
    let top1 = run.epochs.iter().map(|epoch| epoch.test.top1);
    let value = match metric {
        ClaimMetric::BestTop1 => top1.fold(f64::NEG_INFINITY, f64::max),
        ClaimMetric::FinalTop1 => last.test.top1,
        ClaimMetric::ChosenTop1 => run.chosen_epoch()?.test.top1,
        ClaimMetric::FinalTrainLoss => last.train.loss,
        ClaimMetric::MeanTop1 => top1.sum::<f64>() / run.epochs.len() as f64,
        ClaimMetric::FinalMap100 => last.test.map100?,
        ClaimMetric::MeanMap100 => {
            let map100 = run.epochs.iter().map(|epoch| epoch.test.map100);
            map100.sum::<Option<f64>>()? / run.epochs.len() as f64
        }
    };
    Some(value).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    #[test]
    fn average_precision_is_that_of_the_last_epoch_and_its_mean() {
        let record = synthetic::labelled();
        let run = &record.variants[0].runs[0];
        let top1 = |metric| measure(run, metric).unwrap();
        let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12;
        let last = measure(run, ClaimMetric::FinalMap100);
        assert!(near(last, 0.9 * top1(ClaimMetric::FinalTop1)));
        let mean = measure(run, ClaimMetric::MeanMap100);
        assert!(near(mean, 0.9 * top1(ClaimMetric::MeanTop1)));
        let without = &synthetic::complete().variants[0].runs[0];
        assert_eq!(measure(without, ClaimMetric::MeanMap100), None);
        assert!(!is_lower_better(ClaimMetric::FinalMap100));
    }
}
