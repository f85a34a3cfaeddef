//! A few values.

use serde::Serialize;

/// Mean and spread of a few values, one a seed.
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
}
