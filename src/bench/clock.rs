//! Timing on a device, and statistics of the times.

use std::time::Instant;

use anyhow::Result;
use burn::prelude::Device;
use serde::Serialize;

/// A stopwatch whose laps end when the device has finished all work submitted to it.
pub struct Stopwatch<'a> {
    device: &'a Device,
    mark: Instant,
}

impl<'a> Stopwatch<'a> {
    /// Waits for the device, and starts.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn start(device: &'a Device) -> Result<Self> {
        device.sync()?;
        Ok(Self {
            device,
            mark: Instant::now(),
        })
    }

    /// Waits for the device, returns the seconds since the last lap, and starts a new one.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn lap(&mut self) -> Result<f64> {
        self.device.sync()?;
        let now = Instant::now();
        let seconds = now.duration_since(self.mark).as_secs_f64();
        self.mark = now;
        Ok(seconds)
    }
}

/// The times of the measured rounds, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Times {
    /// Shortest time.
    pub minimum: f64,
    /// First quartile.
    pub lower_quartile: f64,
    /// Median.
    pub median: f64,
    /// Third quartile.
    pub upper_quartile: f64,
    /// Longest time.
    pub maximum: f64,
    /// All times, in the order of the rounds.
    pub rounds: Vec<f64>,
}

impl Times {
    /// Computes the statistics from seconds; all are 0 if there are none.
    pub fn new(seconds: &[f64]) -> Self {
        let rounds: Vec<f64> = seconds.iter().map(|seconds| 1e3 * seconds).collect();
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        Self {
            minimum: quantile(&sorted, 0.0),
            lower_quartile: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            upper_quartile: quantile(&sorted, 0.75),
            maximum: quantile(&sorted, 1.0),
            rounds,
        }
    }
}

/// Returns a quantile of sorted values by linear interpolation.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = share * last as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(last);
    sorted[below] + part * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_rounds() {
        let times = Times::new(&[0.004, 0.001, 0.003, 0.002, 0.009]);
        let found = [
            times.minimum,
            times.lower_quartile,
            times.median,
            times.upper_quartile,
            times.maximum,
        ];
        assert_eq!(found, [1.0, 2.0, 3.0, 4.0, 9.0]);
        assert_eq!(times.rounds, [4.0, 1.0, 3.0, 2.0, 9.0]);
        assert_eq!(Times::new(&[0.001, 0.002]).median, 1.5);
        assert_eq!(Times::new(&[]).maximum, 0.0);
    }

    #[test]
    fn laps_follow_each_other() {
        let device = Device::flex();
        let start = Instant::now();
        let mut stopwatch = Stopwatch::start(&device).unwrap();
        let laps = stopwatch.lap().unwrap() + stopwatch.lap().unwrap();
        assert!(laps <= start.elapsed().as_secs_f64());
    }
}
