//! How statistics are written for people.

use super::statistics::{Design, Difference, Interval, LEVEL, Sample};
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

/// Returns a time in milliseconds, without the unit.
pub(super) fn milliseconds(seconds: f64) -> String {
    significant(1e3 * seconds)
}

/// Returns a p-value for a table: `0.012`, `<0.001`, or that there is none.
pub(super) fn p_value(p: Option<f64>) -> String {
    match p {
        None => NONE.to_owned(),
        Some(p) if p < 0.001 => "<0.001".to_owned(),
        Some(p) => p_digits(p),
    }
}

/// Returns a p-value within a sentence: `p = 0.012` or `p < 0.001`.
pub(super) fn p_text(p: f64) -> String {
    match p < 0.001 {
        true => "p\u{a0}<\u{a0}0.001".to_owned(),
        false => format!("p\u{a0}=\u{a0}{}", p_digits(p)),
    }
}

/// Returns three decimals, and a fourth where three don't show on which side of the level it is.
fn p_digits(p: f64) -> String {
    let decimals = if (p - LEVEL).abs() < 0.0005 { 4 } else { 3 };
    fixed(p, decimals)
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
            | ClaimMetric::MeanTop1
            | ClaimMetric::FinalMap100
            | ClaimMetric::MeanMap100 => Self::percent(images),
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

    /// Returns what stands after a difference in a table: its interval, with a word where it is not paired by seed, or
    /// why there is none.
    pub(super) fn spread(&self, difference: &Difference) -> String {
        match (&difference.interval, difference.no_interval) {
            (Some(interval), _) => match difference.design {
                Design::Paired { .. } => self.interval(interval),
                Design::Unpaired { .. } => format!("{} unpaired", self.interval(interval)),
            },
            (None, Some(reason)) => format!("(no interval: {})", reason.label()),
            (None, None) => String::new(),
        }
    }

    /// Returns the interval of a difference in a column of its own, or why there is none.
    pub(super) fn bare_interval(&self, difference: &Difference) -> String {
        match (&difference.interval, difference.no_interval) {
            (Some(interval), _) => self.interval(interval),
            (None, Some(reason)) => reason.label().to_owned(),
            (None, None) => NONE.to_owned(),
        }
    }

    /// Returns a difference with its unit.
    pub(super) fn signed_with_unit(&self, value: f64) -> String {
        format!("{}{}", self.signed(value), self.difference)
    }

    /// Returns a difference with its interval and unit, such as `−3.20 pp [−5.00, −1.40]`.
    pub(super) fn difference(&self, difference: &Difference) -> String {
        let mean = self.signed_with_unit(difference.mean);
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
    fn p_values_are_on_their_side_of_the_level() {
        assert_eq!(p_value(None), NONE);
        assert_eq!(p_value(Some(1.0)), "1.000");
        assert_eq!(p_value(Some(0.0123)), "0.012");
        assert_eq!(p_value(Some(0.0004)), "<0.001");
        assert_eq!(p_value(Some(0.0498)), "0.0498");
        assert_eq!(p_value(Some(0.0502)), "0.0502");
        assert_eq!(p_text(0.0123), "p\u{a0}=\u{a0}0.012");
        assert_eq!(p_text(0.0001), "p\u{a0}<\u{a0}0.001");
    }

    #[test]
    fn differences() {
        let unit = Unit::percent(10_000);
        let interval = Some(Interval {
            low: -0.05,
            high: -0.014,
        });
        let mut difference = Difference {
            mean: -0.032,
            design: Design::Paired { seeds: 3 },
            sd: Some(0.01),
            interval,
            p_value: Some(0.01),
            no_interval: None,
        };
        assert_eq!(
            unit.difference(&difference),
            "−3.20\u{a0}pp [−5.00,\u{a0}−1.40]"
        );
        let bare = Difference::unpaired(&[0.032], &[0.0]).unwrap();
        assert_eq!(bare.no_interval, Some(NoInterval::OneRun));
        assert_eq!(unit.difference(&bare), "+3.20\u{a0}pp");
        assert_eq!(unit.spread(&difference), "[−5.00,\u{a0}−1.40]");
        assert_eq!(unit.spread(&bare), "(no interval: one run)");
        assert_eq!(unit.bare_interval(&bare), "one run");
        let (first, second) = (3, 2);
        difference.design = Design::Unpaired { first, second };
        assert_eq!(unit.spread(&difference), "[−5.00,\u{a0}−1.40] unpaired");
        assert_eq!(Unit::percent(360).value(0.9123), "91.2\u{a0}%");
    }
}
