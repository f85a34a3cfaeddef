//! Mixtures of two images.

use std::ops::Range;

use rand::Rng;

use super::ImageKey;
use crate::keyed_rng::{Purpose, keyed_rng};

/// Returns the place in an epoch's order of the sample that the one at `place` is mixed with, of `len` samples: its neighbour, so
/// that pairs follow each other in the order, which is random. The last of an odd number has nobody.
///
/// Zhang et al. ("mixup: Beyond Empirical Risk Minimization", 2018, section 2) draw pairs of samples at random, and their program
/// permutes a batch instead. Neighbours depend on neither the batch size nor the number of workers or devices, and are mostly
/// in the same batch, so that no image has to be prepared twice.
pub(crate) fn partner(place: usize, len: usize) -> Option<usize> {
    let partner = place ^ 1;
    (partner < len).then_some(partner)
}

/// Draws the share of a sample in its mixture, from 0 to 1, by the distribution Beta(`alpha`, `alpha`). Each of a pair has a share
/// of its own.
pub(crate) fn share(alpha: f64, key: ImageKey) -> f32 {
    let mut rng = keyed_rng(Purpose::Mixup, key.seed, key.epoch, key.index.into());
    // The method of Jöhnk, "Erzeugung von betaverteilten und gammaverteilten Zufallszahlen", 1964, with logarithms, since powers
    // for a small alpha are too small for a number.
    loop {
        let [one, other] = [(); 2].map(|()| (1.0 - rng.random::<f64>()).ln() / alpha);
        let most = one.max(other);
        let sum = most + ((one - most).exp() + (other - most).exp()).ln();
        if sum <= 0.0 {
            return (one - sum).exp() as f32;
        }
    }
}

/// Returns the places of all pairs that have a place in a range, in an epoch's order of `len` samples.
pub(crate) fn pairs_around(places: &Range<usize>, len: usize) -> Range<usize> {
    places.start & !1..places.end.next_multiple_of(2).min(len).max(places.end)
}

/// Mixes two images with each other; each keeps its share of itself.
pub(crate) fn mix([first, second]: [f32; 2], one: &mut [f32], other: &mut [f32]) {
    for (one, other) in one.iter_mut().zip(other) {
        let unmixed = [*one, *other];
        *one = first * unmixed[0] + (1.0 - first) * unmixed[1];
        *other = second * unmixed[1] + (1.0 - second) * unmixed[0];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partners_are_mutual() {
        for len in 0..9 {
            for place in 0..len {
                match partner(place, len) {
                    Some(other) => assert_eq!(partner(other, len), Some(place)),
                    None => assert_eq!((place, len % 2), (len - 1, 1)),
                }
            }
        }
    }

    #[test]
    fn ranges_are_widened_to_pairs() {
        for (range, expected) in [
            (0..2, 0..2),
            (1..2, 0..2),
            (3..6, 2..6),
            (3..7, 2..7),
            (5..5, 4..6),
        ] {
            assert_eq!(pairs_around(&range, 7), expected);
        }
    }

    /// The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
    #[test]
    fn shares_have_the_moments_of_the_beta_distribution() {
        for alpha in [0.01, 0.2, 0.4, 1.0, 2.0, 4.0] {
            let key = |index| ImageKey {
                seed: 9,
                epoch: 4,
                index,
            };
            let shares: Vec<f64> = (0..20_000)
                .map(|index| f64::from(share(alpha, key(index))))
                .collect();
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
            let mean = shares.iter().sum::<f64>() / 20_000.0;
            let variance = shares.iter().map(|s| (s - 0.5).powi(2)).sum::<f64>() / 20_000.0;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.013, "{alpha}: {mean}");
            assert!(
                (variance / expected - 1.0).abs() < 0.03,
                "{alpha}: {variance} {expected}"
            );
        }
    }

    #[test]
    fn a_mixture_has_its_shares() {
        let (mut one, mut other) = ([1.0, 0.0, -4.0], [0.0, 8.0, 4.0]);
        mix([0.25, 0.5], &mut one, &mut other);
        assert_eq!((one, other), ([0.25, 6.0, 2.0], [0.5, 4.0, 0.0]));
    }
}
