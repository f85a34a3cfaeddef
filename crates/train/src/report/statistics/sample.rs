//! A few values.

use serde::Serialize;

use super::{CONFIDENCE, Interval, students_t};

/// Mean and spread of a few values, one for each seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// Number of values.
    pub count: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (divisor `count - 1`); `None` for a single value.
    pub sd: Option<f64>,
}

impl Sample {
    /// Describes `values`; `None` where there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        // Equal values have no spread at all; the rounding of their mean would give them one.
        let equal = values.iter().all(|value| *value == values[0]);
        let (mean, squares) = if equal {
            (values[0], 0.0)
        } else {
            (mean, squares)
        };
        let sd = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        Some(Self { count, mean, sd })
    }

    /// Returns the 95 % interval of the mean, Student's; `None` for a single value, or where all are equal.
    pub fn interval(&self) -> Option<Interval> {
        let variance = self.variance_of_mean().filter(|variance| *variance > 0.0)?;
        let quantile = students_t::quantile((1.0 + CONFIDENCE) / 2.0, (self.count - 1) as f64)?;
        let half = quantile * variance.sqrt();
        Some(Interval {
            low: self.mean - half,
            high: self.mean + half,
        })
    }

    /// Estimated variance of the mean; `None` for a single value.
    pub(super) fn variance_of_mean(&self) -> Option<f64> {
        self.sd.map(|sd| sd * sd / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    #[test]
    fn spread_needs_two_values() {
        assert_eq!(Sample::of(&[]), None);
        let one = Sample::of(&[0.5]).unwrap();
        assert_eq!((one.count, one.mean, one.sd), (1, 0.5, None));
        let many = Sample::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_near(many.mean, 2.5, 1e-12);
        assert_near(many.sd.unwrap(), 1.2909944487358056, 1e-12);
        assert_eq!(Sample::of(&[0.1, 0.1, 0.1]).unwrap().sd, Some(0.0));
    }

    /// `scipy.stats.t.interval(0.95, 2, 2, 1 / 3 ** 0.5)` of SciPy 1.17.1.
    #[test]
    fn the_means_interval_is_students() {
        let interval = |values: &[f64]| Sample::of(values).unwrap().interval();
        let three = interval(&[1.0, 2.0, 3.0]).unwrap();
        assert_near(three.low, -0.4841377117503303, 1e-9);
        assert_near(three.high, 4.48413771175033, 1e-9);
        assert_eq!(interval(&[1.0]), None);
        assert_eq!(interval(&[0.1, 0.1, 0.1]), None);
    }
}
