//! The scale of a loss whose gradients pass through half precision.

use serde::{Deserialize, Serialize};

/// A factor on the loss that keeps small gradients above the smallest numbers of `f16` (P. Micikevicius et al., *Mixed Precision
/// Training*, ICLR 2018, sections 3.2 and 4). It is a power of two, so that it rounds nothing, and follows the gradients: a step
/// whose gradients overflow is left out and halves it, and 2,000 steps without an overflow double it, as in PyTorch's `GradScaler`.
///
/// ```
/// use xception_optimizers::LossScale;
///
/// let mut scale = LossScale::new();
/// assert_eq!(scale.factor(), 65536.0);
/// let goes_on = scale.overflowed();
/// assert!(goes_on && scale.factor() == 32768.0);
/// for _ in 0..2000 {
///     scale.fitted();
/// }
/// assert_eq!(scale.factor(), 65536.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossScale {
    factor: f64,
    /// Steps since the factor changed.
    steps: u32,
}

impl LossScale {
    /// The factor at first.
    pub const FIRST: f64 = 65536.0;
    /// The smallest factor: gradients that overflow with it do so by themselves.
    pub const LEAST: f64 = 1.0;
    /// The largest factor.
    pub const MOST: f64 = 16_777_216.0;
    /// The steps without an overflow after which the factor is doubled.
    pub const INTERVAL: u32 = 2000;

    /// Returns the scale before the first step.
    pub fn new() -> Self {
        Self {
            factor: Self::FIRST,
            steps: 0,
        }
    }

    /// Returns the factor that the loss is to be multiplied by, and its gradients divided.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// Takes note of a step whose gradients were finite.
    pub fn fitted(&mut self) {
        self.steps += 1;
        if self.steps >= Self::INTERVAL {
            self.factor = (2.0 * self.factor).min(Self::MOST);
            self.steps = 0;
        }
    }

    /// Takes note of a step whose gradients were not finite, and which is to be left out. Returns whether a smaller factor is left to
    /// try; where none is, the gradients are too large whatever the factor.
    pub fn overflowed(&mut self) -> bool {
        self.steps = 0;
        let goes_on = self.factor > Self::LEAST;
        self.factor = (self.factor / 2.0).max(Self::LEAST);
        goes_on
    }
}

impl Default for LossScale {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_stays_between_its_bounds() {
        let mut scale = LossScale::new();
        let halvings = (0..100).take_while(|_| scale.overflowed()).count();
        assert_eq!((halvings, scale.factor()), (16, LossScale::LEAST));
        for _ in 0..30 * LossScale::INTERVAL {
            scale.fitted();
        }
        assert_eq!(scale.factor(), LossScale::MOST);
    }

    #[test]
    fn an_overflow_starts_the_count_again() {
        let mut scale = LossScale::new();
        for _ in 1..LossScale::INTERVAL {
            scale.fitted();
        }
        scale.overflowed();
        for _ in 1..LossScale::INTERVAL {
            scale.fitted();
            assert_eq!(scale.factor(), LossScale::FIRST / 2.0);
        }
        scale.fitted();
        assert_eq!(scale.factor(), LossScale::FIRST);
    }

    #[test]
    fn it_is_the_same_after_it_was_written_and_read() {
        let mut scale = LossScale::new();
        scale.overflowed();
        scale.fitted();
        let text = serde_json::to_string(&scale).unwrap();
        assert_eq!(serde_json::from_str::<LossScale>(&text).unwrap(), scale);
    }
}
