//! The width multiplier, a factor on the channels of every layer.

use xception_messages::Bounds;

use crate::ModelError;

/// Divisor of all numbers of channels, for the sake of SIMD lanes, as in MobileNet's code.
const DIVISOR: usize = 8;

/// Range of the multiplier; above 16 a network would run out of memory before it was of use.
pub(crate) const WIDTH: Bounds = Bounds::above(0.0).at_most(16.0);

/// Largest denominator that [`Width::fitting`] tries.
const MAXIMUM_DENOMINATOR: usize = 256;

/// A checked width multiplier (A. Howard et al., *MobileNets*, 2017, section 3.3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Width(f64);

impl Width {
    /// Checks that the multiplier is in the range [`WIDTH`].
    pub(crate) fn new(multiplier: f64) -> Result<Self, ModelError> {
        WIDTH.check("width", multiplier)?;
        Ok(Self(multiplier))
    }

    /// Returns the multiplied number of channels, rounded to the nearest multiple of 8 and at least 8. The published
    /// numbers are multiples of 8, so a multiplier of 1 leaves them as they are.
    pub(crate) fn channels(&self, published: usize) -> usize {
        self.multiple(published, DIVISOR)
    }

    /// Returns the multiplied number of channels, rounded to the nearest multiple of a divisor and at least the divisor,
    /// for layers in groups. A multiplier of 1 leaves multiples of the divisor as they are.
    pub(crate) fn multiple(&self, published: usize, divisor: usize) -> usize {
        let multiplied = published as f64 * self.0 / divisor as f64;
        (multiplied.round() as usize).max(1) * divisor
    }

    /// Finds the simplest multiplier that turns the published number of channels, the first of each pair, into the
    /// second: 1 if it fits, else the fraction with the smallest denominator; `None` if none fits.
    pub(crate) fn fitting(channels: &[(usize, usize)]) -> Option<f64> {
        let multiples = channels.iter().map(|&(published, found)| Multiple {
            published,
            divisor: DIVISOR,
            found,
        });
        Self::fitting_multiples(&multiples.collect::<Vec<_>>())
    }

    /// Finds the simplest multiplier, as [`fitting`](Self::fitting) does, for numbers that have divisors of their own.
    pub(crate) fn fitting_multiples(channels: &[Multiple]) -> Option<f64> {
        let fits = |multiplier: f64| {
            let width = Self::new(multiplier).ok()?;
            let all = channels
                .iter()
                .all(|layer| width.multiple(layer.published, layer.divisor) == layer.found);
            all.then_some(multiplier)
        };
        // The largest number bounds the multiplier best.
        let largest = channels.iter().max_by_key(|layer| layer.published)?;
        let near = largest.found as f64 / largest.published as f64;
        let reach = largest.divisor as f64 / largest.published as f64;
        (1..=MAXIMUM_DENOMINATOR).find_map(|denominator| {
            let denominator = denominator as f64;
            let first = ((near - reach) * denominator).floor().max(1.0) as usize;
            let last = ((near + reach) * denominator).ceil() as usize;
            (first..=last.min(first + MAXIMUM_DENOMINATOR))
                .find_map(|numerator| fits(numerator as f64 / denominator))
        })
    }
}

/// A layer's number of channels as published and as found in a file, where it is a multiple of the divisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Multiple {
    pub(crate) published: usize,
    pub(crate) divisor: usize,
    pub(crate) found: usize,
}

/// Returns the divisor of a published number of channels that are convolved in groups: the least common multiple of 8
/// and the groups, or the part of it that divides the published number, so that a multiplier of 1 leaves this as it is.
pub(crate) fn divisor_in_groups(published: usize, groups: usize) -> usize {
    let multiple = DIVISOR / greatest_common_divisor(DIVISOR, groups) * groups;
    greatest_common_divisor(published, multiple)
}

/// Returns the greatest common divisor of two numbers above zero.
fn greatest_common_divisor(a: usize, b: usize) -> usize {
    match b {
        0 => a,
        b => greatest_common_divisor(b, a % b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_keeps_the_published_channels() {
        let width = Width::new(1.0).unwrap();
        for channels in [32, 48, 80, 96, 192, 320, 384, 448, 728, 1024, 1536, 2048] {
            assert_eq!(width.channels(channels), channels);
        }
    }

    #[test]
    fn rounds_to_multiples_of_eight_and_never_to_zero() {
        let width = Width::new(0.25).unwrap();
        assert_eq!(width.channels(728), 184);
        assert_eq!(width.channels(32), 8);
        assert_eq!(Width::new(0.01).unwrap().channels(32), 8);
    }

    #[test]
    fn a_fitting_multiplier_is_the_simplest() {
        for multiplier in [1.0, 0.1, 0.125, 0.25, 0.5, 0.75, 1.5, 2.0] {
            let width = Width::new(multiplier).unwrap();
            let channels = [32, 64, 128, 256, 728, 1024, 1536, 2048];
            let channels = channels.map(|published| (published, width.channels(published)));
            assert_eq!(Width::fitting(&channels), Some(multiplier));
        }
        assert_eq!(Width::fitting(&[(32, 32), (2048, 512)]), None);
        assert_eq!(Width::fitting(&[(32, 0), (2048, usize::MAX / 2)]), None);
    }

    #[test]
    fn channels_in_groups_stay_divisible_by_them() {
        // ResNeXt's five cardinalities, one with an odd number of groups, and one without a factor of 8.
        for (published, groups, divisor) in [
            (64, 1, 8),
            (80, 2, 8),
            (96, 4, 8),
            (112, 8, 8),
            (128, 32, 32),
            (72, 3, 24),
            (12, 3, 12),
            (6, 2, 2),
        ] {
            assert_eq!(divisor_in_groups(published, groups), divisor);
            assert_eq!(divisor % groups, 0);
            let one = Width::new(1.0).unwrap();
            assert_eq!(one.multiple(published, divisor), published);
        }
        let width = Width::new(0.3).unwrap();
        assert_eq!(width.multiple(128, 32), 32);
        assert_eq!(width.multiple(256, 32), 64);
    }

    #[test]
    fn a_multiplier_fits_numbers_with_other_divisors() {
        let width = Width::new(0.25).unwrap();
        let channels = [(24, 3), (240, 12), (960, 12)].map(|(published, divisor)| Multiple {
            published,
            divisor,
            found: width.multiple(published, divisor),
        });
        assert_eq!(channels.map(|layer| layer.found), [6, 60, 240]);
        assert_eq!(Width::fitting_multiples(&channels), Some(0.25));
    }

    #[test]
    fn rejects_what_is_no_multiplier() {
        for multiplier in [0.0, -1.0, f64::NAN, f64::INFINITY, 17.0] {
            assert!(Width::new(multiplier).is_err(), "{multiplier}");
        }
    }
}
