//! Axes that begin and end at round numbers.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::numbers;

/// Range of an axis and where its grid lines are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    ticks: Vec<f64>,
    decimals: usize,
    /// Whether positive numbers get a plus.
    signed: bool,
}

impl Axis {
    /// Returns an axis from a round number at or below `low` to one at or above `high`, with about `count`
    /// steps between ticks. It may end half a step beyond a tick.
    pub(super) fn around(low: f64, high: f64, count: usize) -> Self {
        let span = if high > low { high - low } else { 1.0 };
        let step = round_step(span / count as f64);
        let half = step / 2.0;
        let first = (low / half + 1e-9).floor();
        let last = (high / half - 1e-9).ceil().max(first + 1.0);
        let tick = (first / 2.0).ceil() as i64..=(last / 2.0).floor() as i64;
        Self {
            low: first * half,
            high: last * half,
            ticks: tick.map(|tick| tick as f64 * step).collect(),
            decimals: (-step.log10().floor()).max(0.0) as usize,
            signed: false,
        }
    }

    /// Returns an axis of whole numbers from exactly `low` to `high`, with ticks at multiples of a round
    /// step.
    pub(super) fn of_epochs(low: usize, high: usize, count: usize) -> Self {
        let span = high.saturating_sub(low).max(1);
        let step = round_step(span as f64 / count as f64).max(1.0).ceil() as usize;
        let multiples = (low..=high).filter(|epoch| epoch.is_multiple_of(step));
        let mut ticks: Vec<_> = multiples.map(|epoch| epoch as f64).collect();
        // The first epoch is marked too, unless the first multiple would crowd it.
        let room = ticks
            .first()
            .is_none_or(|first| first - low as f64 >= 0.75 * step as f64);
        if room {
            ticks.insert(0, low as f64);
        }
        Self {
            low: low as f64,
            high: high.max(low + 1) as f64,
            ticks,
            decimals: 0,
            signed: false,
        }
    }

    /// Returns the axis of a difference: positive numbers get a plus.
    pub(super) fn signed(self) -> Self {
        Self {
            signed: true,
            ..self
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.low) / (self.high - self.low);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            Vec::new()
        } else {
            self.ticks.clone()
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(tick: &f64) -> String {
        tick.to_string()
    }

    fn format_ext(&self, tick: &f64) -> String {
        if self.signed {
            numbers::signed(*tick, self.decimals)
        } else {
            numbers::fixed(*tick, self.decimals)
        }
    }
}

/// Returns the smallest of 1, 2, 5 times a power of ten that is at least `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = step / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|f| factor <= f + 1e-9);
    power * round.unwrap_or(10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_round_and_around_the_values() {
        let axis = Axis::around(12.3, 88.0, 5);
        assert_eq!((axis.low, axis.high), (10.0, 90.0));
        assert_eq!(axis.ticks, [20.0, 40.0, 60.0, 80.0]);
        let axis = Axis::around(0.0, 0.29, 5);
        assert_eq!(axis.format_ext(&axis.ticks[1]), "0.1");
        let axis = Axis::around(-3.0, 1.0, 5).signed();
        assert_eq!(axis.format_ext(&axis.ticks[0]), "−3");
        assert_eq!(axis.format_ext(&0.0), "0");
        assert_eq!(axis.format_ext(&1.0), "+1");
    }

    #[test]
    fn equal_values_have_an_axis() {
        let axis = Axis::around(5.0, 5.0, 5);
        assert!(axis.low < axis.high && axis.low <= 5.0 && axis.high >= 5.0);
    }

    #[test]
    fn epochs_are_whole() {
        assert_eq!(
            Axis::of_epochs(1, 12, 6).ticks,
            [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
        );
        assert_eq!(Axis::of_epochs(1, 3, 6).ticks, [1.0, 2.0, 3.0]);
        assert_eq!(
            Axis::of_epochs(1, 50, 6).ticks,
            [1.0, 10.0, 20.0, 30.0, 40.0, 50.0]
        );
        let single = Axis::of_epochs(1, 1, 6);
        assert_eq!(single.ticks, [1.0]);
        assert!(single.high > single.low);
    }
}
