//! What was measured, held against what the literature claims.

use serde::Serialize;

use super::format::Unit;
use super::statistics::{Difference, NoInterval, Sample};
use super::summary::{RunCounts, sample};
use crate::numbers::{counted, listed};
use crate::record::{AblationRecord, Claim, ClaimMetric, VariantRecord};

/// The judgement whether a measurement bears a claim out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval of the difference excludes zero, on the side of the claim.
    Agrees,
    /// The interval of the difference excludes zero, on the other side.
    Contradicts,
    /// The interval includes zero, there is none, or runs are missing.
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
}

/// A claim, what was measured of it, and what follows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimVerdict {
    /// The claim.
    pub claim: Claim,
    /// The judgement.
    pub verdict: Verdict,
    /// The metric over the finished runs of the variant that is said to be better.
    pub better: Option<Sample>,
    /// The metric over the finished runs of the variant that is said to be worse.
    pub worse: Option<Sample>,
    /// The first less the second.
    pub difference: Option<Difference>,
    /// The measurement, in a sentence with its numbers.
    pub measured: String,
    /// Why the verdict is what it is, in a sentence.
    pub reason: String,
}

/// Judges every claim of `record`; claims that name unknown variants have no measurement (see
/// [`validate`](super::validate()), which rejects them).
pub fn verdicts(record: &AblationRecord) -> Vec<ClaimVerdict> {
    record
        .claims
        .iter()
        .map(|claim| judge(record, claim))
        .collect()
}

/// Returns the name of a metric within a sentence.
pub(super) fn metric_name(metric: ClaimMetric) -> &'static str {
    match metric {
        ClaimMetric::BestTop1 => "best test top-1",
        ClaimMetric::FinalTop1 => "final test top-1",
        ClaimMetric::ChosenTop1 => "test top-1 of the epoch chosen on the validation images",
        ClaimMetric::FinalTrainLoss => "final training loss",
        ClaimMetric::MeanTop1 => "mean test top-1 over the epochs",
    }
}

fn is_lower_better(metric: ClaimMetric) -> bool {
    match metric {
        ClaimMetric::FinalTrainLoss => true,
        ClaimMetric::BestTop1
        | ClaimMetric::FinalTop1
        | ClaimMetric::ChosenTop1
        | ClaimMetric::MeanTop1 => false,
    }
}

fn judge(record: &AblationRecord, claim: &Claim) -> ClaimVerdict {
    let find = |name: &str| record.variants.iter().find(|v| v.name == name);
    let (better, worse) = (find(&claim.better), find(&claim.worse));
    let of = |variant: Option<&VariantRecord>| variant.and_then(|v| sample(v, claim.metric));
    let (better_sample, worse_sample) = (of(better), of(worse));
    let difference = better_sample
        .zip(worse_sample)
        .map(|(better, worse)| Difference::between(&better, &worse));
    let missing = [better, worse]
        .into_iter()
        .flatten()
        .filter_map(|variant| missing_runs(variant, record.seeds.len()))
        .collect();
    let (verdict, reason) = decide(claim.metric, difference.as_ref(), missing);
    let unit = Unit::of(claim.metric, record.data.test_images);
    ClaimVerdict {
        claim: claim.clone(),
        verdict,
        better: better_sample,
        worse: worse_sample,
        difference,
        measured: describe(
            claim,
            unit,
            [better, worse].map(|variant| absence(variant, record.seeds.len())),
            [better_sample, worse_sample],
            difference,
        ),
        reason,
    }
}

/// Says which runs of a variant have not finished.
fn missing_runs(variant: &VariantRecord, planned: usize) -> Option<String> {
    let counts = RunCounts::of(variant, planned);
    (!counts.is_complete()).then(|| format!("{}: {}", variant.name, fate(&counts)))
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

fn decide(
    metric: ClaimMetric,
    difference: Option<&Difference>,
    missing: Vec<String>,
) -> (Verdict, String) {
    let undecided = |reason: &str| (Verdict::TooFewToTell, reason.to_owned());
    if !missing.is_empty() {
        return undecided(&format!("Runs are missing ({}).", missing.join("; ")));
    }
    let Some(difference) = difference else {
        return undecided("Nothing was measured.");
    };
    let Some(interval) = difference.interval else {
        return undecided(match difference.no_interval {
            Some(NoInterval::NoSpread) => {
                "There is no interval: no run differs from the others of its variant."
            }
            _ => "There is no interval: it takes two runs or more of both variants.",
        });
    };
    let better = if is_lower_better(metric) {
        interval.high < 0.0
    } else {
        interval.low > 0.0
    };
    if !interval.excludes_zero() {
        undecided("The interval includes zero: seeds alone could make this difference.")
    } else if better {
        let reason = "The interval excludes zero, on the side of the claim.";
        (Verdict::Agrees, reason.to_owned())
    } else {
        let reason = "The interval excludes zero, on the side against the claim.";
        (Verdict::Contradicts, reason.to_owned())
    }
}

/// Returns what stands for the figure of a variant that has none.
fn absence(variant: Option<&VariantRecord>, planned: usize) -> String {
    let diverged = variant.and_then(|v| RunCounts::of(v, planned).diverged_text());
    match diverged {
        Some(diverged) => format!("not measured ({diverged})"),
        None => "not measured".to_owned(),
    }
}

fn describe(
    claim: &Claim,
    unit: Unit,
    [no_better, no_worse]: [String; 2],
    [better, worse]: [Option<Sample>; 2],
    difference: Option<Difference>,
) -> String {
    let value =
        |sample: Option<Sample>, absence| sample.map_or(absence, |sample| unit.value(sample.mean));
    let mut sentence = format!(
        "{}: {} {}, {} {}",
        capitalized(metric_name(claim.metric)),
        claim.better,
        value(better, no_better),
        claim.worse,
        value(worse, no_worse),
    );
    if let Some(difference) = difference {
        sentence.push_str(&format!("; difference {}", unit.difference(&difference)));
    }
    sentence.push('.');
    sentence
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    type Curves<'a> = &'a [(&'a str, &'a [&'a [f64]])];

    fn judged(curves: Curves, metric: ClaimMetric, better: &str, worse: &str) -> ClaimVerdict {
        let mut record = synthetic::from_curves(curves);
        record.claims = vec![synthetic::claim(metric, better, worse)];
        verdicts(&record).remove(0)
    }

    const APART: Curves<'static> = &[
        ("high", &[&[0.5, 0.90], &[0.5, 0.91], &[0.5, 0.92]]),
        ("low", &[&[0.4, 0.60], &[0.4, 0.61], &[0.4, 0.62]]),
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
                .contains("+30.00\u{a0}pp [+27.73,\u{a0}+32.27]"),
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
        record.variants[1].runs[2].state = crate::record::RunState::Diverged;
        record.claims = vec![synthetic::claim(ClaimMetric::BestTop1, "high", "low")];
        let verdict = verdicts(&record).remove(0);
        assert_eq!(verdict.verdict, Verdict::TooFewToTell);
        assert!(
            verdict.reason.contains("low: 1 diverged, of 3 runs"),
            "{}",
            verdict.reason
        );

        for run in &mut record.variants[1].runs {
            run.state = crate::record::RunState::Diverged;
        }
        let verdict = verdicts(&record).remove(0);
        assert!(
            verdict
                .measured
                .contains("low not measured (3 of 3 runs diverged)"),
            "{}",
            verdict.measured
        );

        record.variants[1].runs.clear();
        let verdict = verdicts(&record).remove(0);
        assert_eq!(verdict.difference, None);
        assert!(
            verdict.measured.contains("low not measured"),
            "{}",
            verdict.measured
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
