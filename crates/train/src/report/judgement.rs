//! What a claim is judged by.

use super::divergence::Divergence;
use super::format::Unit;
use super::measure::{self, is_lower_better, sample};
use super::reason::{self, Significance};
use super::statistics::{Difference, LEVEL, seeds_to_decide};
use super::summary::{RunCounts, fate};
use super::verdict::{Basis, ClaimVerdict, Verdict};
use crate::record::{AblationRecord, Claim, ClaimMetric, VariantRecord};

/// What was measured of a claim.
pub(super) struct Measurement<'a> {
    claim: &'a Claim,
    better: Option<&'a VariantRecord>,
    worse: Option<&'a VariantRecord>,
    difference: Option<Difference>,
    divergence: Option<Divergence>,
    evidence: Evidence,
}

/// What there is to judge a claim by.
enum Evidence {
    /// Nothing, with the reason.
    None(String),
    /// A rule that decides without a test.
    Rule(Verdict),
    /// A test, with its p-value and the verdict if that is low enough.
    Test(Basis, f64, Verdict),
}

impl<'a> Measurement<'a> {
    /// Measures a claim.
    pub(super) fn of(record: &'a AblationRecord, claim: &'a Claim) -> Self {
        let find = |name: &str| record.variants.iter().find(|v| v.name == name);
        let (better, worse) = (find(&claim.better), find(&claim.worse));
        let both = better.zip(worse);
        let difference =
            both.and_then(|(better, worse)| measure::difference(better, worse, claim.metric));
        let divergence =
            both.and_then(|(better, worse)| Divergence::of(better, worse, claim.metric));
        let missing: Vec<_> = [better, worse]
            .into_iter()
            .flatten()
            .filter_map(|variant| missing_runs(variant, record.seeds.len()))
            .collect();
        let evidence = match missing.as_slice() {
            [] => evidence(claim, difference.as_ref(), divergence.as_ref()),
            missing => Evidence::None(format!("Runs are missing ({}).", missing.join("; "))),
        };
        Self {
            claim,
            better,
            worse,
            difference,
            divergence,
            evidence,
        }
    }

    /// Returns the p-value of the claim's test, where there is one.
    pub(super) fn p_value(&self) -> Option<f64> {
        match self.evidence {
            Evidence::Test(_, p, _) => Some(p),
            Evidence::None(_) | Evidence::Rule(_) => None,
        }
    }

    /// Judges the claim, with its p-value corrected for the number of claims that have one.
    pub(super) fn judge(
        self,
        record: &AblationRecord,
        adjusted: Option<f64>,
        claims: usize,
    ) -> ClaimVerdict {
        let claim = self.claim;
        let p_value = self.p_value();
        let mut seeds = None;
        let (basis, verdict, uncorrected, reason) = match self.evidence {
            Evidence::None(reason) => (None, Verdict::TooFewToTell, Verdict::TooFewToTell, reason),
            Evidence::Rule(verdict) => {
                let reason = self.divergence.map_or_else(String::new, |divergence| {
                    reason::by_divergence(claim, &divergence, None)
                });
                (Some(Basis::Divergence), verdict, verdict, reason)
            }
            Evidence::Test(basis, p, side) => {
                let significance = Significance {
                    p,
                    adjusted: adjusted.unwrap_or(p),
                    claims,
                    side,
                };
                let reason = match self.divergence {
                    Some(divergence) => {
                        reason::by_divergence(claim, &divergence, Some(&significance))
                    }
                    None => {
                        let difference = self.difference.filter(|_| p >= LEVEL);
                        seeds = difference.and_then(|d| Some(seeds_to_decide(d.mean, d.sd?)));
                        reason::by_t_test(&significance, seeds)
                    }
                };
                let verdict = side.at(significance.adjusted);
                (Some(basis), verdict, side.at(p), reason)
            }
        };
        let variants = [self.better, self.worse];
        let samples = variants.map(|variant| variant.and_then(|v| sample(v, claim.metric)));
        let [better, worse] = samples;
        let measured = reason::measured(
            claim,
            Unit::of(claim.metric, record.data.test_images),
            variants.map(|variant| absence(variant, record.seeds.len())),
            samples,
            self.difference.as_ref(),
        );
        ClaimVerdict {
            claim: claim.clone(),
            verdict,
            uncorrected,
            basis,
            better,
            worse,
            difference: self.difference,
            p_value,
            adjusted_p_value: adjusted,
            seeds_to_decide: seeds,
            divergence: self.divergence,
            measured,
            reason,
        }
    }
}

/// Returns what a claim is judged by, of which all runs have ended.
fn evidence(
    claim: &Claim,
    difference: Option<&Difference>,
    divergence: Option<&Divergence>,
) -> Evidence {
    if let Some(divergence) = divergence {
        if let Some(verdict) = divergence.ruling() {
            return Evidence::Rule(verdict);
        }
        return match divergence.test() {
            Some((p, side)) => Evidence::Test(Basis::SignTest, p, side),
            None => Evidence::None(reason::by_divergence(claim, divergence, None)),
        };
    }
    let Some(difference) = difference else {
        return Evidence::None("Nothing was measured.".to_owned());
    };
    match difference.p_value {
        Some(p) => Evidence::Test(Basis::TTest, p, side(claim.metric, difference.mean)),
        None => Evidence::None(reason::without_interval(difference.no_interval)),
    }
}

/// Returns what a difference says of a claim, if it is one.
fn side(metric: ClaimMetric, difference: f64) -> Verdict {
    match (difference < 0.0) == is_lower_better(metric) {
        true => Verdict::Agrees,
        false => Verdict::Contradicts,
    }
}

/// Says which runs of a variant have not ended, or left nothing that can be used.
fn missing_runs(variant: &VariantRecord, planned: usize) -> Option<String> {
    let counts = RunCounts::of(variant, planned);
    let ended = counts.finished + counts.diverged == counts.planned;
    (!ended).then(|| format!("{}: {}", variant.name, fate(&counts)))
}

/// Returns what stands for the figure of a variant that has none.
fn absence(variant: Option<&VariantRecord>, planned: usize) -> String {
    let diverged = variant.and_then(|v| RunCounts::of(v, planned).diverged_text());
    match diverged {
        Some(diverged) => format!("not measured ({diverged})"),
        None => "not measured".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;
    use crate::report::statistics::Design;
    use crate::report::verdict::verdicts;

    type Curves<'a> = &'a [(&'a str, &'a [&'a [f64]])];

    fn judged(curves: Curves, metric: ClaimMetric, better: &str, worse: &str) -> ClaimVerdict {
        let mut record = synthetic::from_curves(curves);
        record.claims = vec![synthetic::claim(metric, better, worse)];
        verdicts(&record).remove(0)
    }

    const APART: Curves<'static> = &[
        ("high", &[&[0.5, 0.90], &[0.5, 0.91], &[0.5, 0.92]]),
        ("low", &[&[0.4, 0.60], &[0.4, 0.62], &[0.4, 0.61]]),
    ];

    #[test]
    fn clear_differences_are_decided() {
        let verdict = judged(APART, ClaimMetric::FinalTop1, "high", "low");
        assert_eq!(verdict.verdict, Verdict::Agrees);
        assert!(
            verdict.measured.contains("high 91.00\u{a0}%"),
            "{}",
            verdict.measured
        );
        assert!(
            verdict
                .measured
                .contains("+30.00\u{a0}pp [+27.52,\u{a0}+32.48], paired, 3 seeds."),
            "{}",
            verdict.measured
        );
        let verdict = judged(APART, ClaimMetric::BestTop1, "low", "high");
        assert_eq!(verdict.verdict, Verdict::Contradicts);
        assert!(verdict.difference.unwrap().mean < 0.0);
    }

    #[test]
    fn a_lower_loss_is_better() {
        // The losses of these records are one less the accuracy.
        let verdict = judged(APART, ClaimMetric::FinalTrainLoss, "high", "low");
        assert_eq!(verdict.verdict, Verdict::Agrees);
        assert!(verdict.difference.unwrap().mean < 0.0);
        let verdict = judged(APART, ClaimMetric::FinalTrainLoss, "low", "high");
        assert_eq!(verdict.verdict, Verdict::Contradicts);
    }

    #[test]
    fn small_differences_are_not() {
        let curves: Curves = &[
            ("a", &[&[0.90], &[0.93]]),
            ("b", &[&[0.91], &[0.89]]),
            ("still", &[&[0.8], &[0.8]]),
            ("dead", &[&[0.7], &[0.7]]),
        ];
        let verdict = judged(curves, ClaimMetric::MeanTop1, "a", "b");
        assert_eq!(verdict.verdict, Verdict::TooFewToTell);
        assert!(
            verdict.reason.contains("includes zero"),
            "{}",
            verdict.reason
        );
        let verdict = judged(curves, ClaimMetric::MeanTop1, "still", "dead");
        assert_eq!(verdict.verdict, Verdict::TooFewToTell);
        assert!(verdict.reason.contains("no interval"), "{}", verdict.reason);
    }

    #[test]
    fn missing_runs_leave_it_open() {
        let mut record = synthetic::from_curves(APART);
        record.variants[1].runs[2].state = crate::record::RunState::Unfinished;
        record.claims = vec![synthetic::claim(ClaimMetric::BestTop1, "high", "low")];
        let verdict = verdicts(&record).remove(0);
        assert_eq!(verdict.verdict, Verdict::TooFewToTell);
        assert_eq!((verdict.basis, verdict.p_value), (None, None));
        assert!(
            verdict.reason.contains("low: 1 unfinished, of 3 runs"),
            "{}",
            verdict.reason
        );
        // The difference is shown, over the seeds that both finished.
        let difference = verdict.difference.unwrap();
        assert_eq!(difference.design, Design::Paired { seeds: 2 });

        record.variants[1].runs.clear();
        let verdict = verdicts(&record).remove(0);
        assert_eq!(verdict.difference, None);
        assert!(
            verdict.measured.contains("low not measured"),
            "{}",
            verdict.measured
        );
    }

    fn diverging(better: &[f64], worse: &[f64]) -> ClaimVerdict {
        let mut record = synthetic::with_diverged(&[("a", better), ("b", worse)]);
        record.claims = vec![synthetic::claim(ClaimMetric::FinalTop1, "a", "b")];
        verdicts(&record).remove(0)
    }

    #[test]
    fn a_variant_that_always_diverges_has_lost() {
        let verdict = diverging(&[0.8; 3], &[0.0; 3]);
        assert_eq!(verdict.verdict, Verdict::Agrees);
        assert_eq!(verdict.uncorrected, Verdict::Agrees);
        assert_eq!(verdict.basis, Some(Basis::Divergence));
        assert_eq!((verdict.difference, verdict.p_value), (None, None));
        assert_eq!(
            verdict.reason,
            "Every run of b diverged, and every run of a finished: b has lost the claim, by rule and without a test. If \
             both were as likely to diverge, 3 seeds would come out like this with a probability of 3.1\u{a0}% at most."
        );
        assert!(
            verdict
                .measured
                .contains("b not measured (3 of 3 runs diverged)"),
            "{}",
            verdict.measured
        );
        let verdict = diverging(&[0.0; 3], &[0.8; 3]);
        assert_eq!(verdict.verdict, Verdict::Contradicts);
        assert!(verdict.reason.starts_with("Every run of a diverged"));
        let verdict = diverging(&[0.8; 2], &[0.0; 2]);
        assert_eq!(verdict.verdict, Verdict::TooFewToTell);
        assert!(
            verdict
                .reason
                .ends_with("but 2 seeds could do that by chance: 3 decide the claim."),
            "{}",
            verdict.reason
        );
        let verdict = diverging(&[0.0; 3], &[0.0; 3]);
        assert_eq!(
            (verdict.verdict, verdict.basis),
            (Verdict::TooFewToTell, None)
        );
        assert!(
            verdict
                .reason
                .contains("3 of a and 3 of b diverged. At no seed"),
            "{}",
            verdict.reason
        );
    }

    #[test]
    fn some_divergence_is_judged_by_seed() {
        // By their means alone, the survivors of `b` would contradict the claim.
        let survivors = [0.0, 0.0, 0.0, 0.91, 0.0, 0.0, 0.92, 0.0, 0.0];
        let verdict = diverging(&[0.8; 9], &survivors);
        assert!(verdict.difference.unwrap().mean < 0.0);
        assert_eq!(verdict.basis, Some(Basis::SignTest));
        assert_eq!(verdict.p_value, Some(0.1796875));
        assert_eq!(verdict.verdict, Verdict::TooFewToTell);
        assert!(
            verdict
                .reason
                .contains("a was better at 7 and worse at 2: the exact sign test leaves it open"),
            "{}",
            verdict.reason
        );
        let mut survivors = survivors;
        survivors[6] = 0.0;
        let verdict = diverging(&[0.8; 9], &survivors);
        assert_eq!(verdict.p_value, Some(0.0390625));
        assert_eq!(verdict.verdict, Verdict::Agrees);
        assert!(
            verdict
                .reason
                .starts_with("Of 9 runs each, 0 of a and 8 of b diverged."),
            "{}",
            verdict.reason
        );
        let verdict = diverging(&[0.8; 3], &survivors[..3]);
        assert_eq!(verdict.basis, Some(Basis::Divergence));
        let verdict = diverging(&[0.8; 3], &survivors[1..4]);
        assert_eq!(
            (verdict.verdict, verdict.p_value),
            (Verdict::TooFewToTell, None)
        );
        assert!(
            verdict
                .reason
                .contains("which decides nothing: a sign test takes 6 seeds that differ"),
            "{}",
            verdict.reason
        );
    }

    #[test]
    fn one_seed_leaves_it_open() {
        let curves: Curves = &[("a", &[&[0.9]]), ("b", &[&[0.1]])];
        let verdict = judged(curves, ClaimMetric::BestTop1, "a", "b");
        assert_eq!(verdict.verdict, Verdict::TooFewToTell);
        assert!(
            verdict.reason.contains("two runs or more"),
            "{}",
            verdict.reason
        );
        assert!(
            verdict.measured.contains("+80.00\u{a0}pp."),
            "{}",
            verdict.measured
        );
    }
}
