//! What was measured of a claim, and why it is judged as it is, in sentences.

use super::divergence::{Divergence, FEWEST_DECIDED, FEWEST_SEEDS};
use super::format::{Unit, p_text};
use super::measure::metric_name;
use super::statistics::{Difference, LEVEL, NoInterval, Sample, SeedsToDecide};
use super::verdict::Verdict;
use crate::numbers::{counted, thousands};
use crate::record::Claim;

/// Says what was measured; `absent` is what stands for the figure of a variant that has none.
pub(super) fn measured(
    claim: &Claim,
    unit: Unit,
    absent: [String; 2],
    samples: [Option<Sample>; 2],
    difference: Option<&Difference>,
) -> String {
    let [no_better, no_worse] = absent;
    let [better, worse] = samples;
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
        sentence.push_str(&format!("; difference {}", unit.difference(difference)));
        if difference.interval.is_some() {
            sentence.push_str(&format!(", {}", difference.design.label()));
        }
    }
    sentence.push('.');
    sentence
}

/// Says why a difference has no interval.
pub(super) fn without_interval(reason: Option<NoInterval>) -> String {
    let reason = match reason {
        Some(NoInterval::NoSpread) => {
            "There is no interval: the variants differ by the same at every seed, so nothing tells how much seeds matter."
        }
        _ => "There is no interval: it takes two runs or more of both variants, of the same seeds.",
    };
    reason.to_owned()
}

/// A p-value, by itself and corrected for all claims that have one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Significance {
    pub(super) p: f64,
    pub(super) adjusted: f64,
    /// Claims that have a p-value.
    pub(super) claims: usize,
    /// What the p-value would decide for.
    pub(super) side: Verdict,
}

impl Significance {
    /// Says what the p-value is, with its correction where there is one: `p = 0.004; corrected for 3 claims, p = 0.012`.
    fn text(&self) -> String {
        match self.claims {
            1 => p_text(self.p),
            claims => format!(
                "{}; corrected for {claims} claims, {}",
                p_text(self.p),
                p_text(self.adjusted)
            ),
        }
    }

    /// Says that a comparison decides by itself, but not among the others; `None` where that isn't so.
    fn lost_by_correction(&self) -> Option<String> {
        let sides = match self.side {
            Verdict::Contradicts => "contradict",
            _ => "agree with",
        };
        (self.p < LEVEL && self.adjusted >= LEVEL).then(|| {
            format!(
                "By itself this comparison would {sides} the claim ({}), but among {} claims such a difference comes \
                 up by chance too often ({}, corrected).",
                p_text(self.p),
                self.claims,
                p_text(self.adjusted)
            )
        })
    }
}

/// Says what the t-test gives, and for an undecided claim how many seeds it would take.
pub(super) fn by_t_test(significance: &Significance, seeds: Option<SeedsToDecide>) -> String {
    if let Some(reason) = significance.lost_by_correction() {
        return reason;
    }
    let text = significance.text();
    if significance.p < LEVEL {
        let side = match significance.side {
            Verdict::Contradicts => "against the claim",
            _ => "of the claim",
        };
        return format!("The interval excludes zero, on the side {side} ({text}).");
    }
    let mut reason =
        format!("The interval includes zero: seeds alone could make this difference ({text}).");
    match seeds {
        Some(SeedsToDecide::About(seeds)) => reason.push_str(&format!(
            " It would take about {seeds} seeds to decide it, if the difference seen is the true one."
        )),
        Some(SeedsToDecide::MoreThan(seeds)) => reason.push_str(&format!(
            " It would take more than {} seeds to decide it, if the difference seen is the true one.",
            thousands(seeds as u64)
        )),
        None => {}
    }
    reason
}

/// Says what divergence decides, or why it doesn't.
pub(super) fn by_divergence(
    claim: &Claim,
    divergence: &Divergence,
    significance: Option<&Significance>,
) -> String {
    let Divergence {
        seeds,
        better_diverged,
        worse_diverged,
        wins,
        losses,
    } = *divergence;
    let (better, worse) = (&claim.better, &claim.worse);
    if divergence.is_total() {
        let (loser, winner) = match worse_diverged {
            0 => (better, worse),
            _ => (worse, better),
        };
        let finding = format!("Every run of {loser} diverged, and every run of {winner} finished");
        return match divergence.ruling() {
            Some(_) => format!(
                "{finding}: {loser} has lost the claim, by rule and without a test. If both were as likely to diverge, \
                 {} seeds would come out like this with a probability of {:.1}\u{a0}% at most.",
                seeds,
                200.0 * 0.25_f64.powf(seeds as f64)
            ),
            None => format!(
                "{finding}, but {} could do that by chance: {FEWEST_SEEDS} decide the claim.",
                counted(seeds, "seed")
            ),
        };
    }
    let finding = format!(
        "Of {} each, {better_diverged} of {better} and {worse_diverged} of {worse} diverged.",
        counted(seeds, "run")
    );
    if wins + losses == 0 {
        return format!("{finding} At no seed is one better than the other.");
    }
    let by_seed = format!(
        "By seed, where a diverged run is worse than any other, {better} was better at {wins} and worse at {losses}"
    );
    let Some(significance) = significance else {
        return format!(
            "{finding} {by_seed}, which decides nothing: a sign test takes {FEWEST_DECIDED} seeds that differ."
        );
    };
    match significance.lost_by_correction() {
        Some(lost) => format!("{finding} {by_seed}. {lost}"),
        None => {
            let text = significance.text();
            let decides = match significance.p < LEVEL {
                true => "decides the claim",
                false => "leaves it open",
            };
            format!("{finding} {by_seed}: the exact sign test {decides} ({text}).")
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
