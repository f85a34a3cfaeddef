//! How numbers are written for people.

use super::statistics::{Difference, Interval, Sample};
use crate::record::ClaimMetric;

/// The sign of negative numbers in text, as wide as a plus.
const MINUS: char = '\u{2212}';
/// What stands where there is no number.
pub(super) const NONE: &str = "\u{2013}";

/// Decimals of a percentage: no more than a test set of `images` images resolves.
pub(super) fn percent_decimals(images: usize) -> usize {
    if images < 1000 { 1 } else { 2 }
}

/// A number with a fixed count of decimals and no negative zero.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.contains(|c: char| c.is_ascii_digit() && c != '0') => {
            format!("{MINUS}{rest}")
        }
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

/// A number with its sign, zero without.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let zero = !text.contains(|c: char| c.is_ascii_digit() && c != '0');
    if zero || text.starts_with(MINUS) {
        text
    } else {
        format!("+{text}")
    }
}

/// A count with a comma between thousands, such as `22,855,952`.
pub(super) fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with three significant digits and a unit, such as `8.36 G`.
pub(super) fn magnitude(value: u64) -> String {
    let value = value as f64;
    let (scaled, unit) = match value {
        v if v >= 999.5e9 => (v / 1e12, " T"),
        v if v >= 999.5e6 => (v / 1e9, " G"),
        v if v >= 999.5e3 => (v / 1e6, " M"),
        v if v >= 999.5 => (v / 1e3, " k"),
        v => return fixed(v, 0),
    };
    format!("{}{unit}", significant(scaled))
}

/// A positive number with three significant digits, all digits of its whole part.
pub(super) fn significant(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    fixed(value, decimals)
}

/// A ratio to the base, such as `×1.25`.
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
    /// A fraction as a percentage.
    pub(super) fn percent(images: usize) -> Self {
        Self {
            scale: 100.0,
            decimals: percent_decimals(images),
            value: "\u{a0}%",
            difference: "\u{a0}pp",
        }
    }

    /// A loss in nats.
    pub(super) fn loss() -> Self {
        Self {
            scale: 1.0,
            decimals: 3,
            value: "\u{a0}nats",
            difference: "\u{a0}nats",
        }
    }

    /// The unit of what a claim compares.
    pub(super) fn of(metric: ClaimMetric, images: usize) -> Self {
        match metric {
            ClaimMetric::BestTop1 | ClaimMetric::FinalTop1 | ClaimMetric::MeanTop1 => {
                Self::percent(images)
            }
            ClaimMetric::FinalTrainLoss => Self::loss(),
        }
    }

    /// A value without its unit.
    pub(super) fn number(&self, value: f64) -> String {
        fixed(value * self.scale, self.decimals)
    }

    /// A value with its unit.
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

    /// A difference without its unit.
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

    /// What stands after a difference in a table: its interval, or why there is none.
    pub(super) fn spread(&self, difference: &Difference) -> String {
        match (&difference.interval, difference.no_interval) {
            (Some(interval), _) => self.interval(interval),
            (None, Some(reason)) => format!("(no interval: {})", reason.label()),
            (None, None) => String::new(),
        }
    }

    /// A difference with its interval and unit, such as `−3.20 pp [−5.00, −1.40]`.
    pub(super) fn difference(&self, difference: &Difference) -> String {
        let mean = format!("{}{}", self.signed(difference.mean), self.difference);
        match &difference.interval {
            Some(interval) => format!("{mean} {}", self.interval(interval)),
            None => mean,
        }
    }
}

/// Returns a count with its noun, such as `1 run` or `2 runs`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count as u64))
}

/// `a, b and c`.
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::statistics::NoInterval;

    #[test]
    fn counts() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(22_855_952), "22,855,952");
        assert_eq!(magnitude(999), "999");
        assert_eq!(magnitude(34_512), "34.5 k");
        assert_eq!(magnitude(999_600), "1.00 M");
        assert_eq!(magnitude(512_300_000), "512 M");
        assert_eq!(magnitude(8_363_000_000), "8.36 G");
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(1200, "image"), "1,200 images");
    }

    #[test]
    fn signs() {
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(fixed(-0.01, 2), "−0.01");
        assert_eq!(signed(0.5, 1), "+0.5");
        assert_eq!(signed(0.001, 1), "0.0");
        assert_eq!(signed(-3.2, 1), "−3.2");
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

    #[test]
    fn lists() {
        let words = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(listed(&words[..0]), "");
        assert_eq!(listed(&words[..1]), "a");
        assert_eq!(listed(&words), "a, b and c");
    }
}
