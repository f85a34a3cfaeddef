//! What was measured, held against what the literature claims.
//!
//! A claim is judged once all runs of its two variants have ended. Where all of them finished, the t-test of their difference
//! by seed judges it, where some diverged what [`divergence`](super::divergence) says. The p-values of all claims of a report
//! are corrected together, by Holm's method; the verdict is the corrected one. Claims without a p-value don't count there.

use serde::Serialize;

use super::divergence::Divergence;
use super::format::Unit;
use super::measure::{self, is_lower_better, sample};
use super::reason::{self, Significance};
use super::statistics::{Difference, LEVEL, Sample, SeedsToDecide, holm, seeds_to_decide};
use super::summary::RunCounts;
use crate::numbers::{counted, listed};
use crate::record::{AblationRecord, Claim, ClaimMetric, VariantRecord};

/// The judgement whether a measurement bears a claim out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is a difference, on the side of the claim.
    Agrees,
    /// There is a difference, on the other side.
    Contradicts,
    /// No difference is found, nothing can be tested, or runs are missing.
    TooFewToTell,
}

impl Verdict {
    /// Returns the verdict in a word or two.
    pub fn label(self) -> &'static str {
        match self {
            Self::Agrees => "Agrees",
            Self::Contradicts => "Contradicts",
            Self::TooFewToTell => "Undecided",
        }
    }

    /// Returns this verdict where a p-value is below the level, else none.
    fn at(self, p: f64) -> Self {
        match p < LEVEL {
            true => self,
            false => Self::TooFewToTell,
        }
    }
}

/// What a claim is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The t-test of the difference.
    TTest,
    /// The exact sign test over the seeds, since runs diverged.
    SignTest,
    /// The rule for a variant that always diverges beside one that never does.
    Divergence,
}

/// A claim, what was measured of it, and what follows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimVerdict {
    /// The claim.
    pub claim: Claim,
    /// The judgement, corrected for the number of claims.
    pub verdict: Verdict,
    /// The judgement if this were the only claim.
    pub uncorrected: Verdict,
    /// What it is judged by; `None` where nothing can be.
    pub basis: Option<Basis>,
    /// The metric over the finished runs of the variant that is said to be better.
    pub better: Option<Sample>,
    /// The metric over the finished runs of the variant that is said to be worse.
    pub worse: Option<Sample>,
    /// The first less the second, by seed.
    pub difference: Option<Difference>,
    /// Two-sided p-value of the test, where there is one.
    pub p_value: Option<f64>,
    /// The same, corrected for all claims that have one.
    pub adjusted_p_value: Option<f64>,
    /// With how many seeds the difference seen would be found, by itself and four times of five, where the t-test doesn't find
    /// it.
    pub seeds_to_decide: Option<SeedsToDecide>,
    /// How the variants compare by seed, where runs of theirs diverged.
    pub divergence: Option<Divergence>,
    /// The measurement, in a sentence with its numbers.
    pub measured: String,
    /// Why the verdict is what it is, in a sentence or two.
    pub reason: String,
}

/// Judges every claim of `record`; claims that name unknown variants have no measurement (see
/// [`validate`](super::validate()), which rejects them).
pub fn verdicts(record: &AblationRecord) -> Vec<ClaimVerdict> {
    let measurements: Vec<_> = record
        .claims
        .iter()
        .map(|claim| Measurement::of(record, claim))
        .collect();
    let p_values: Vec<_> = measurements
        .iter()
        .map(|measurement| measurement.evidence.p_value())
        .collect();
    let claims = p_values.iter().flatten().count();
    let judge = |(measurement, adjusted): (Measurement, Option<f64>)| {
        measurement.judge(record, adjusted, claims)
    };
    measurements
        .into_iter()
        .zip(holm(&p_values))
        .map(judge)
        .collect()
}

/// What was measured of a claim.
struct Measurement<'a> {
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

impl Evidence {
    fn p_value(&self) -> Option<f64> {
        match self {
            Self::Test(_, p, _) => Some(*p),
            Self::None(_) | Self::Rule(_) => None,
        }
    }
}

impl<'a> Measurement<'a> {
    fn of(record: &'a AblationRecord, claim: &'a Claim) -> Self {
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

    /// Judges the claim, with its p-value corrected for the number of claims that have one.
    fn judge(self, record: &AblationRecord, adjusted: Option<f64>, claims: usize) -> ClaimVerdict {
        let claim = self.claim;
        let p_value = self.evidence.p_value();
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

    /// Three variants whose differences from the first have p-values of 0.004, 0.027 and 0.57.
    fn three_claims() -> AblationRecord {
        let mut record = synthetic::from_curves(&[
            ("a", &[&[0.800], &[0.805], &[0.810], &[0.790]]),
            ("b", &[&[0.780], &[0.784], &[0.782], &[0.775]]),
            ("c", &[&[0.790], &[0.800], &[0.807], &[0.784]]),
            ("d", &[&[0.801], &[0.800], &[0.812], &[0.788]]),
        ]);
        let claim = |worse| synthetic::claim(ClaimMetric::FinalTop1, "a", worse);
        record.claims = ["b", "c", "d"].map(claim).to_vec();
        record
    }

    #[test]
    fn claims_are_corrected_together() {
        let mut record = three_claims();
        let all = verdicts(&record);
        let p_values: Vec<_> = all.iter().map(|v| v.p_value).collect();
        let adjusted: Vec<_> = all.iter().map(|v| v.adjusted_p_value).collect();
        assert_eq!(adjusted, holm(&p_values));
        let both = |all: &[ClaimVerdict]| -> Vec<_> {
            all.iter().map(|v| (v.uncorrected, v.verdict)).collect()
        };
        let (agrees, open) = (Verdict::Agrees, Verdict::TooFewToTell);
        assert_eq!(both(&all), [(agrees, agrees), (agrees, open), (open, open)]);
        assert!(
            all[0].reason.contains("corrected for 3 claims"),
            "{}",
            all[0].reason
        );
        assert!(
            all[1]
                .reason
                .starts_with("By itself this comparison would agree with the claim (p"),
            "{}",
            all[1].reason
        );
        assert_eq!(all[1].seeds_to_decide, None);
        // A claim that can't be tested doesn't count.
        record.claims.remove(2);
        let two = verdicts(&record);
        record.variants[3].runs.pop();
        record.claims = three_claims().claims;
        let three = verdicts(&record);
        assert_eq!(both(&three)[..2], both(&two));
        assert_eq!(three[0].adjusted_p_value, two[0].adjusted_p_value);
        assert_eq!(both(&two), [(agrees, agrees), (agrees, agrees)]);
    }

    #[test]
    fn an_undecided_claim_says_how_many_seeds_it_would_take() {
        let verdicts = verdicts(&three_claims());
        let difference = verdicts[2].difference.unwrap();
        let seeds = seeds_to_decide(difference.mean, difference.sd.unwrap());
        assert_eq!(verdicts[2].seeds_to_decide, Some(seeds));
        let SeedsToDecide::About(count) = seeds else {
            panic!("{seeds:?}");
        };
        let sentence = format!(
            "It would take about {count} seeds to decide it, if the difference seen is the true one."
        );
        assert!(
            count > 4 && verdicts[2].reason.ends_with(&sentence),
            "{}",
            verdicts[2].reason
        );
        let equal: Curves = &[("a", &[&[0.8], &[0.9]]), ("b", &[&[0.9], &[0.8]])];
        let verdict = judged(equal, ClaimMetric::FinalTop1, "a", "b");
        assert!(
            verdict.reason.contains("more than 1,000 seeds"),
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
