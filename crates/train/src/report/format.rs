//! How statistics are written for people.

use super::statistics::{Difference, Interval, Sample};
use crate::numbers::{fixed, signed, significant};
use crate::record::ClaimMetric;

/// Stands where there is no number.
pub(super) const NONE: &str = "\u{2013}";
/// Stands where there is a number, but nobody counted it.
pub(super) const UNKNOWN: &str = "unknown";

/// Returns the decimals of a percentage: no more than a test set of `images` images resolves.
pub(super) fn percent_decimals(images: usize) -> usize {
    if images < 1000 { 1 } else { 2 }
}

/// Returns a ratio to the base, such as `×1.25`.
pub(super) fn ratio(value: f64) -> String {
    format!("×{}", significant(value))
}

/// The unit and the decimals in which a quantity is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    /// Factor from the recorded number to the written one.
    scale: f64,
    /// Decimals.
    decimals: usize,
    /// Unit of a value, with its space, which no line breaks at.
    value: &'static str,
    /// Unit of a difference, with its space, which no line breaks at.
    difference: &'static str,
}

impl Unit {
    /// Returns a fraction as a percentage.
    pub(super) fn percent(images: usize) -> Self {
        Self {
            scale: 100.0,
            decimals: percent_decimals(images),
            value: "\u{a0}%",
            difference: "\u{a0}pp",
        }
    }

    /// Returns a loss in nats.
    pub(super) fn loss() -> Self {
        Self {
            scale: 1.0,
            decimals: 3,
            value: "\u{a0}nats",
            difference: "\u{a0}nats",
        }
    }

    /// Returns the unit of what a claim compares.
    pub(super) fn of(metric: ClaimMetric, images: usize) -> Self {
        match metric {
            ClaimMetric::BestTop1
            | ClaimMetric::FinalTop1
            | ClaimMetric::ChosenTop1
            | ClaimMetric::MeanTop1 => Self::percent(images),
            ClaimMetric::FinalTrainLoss => Self::loss(),
        }
    }

    /// Returns a value without its unit.
    pub(super) fn number(&self, value: f64) -> String {
        fixed(value * self.scale, self.decimals)
    }

    /// Returns a value with its unit.
    pub(super) fn value(&self, value: f64) -> String {
        format!("{}{}", self.number(value), self.value)
    }

    /// `mean ± sd` without its unit, for a table.
    pub(super) fn sample(&self, sample: &Sample) -> String {
        match sample.sd {
            Some(sd) => format!("{} ± {}", self.number(sample.mean), self.number(sd)),
            None => self.number(sample.mean),
        }
    }

    /// Returns a difference without its unit.
    pub(super) fn signed(&self, value: f64) -> String {
        signed(value * self.scale, self.decimals)
    }

    /// `[low, high]` without its unit.
    pub(super) fn interval(&self, interval: &Interval) -> String {
        format!(
            "[{},\u{a0}{}]",
            self.signed(interval.low),
            self.signed(interval.high)
        )
    }

    /// Returns what stands after a difference in a table: its interval, or why there is none.
    pub(super) fn spread(&self, difference: &Difference) -> String {
        match (&difference.interval, difference.no_interval) {
            (Some(interval), _) => self.interval(interval),
            (None, Some(reason)) => format!("(no interval: {})", reason.label()),
            (None, None) => String::new(),
        }
    }

    /// Returns a difference with its interval and unit, such as `−3.20 pp [−5.00, −1.40]`.
    pub(super) fn difference(&self, difference: &Difference) -> String {
        let mean = format!("{}{}", self.signed(difference.mean), self.difference);
        match &difference.interval {
            Some(interval) => format!("{mean} {}", self.interval(interval)),
            None => mean,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::statistics::NoInterval;

    #[test]
    fn ratios() {
        assert_eq!(ratio(0.8765), "×0.88");
    }

    #[test]
    fn differences() {
        let unit = Unit::percent(10_000);
        let interval = Some(Interval {
            low: -0.05,
            high: -0.014,
        });
        let difference = Difference {
            mean: -0.032,
            interval,
            no_interval: None,
        };
        assert_eq!(
            unit.difference(&difference),
            "−3.20\u{a0}pp [−5.00,\u{a0}−1.40]"
        );
        let bare = Difference {
            mean: 0.032,
            interval: None,
            no_interval: Some(NoInterval::OneRun),
        };
        assert_eq!(unit.difference(&bare), "+3.20\u{a0}pp");
        assert_eq!(unit.spread(&difference), "[−5.00,\u{a0}−1.40]");
        assert_eq!(unit.spread(&bare), "(no interval: one run)");
        assert_eq!(Unit::percent(360).value(0.9123), "91.2\u{a0}%");
    }
}
