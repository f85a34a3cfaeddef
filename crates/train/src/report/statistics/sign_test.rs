//! Comparisons of which only the winner is known.

/// Returns the exact two-sided p-value of `wins` and `losses` (ties left out), where either is as likely as the other.
///
/// The sign test of J. Arbuthnot (1710); of pairs that either happened to or not, it is McNemar's exact test. Six wins without
/// a loss are the fewest with a p-value below 5 %.
pub fn sign_test(wins: usize, losses: usize) -> f64 {
    let count = wins + losses;
    // Of `count` fair coins, as few or fewer heads; the probabilities follow from each other.
    let mut probability = 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX));
    let mut tail = probability;
    for heads in 1..=wins.min(losses) {
        probability *= (count - heads + 1) as f64 / heads as f64;
        tail += probability;
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    /// `scipy.stats.binomtest(wins, wins + losses, 0.5).pvalue` of SciPy 1.17.1.
    #[test]
    fn p_values_are_scipys() {
        for (wins, losses, expected) in [
            (0, 3, 0.25),
            (5, 0, 0.0625),
            (0, 6, 0.03125),
            (1, 7, 0.0703125),
            (8, 1, 0.0390625),
            (3, 3, 1.0),
            (2, 10, 0.03857421875),
        ] {
            assert_near(sign_test(wins, losses), expected, 1e-12);
        }
        assert_eq!(sign_test(0, 0), 1.0);
    }
}
