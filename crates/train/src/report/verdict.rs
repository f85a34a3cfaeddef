//! What was measured, held against what the literature claims.
//!
//! A claim is judged once all runs of its two variants have ended. Where all of them finished, the t-test of their difference
//! by seed judges it, where some diverged what [`divergence`](super::divergence) says. The p-values of all claims of a report
//! are corrected together, by Holm's method; the verdict is the corrected one. Claims without a p-value don't count there.

use serde::Serialize;

use super::divergence::Divergence;
use super::judgement::Measurement;
use super::statistics::{Difference, LEVEL, Sample, SeedsToDecide, holm};
use crate::record::{AblationRecord, Claim};

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
    pub(super) fn at(self, p: f64) -> Self {
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
    let p_values: Vec<_> = measurements.iter().map(Measurement::p_value).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ClaimMetric, synthetic};
    use crate::report::statistics::seeds_to_decide;

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
        let mut record = synthetic::with_diverged(&[("a", &[0.8, 0.9]), ("b", &[0.9, 0.8])]);
        record.claims = vec![synthetic::claim(ClaimMetric::FinalTop1, "a", "b")];
        let verdict = super::verdicts(&record).remove(0);
        assert!(
            verdict.reason.contains("more than 1,000 seeds"),
            "{}",
            verdict.reason
        );
    }
}
