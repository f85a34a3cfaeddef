//! How often verdicts are wrong, and how often differences are found, in studies with known differences.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::statistics::{Difference, LEVEL};
use super::verdict::{Verdict, verdicts};
use crate::record::{AblationRecord, ClaimMetric, synthetic};

const STUDIES: usize = 2000;

/// Returns a standard normal number (Box and Muller).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// Returns a study of variants with these true accuracies. What a seed adds is shared by its runs, up to a share that
/// differs from study to study; variants spread unlike.
fn study(random: &mut ChaCha8Rng, accuracies: &[(&str, f64)]) -> AblationRecord {
    let seeds = random.random_range(2..=8);
    let shared: f64 = random.random_range(0.0..0.95);
    let effects: Vec<f64> = (0..seeds).map(|_| normal(random)).collect();
    let variants: Vec<(&str, Vec<f64>)> = accuracies
        .iter()
        .map(|(name, accuracy)| {
            let spread = 0.01 * random.random_range(0.5..2.0);
            let runs = effects.iter().map(|effect| {
                let own = (1.0 - shared).sqrt() * normal(random);
                accuracy + 0.01 * shared.sqrt() * effect + spread * own
            });
            (*name, runs.collect())
        })
        .collect();
    let variants: Vec<(&str, &[f64])> = variants
        .iter()
        .map(|(name, runs)| (*name, runs.as_slice()))
        .collect();
    synthetic::with_diverged(&variants)
}

/// Returns three standard deviations of the share of studies with something of this probability.
fn margin(probability: f64) -> f64 {
    3.0 * (probability * (1.0 - probability) / STUDIES as f64).sqrt()
}

#[test]
fn studies_without_a_difference_seldom_have_a_wrong_verdict() {
    let mut random = ChaCha8Rng::seed_from_u64(20_161_007);
    let names = ["base", "a", "b", "c"];
    let claims: Vec<_> = names[1..]
        .iter()
        .flat_map(|name| {
            [ClaimMetric::FinalTop1, ClaimMetric::FinalTrainLoss]
                .map(|metric| synthetic::claim(metric, "base", name))
        })
        .chain([synthetic::claim(ClaimMetric::FinalTop1, "a", "b")])
        .collect();
    let (mut corrected, mut uncorrected) = (0, 0);
    for _ in 0..STUDIES {
        let mut record = study(&mut random, &names.map(|name| (name, 0.8)));
        record.claims.clone_from(&claims);
        let verdicts = verdicts(&record);
        assert!(verdicts.iter().all(|verdict| verdict.p_value.is_some()));
        let decided = |verdict: Verdict| verdict != Verdict::TooFewToTell;
        corrected += usize::from(verdicts.iter().any(|v| decided(v.verdict)));
        uncorrected += usize::from(verdicts.iter().any(|v| decided(v.uncorrected)));
    }
    let [corrected, uncorrected] =
        [corrected, uncorrected].map(|count| count as f64 / STUDIES as f64);
    println!(
        "studies with a wrong verdict: corrected {corrected:.4}, uncorrected {uncorrected:.4}"
    );
    assert!(corrected < LEVEL + margin(LEVEL), "{corrected}");
    assert!(corrected > 0.01, "{corrected}: nothing is ever decided");
    assert!(uncorrected > 2.0 * LEVEL, "{uncorrected}");
}

#[test]
fn one_claim_without_a_difference_is_decided_at_the_level() {
    let mut random = ChaCha8Rng::seed_from_u64(1947);
    let mut wrong = 0;
    for _ in 0..STUDIES {
        let mut record = study(&mut random, &[("a", 0.8), ("b", 0.8)]);
        record.claims = vec![synthetic::claim(ClaimMetric::FinalTop1, "a", "b")];
        wrong += usize::from(verdicts(&record)[0].verdict != Verdict::TooFewToTell);
    }
    let wrong = wrong as f64 / STUDIES as f64;
    println!("single claims decided without a difference: {wrong:.4}");
    assert!((wrong - LEVEL).abs() < margin(LEVEL), "{wrong}");
}

#[test]
fn a_true_difference_is_found_more_often_by_seed() {
    let mut random = ChaCha8Rng::seed_from_u64(1908);
    let (mut paired, mut unpaired) = (0, 0);
    for _ in 0..STUDIES {
        let record = study(&mut random, &[("better", 0.81), ("worse", 0.8)]);
        let [better, worse] = [0, 1].map(|place: usize| {
            let runs = record.variants[place].runs.iter();
            runs.map(|run| (run.seed, run.epochs[0].test.top1))
                .collect::<Vec<_>>()
        });
        let values = |values: &[(u64, f64)]| values.iter().map(|(_, v)| *v).collect::<Vec<_>>();
        let found = |difference: Option<Difference>| {
            let difference = difference.unwrap();
            usize::from(difference.excludes_zero() && difference.mean > 0.0)
        };
        paired += found(Difference::between(&better, &worse));
        unpaired += found(Difference::unpaired(&values(&better), &values(&worse)));
    }
    let [paired, unpaired] = [paired, unpaired].map(|count| count as f64 / STUDIES as f64);
    println!("a true difference is found: paired {paired:.4}, unpaired {unpaired:.4}");
    assert!(paired > 1.2 * unpaired, "{paired} {unpaired}");
}
