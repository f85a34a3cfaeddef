//! The number of channels of every layer: the published one times the width multiplier, or one that was given.

use std::collections::BTreeMap;

use xception_messages::Bounds;

use crate::ModelError;
use crate::layers::Segments;

/// Divisor of all numbers of channels, for the sake of SIMD lanes, as in MobileNet's code.
const DIVISOR: usize = 8;

/// Range of the multiplier; above 16 a network would run out of memory before it was of use.
pub(crate) const WIDTH: Bounds = Bounds::above(0.0).at_most(16.0);

/// Largest denominator that [`Width::fitting`] tries.
#[cfg(any(feature = "weights", test))]
const MAXIMUM_DENOMINATOR: usize = 256;

/// Range of a given number of channels.
pub(crate) const CHANNELS: Bounds = Bounds::at_least(1.0).at_most(65_536.0);

/// A checked width multiplier (A. Howard et al., *MobileNets*, 2017, section 3.3), and the numbers of channels that don't
/// follow from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Width<'a> {
    multiplier: f64,
    /// Numbers of channels by the published ones that they take the place of.
    given: Option<&'a BTreeMap<usize, usize>>,
    segments: Segments,
}

impl<'a> Width<'a> {
    /// Checks that the multiplier is in the range [`WIDTH`].
    pub(crate) fn new(multiplier: f64) -> Result<Self, ModelError> {
        WIDTH.check("width", multiplier)?;
        Ok(Self {
            multiplier,
            given: None,
            segments: Segments::Channels,
        })
    }

    /// Sets numbers of channels in place of published ones.
    pub(crate) fn with_channels(self, given: &'a BTreeMap<usize, usize>) -> Self {
        Self {
            given: Some(given),
            ..self
        }
    }

    /// Returns the number of channels given in place of a published one, if there is one.
    pub(crate) fn given(&self, published: usize) -> Option<usize> {
        self.given?.get(&published).copied()
    }

    /// Makes numbers of channels such that layers have exactly this number of segments.
    pub(crate) fn with_segments(self, segments: Segments) -> Self {
        Self { segments, ..self }
    }

    /// Returns the number of channels in place of a published one: that given, or the multiplied one, rounded to the
    /// nearest multiple of 8 and at least 8. The published numbers are multiples of 8, so a multiplier of 1 leaves them
    /// as they are. Layers of more channels than segments have a multiple of their number too.
    pub(crate) fn channels(&self, published: usize) -> usize {
        if let Some(given) = self.given(published) {
            return given;
        }
        let multiplied = published as f64 * self.multiplier;
        let segments = self.segments.divisor();
        match multiplied >= segments as f64 {
            true => nearest_multiple(multiplied, least_common_multiple(DIVISOR, segments)),
            false if segments == 1 => nearest_multiple(multiplied, DIVISOR),
            false => nearest_multiple(multiplied, DIVISOR).min(segments),
        }
    }

    /// Returns the number of channels in place of a published one, given or multiplied, rounded to the nearest multiple
    /// of a divisor and at least the divisor, for layers in groups. A multiplier of 1 leaves multiples of the divisor as
    /// they are.
    pub(crate) fn multiple(&self, published: usize, divisor: usize) -> usize {
        match self.given(published) {
            Some(given) => nearest_multiple(given as f64, divisor),
            None => nearest_multiple(published as f64 * self.multiplier, divisor),
        }
    }

    /// Finds the simplest multiplier that turns the published number of channels, the first of each pair, into the
    /// second: 1 if it fits, else the fraction with the smallest denominator; `None` if none fits.
    #[cfg(any(feature = "weights", test))]
    pub(crate) fn fitting(channels: &[(usize, usize)]) -> Option<f64> {
        let multiples = channels.iter().map(|&(published, found)| Multiple {
            published,
            divisor: DIVISOR,
            found,
        });
        Self::fitting_multiples(&multiples.collect::<Vec<_>>())
    }

    /// Finds the simplest multiplier, as [`fitting`](Self::fitting) does, for numbers that have divisors of their own.
    #[cfg(any(feature = "weights", test))]
    pub(crate) fn fitting_multiples(channels: &[Multiple]) -> Option<f64> {
        let fits = |multiplier: f64| {
            let width = Width::new(multiplier).ok()?;
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

/// Returns the multiple of a divisor, but not zero, that is nearest to a number.
pub(crate) fn nearest_multiple(number: f64, divisor: usize) -> usize {
    ((number / divisor as f64).round() as usize).max(1) * divisor
}

/// A layer's number of channels as published and as found in a file, where it is a multiple of the divisor.
#[cfg(any(feature = "weights", test))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Multiple {
    pub(crate) published: usize,
    pub(crate) divisor: usize,
    pub(crate) found: usize,
}

/// Returns the divisor of a published number of channels that are convolved in groups: the least common multiple of 8
/// and the groups, or the part of it that divides the published number, so that a multiplier of 1 leaves this as it is.
pub(crate) fn divisor_in_groups(published: usize, groups: usize) -> usize {
    let multiple = least_common_multiple(DIVISOR, groups);
    greatest_common_divisor(published, multiple)
}

/// Returns the least number that both numbers, above zero, divide.
pub(crate) fn least_common_multiple(a: usize, b: usize) -> usize {
    a / greatest_common_divisor(a, b) * b
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
    fn layers_wider_than_the_segments_divide_into_them() {
        for number in [1, 2, 3, 7, 12, 16, 32, 56] {
            for multiplier in [0.02, 0.11, 0.25, 1.0] {
                let width = Width::new(multiplier).unwrap();
                let width = width.with_segments(Segments::Number(number));
                for published in [32, 64, 128, 256, 728, 1024, 1536, 2048] {
                    let channels = width.channels(published);
                    let segments = Segments::Number(number).of(channels);
                    assert_eq!(segments, number.min(channels), "{published} in {number}");
                }
            }
        }
    }

    #[test]
    fn given_numbers_come_before_the_multiplier() {
        let given = BTreeMap::from([(728, 100)]);
        let width = Width::new(0.25).unwrap().with_channels(&given);
        assert_eq!([728, 256].map(|n| width.channels(n)), [100, 64]);
    }

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
