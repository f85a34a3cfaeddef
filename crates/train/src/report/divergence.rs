//! Claims about variants whose runs diverge.
//!
//! A run that diverged has no figures, and a mean over the others flatters its variant. So where a run of either variant
//! diverged, a claim is judged by seed instead: a run that diverged is worse than any that finished, and of two that finished
//! the metric says which is better.
//!
//! - Every run of one variant diverged and every run of the other finished, with [`FEWEST_SEEDS`] seeds or more: the variant
//!   that diverged has lost the claim, by this rule and without a test. Were both as likely to diverge, with a probability q
//!   at each seed, one of the two would lose in this way with the probability 2 (q (1 - q))^n, which is at most 2 / 4^n
//!   (Barnard's exact test of n against n): 3.1 % for three seeds, below the level, but 12.5 % for two.
//! - Else the exact sign test over the seeds that differ, of which it takes [`FEWEST_DECIDED`].

use std::cmp::Ordering;

use serde::Serialize;

use super::measure::{is_lower_better, measure};
use super::statistics::sign_test;
use super::verdict::Verdict;
use crate::record::{ClaimMetric, RunRecord, RunState, VariantRecord};

/// Seeds from which on a variant that always diverges has lost a claim against one that never does.
pub const FEWEST_SEEDS: usize = 3;

/// Seeds at which one variant was better that the sign test takes to find anything: a test of fewer has no p-value below
/// the level, and none is computed.
pub const FEWEST_DECIDED: usize = 6;

/// The runs of a claim's two variants by seed, where any diverged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// Seeds with a run of both variants.
    pub seeds: usize,
    /// Runs that diverged of the variant that is said to be better.
    pub better_diverged: usize,
    /// Runs that diverged of the variant that is said to be worse.
    pub worse_diverged: usize,
    /// Seeds at which the variant that is said to be better was.
    pub wins: usize,
    /// Seeds at which it was worse. At the others both diverged, or were equally good.
    pub losses: usize,
}

impl Divergence {
    /// Compares two variants by seed; `None` where no run of theirs diverged.
    pub(super) fn of(
        better: &VariantRecord,
        worse: &VariantRecord,
        metric: ClaimMetric,
    ) -> Option<Self> {
        let mut counts = Self {
            seeds: 0,
            better_diverged: 0,
            worse_diverged: 0,
            wins: 0,
            losses: 0,
        };
        for run in &better.runs {
            let Some(other) = worse.runs.iter().find(|other| other.seed == run.seed) else {
                continue;
            };
            counts.seeds += 1;
            counts.better_diverged += usize::from(has_diverged(run));
            counts.worse_diverged += usize::from(has_diverged(other));
            match compare(run, other, metric) {
                Some(Ordering::Greater) => counts.wins += 1,
                Some(Ordering::Less) => counts.losses += 1,
                _ => {}
            }
        }
        (counts.better_diverged + counts.worse_diverged > 0).then_some(counts)
    }

    /// Returns the verdict where one variant always diverged and the other never; `None` where that isn't so, or with
    /// fewer than [`FEWEST_SEEDS`] seeds.
    pub(super) fn ruling(&self) -> Option<Verdict> {
        if self.seeds < FEWEST_SEEDS {
            return None;
        }
        match self.is_total() {
            false => None,
            true if self.worse_diverged == 0 => Some(Verdict::Contradicts),
            true => Some(Verdict::Agrees),
        }
    }

    /// Returns whether every run of one variant diverged and every run of the other finished.
    pub(super) fn is_total(&self) -> bool {
        let diverged = [self.better_diverged, self.worse_diverged];
        diverged == [self.seeds, 0] || diverged == [0, self.seeds]
    }

    /// Returns the p-value of the sign test and the verdict if it decides; `None` with fewer than
    /// [`FEWEST_DECIDED`] seeds that differ.
    pub(super) fn test(&self) -> Option<(f64, Verdict)> {
        let side = match self.wins > self.losses {
            true => Verdict::Agrees,
            false => Verdict::Contradicts,
        };
        let decided = self.wins + self.losses;
        (decided >= FEWEST_DECIDED).then(|| (sign_test(self.wins, self.losses), side))
    }
}

fn has_diverged(run: &RunRecord) -> bool {
    run.state == RunState::Diverged
}

/// Returns whether the first of two runs is better (greater) or worse (less) than the second.
fn compare(first: &RunRecord, second: &RunRecord, metric: ClaimMetric) -> Option<Ordering> {
    match (has_diverged(first), has_diverged(second)) {
        (true, true) => return Some(Ordering::Equal),
        (true, false) => return Some(Ordering::Less),
        (false, true) => return Some(Ordering::Greater),
        (false, false) => {}
    }
    let order = measure(first, metric)?.partial_cmp(&measure(second, metric)?)?;
    Some(match is_lower_better(metric) {
        true => order.reverse(),
        false => order,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    /// Two variants of runs with one epoch; 0 stands for a run that diverged.
    fn divergence(better: &[f64], worse: &[f64], metric: ClaimMetric) -> Option<Divergence> {
        let record = synthetic::with_diverged(&[("better", better), ("worse", worse)]);
        Divergence::of(&record.variants[0], &record.variants[1], metric)
    }

    #[test]
    fn a_diverged_run_is_worse_than_any_other() {
        let (better, worse) = (
            [0.1, 0.5, 0.0, 0.0, 0.6, 0.7],
            [0.0, 0.6, 0.4, 0.0, 0.5, 0.7],
        );
        let counts = divergence(&better, &worse, ClaimMetric::FinalTop1).unwrap();
        assert_eq!((counts.seeds, counts.wins, counts.losses), (6, 2, 2));
        assert_eq!((counts.better_diverged, counts.worse_diverged), (2, 2));
        // The losses of these records are one less the accuracy.
        let same = divergence(&better, &worse, ClaimMetric::FinalTrainLoss);
        assert_eq!(same, Some(counts));
        assert_eq!(counts.test(), None);
        assert_eq!(divergence(&[0.5], &[0.6], ClaimMetric::FinalTop1), None);
    }

    #[test]
    fn a_variant_that_always_diverges_has_lost() {
        let ruling = |better: &[f64], worse: &[f64]| {
            divergence(better, worse, ClaimMetric::MeanTop1)
                .unwrap()
                .ruling()
        };
        assert_eq!(ruling(&[0.1; 3], &[0.0; 3]), Some(Verdict::Agrees));
        assert_eq!(ruling(&[0.0; 3], &[0.1; 3]), Some(Verdict::Contradicts));
        assert_eq!(ruling(&[0.1; 2], &[0.0; 2]), None);
        assert_eq!(ruling(&[0.0; 3], &[0.0; 3]), None);
        assert_eq!(ruling(&[0.1, 0.1, 0.0], &[0.0; 3]), None);
        assert_eq!(ruling(&[0.1; 3], &[0.0, 0.0, 0.2]), None);
        // Of as many seeds as the rule asks for, it is below the level for variants that are alike; of one less, not.
        let chance = |seeds: usize| 2.0 * 0.25_f64.powi(seeds as i32);
        let level = super::super::statistics::LEVEL;
        assert!(chance(FEWEST_SEEDS) < level && chance(FEWEST_SEEDS - 1) > level);
    }

    #[test]
    fn some_divergence_is_tested_by_seed() {
        let test = |better: &[f64], worse: &[f64]| {
            divergence(better, worse, ClaimMetric::FinalTop1)
                .unwrap()
                .test()
        };
        let fell = [0.0, 0.1, 0.0, 0.1, 0.1, 0.1];
        assert_eq!(test(&[0.2; 6], &fell), Some((0.03125, Verdict::Agrees)));
        assert_eq!(
            test(&fell, &[0.2; 6]),
            Some((0.03125, Verdict::Contradicts))
        );
        assert_eq!(test(&[0.2; 5], &fell[..5]), None);
        let (p, _) = test(&[0.2, 0.2, 0.2, 0.2, 0.2, 0.0], &fell).unwrap();
        assert_eq!(p, 0.21875);
        // Nothing below the level is left out: the least p-value of one seed less is above it.
        assert!(sign_test(FEWEST_DECIDED - 1, 0) > super::super::statistics::LEVEL);
    }
}
