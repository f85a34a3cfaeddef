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
        let multiplied = published as f64 * self.0 / DIVISOR as f64;
        (multiplied.round() as usize).max(1) * DIVISOR
    }

    /// Finds the simplest multiplier that turns the published number of channels, the first of each pair, into the
    /// second: 1 if it fits, else the fraction with the smallest denominator; `None` if none fits.
    pub(crate) fn fitting(channels: &[(usize, usize)]) -> Option<f64> {
        let fits = |multiplier: f64| {
            let width = Self::new(multiplier).ok()?;
            let all = channels
                .iter()
                .all(|&(published, found)| width.channels(published) == found);
            all.then_some(multiplier)
        };
        // The largest pair bounds the multiplier best.
        let &(published, found) = channels.iter().max()?;
        let near = found as f64 / published as f64;
        let reach = DIVISOR as f64 / published as f64;
        (1..=MAXIMUM_DENOMINATOR).find_map(|denominator| {
            let denominator = denominator as f64;
            let first = ((near - reach) * denominator).floor().max(1.0) as usize;
            let last = ((near + reach) * denominator).ceil() as usize;
            (first..=last.min(first + MAXIMUM_DENOMINATOR))
                .find_map(|numerator| fits(numerator as f64 / denominator))
        })
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
    fn rejects_what_is_no_multiplier() {
        for multiplier in [0.0, -1.0, f64::NAN, f64::INFINITY, 17.0] {
            assert!(Width::new(multiplier).is_err(), "{multiplier}");
        }
    }
}
