//! Means, spreads and differences over seeds.
//!
//! The interval of a difference is Welch's: B. L. Welch, "The generalization of 'Student's' problem
//! when several different population variances are involved", Biometrika 34 (1947), with the
//! degrees of freedom of Welch and Satterthwaite. It assumes that the values of the two samples are
//! independent and about normal, and not that they spread alike.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Probability that an interval made this way holds the true difference.
pub const CONFIDENCE: f64 = 0.95;

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

    /// Estimated variance of the mean.
    fn variance_of_mean(&self) -> Option<f64> {
        self.sd.map(|sd| sd * sd / self.count as f64)
    }
}

/// Ends of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Returns whether zero lies outside.
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// Difference of two means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// Mean of the first sample less the mean of the second.
    pub mean: f64,
    /// Interval of [`CONFIDENCE`], where there is one.
    pub interval: Option<Interval>,
    /// Why there is no interval, where there is none.
    pub no_interval: Option<NoInterval>,
}

/// Why a difference has no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoInterval {
    /// One of the two means, or both, is a single value.
    OneRun,
    /// The values of neither sample differ.
    NoSpread,
}

impl NoInterval {
    /// Returns the reason in two words.
    pub fn label(self) -> &'static str {
        match self {
            Self::OneRun => "one run",
            Self::NoSpread => "no spread",
        }
    }
}

impl Difference {
    /// Returns the mean of `first` less the mean of `second`, with its interval.
    pub fn between(first: &Sample, second: &Sample) -> Self {
        let mean = first.mean - second.mean;
        let interval = welch_interval(mean, first, second);
        Self {
            mean,
            interval: interval.ok(),
            no_interval: interval.err(),
        }
    }

    /// Returns whether there is an interval and zero lies outside.
    pub fn excludes_zero(&self) -> bool {
        self.interval
            .is_some_and(|interval| interval.excludes_zero())
    }
}

fn welch_interval(mean: f64, first: &Sample, second: &Sample) -> Result<Interval, NoInterval> {
    let variances = first.variance_of_mean().zip(second.variance_of_mean());
    let (a, b) = variances.ok_or(NoInterval::OneRun)?;
    let variance = a + b;
    // Two samples without any spread say nothing about how far their means are from the true ones.
    if !(variance > 0.0 && variance.is_finite()) {
        return Err(NoInterval::NoSpread);
    }
    let freedom = variance * variance
        / (a * a / (first.count - 1) as f64 + b * b / (second.count - 1) as f64);
    let quantile = students_t(0.5 + CONFIDENCE / 2.0, freedom).ok_or(NoInterval::NoSpread)?;
    let half = quantile * variance.sqrt();
    Ok(Interval {
        low: mean - half,
        high: mean + half,
    })
}

/// Returns the quantile of Student's t distribution.
fn students_t(probability: f64, freedom: f64) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
    Some(distribution.inverse_cdf(probability)).filter(|quantile| quantile.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(value: f64, expected: f64) {
        let error = (value - expected).abs();
        assert!(
            error <= 1e-9 * expected.abs().max(1.0),
            "{value} is not {expected}"
        );
    }

    /// `scipy.stats.t.ppf(0.975, df)` of SciPy 1.17.1.
    #[test]
    fn quantiles_are_scipys() {
        for (freedom, expected) in [
            (1.0, 12.706204736174694),
            (2.0, 4.302652729749462),
            (3.5, 2.9400886379827282),
            (4.0, 2.7764451051977934),
            (10.0, 2.228138851986274),
            (100.0, 1.9839715185235518),
        ] {
            assert_near(students_t(0.975, freedom).unwrap(), expected);
        }
    }

    /// `scipy.stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)` of SciPy 1.17.1.
    #[test]
    fn intervals_are_scipys() {
        let cases: [(&[f64], &[f64], [f64; 3]); 4] = [
            // Fifteen values each.
            (
                &[
                    27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0,
                    21.7, 21.4,
                ],
                &[
                    27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9,
                    20.5, 24.4,
                ],
                [-2.166666666666668, -3.984096267140929, -0.3492370661924069],
            ),
            (
                &[0.912, 0.905, 0.921],
                &[0.873, 0.889, 0.861],
                [
                    0.03833333333333344,
                    0.00953515407867219,
                    0.06713151258799469,
                ],
            ),
            (
                &[0.9, 0.91],
                &[0.85, 0.88],
                [
                    0.040000000000000036,
                    -0.09272108889547315,
                    0.17272108889547322,
                ],
            ),
            // One sample without spread.
            (
                &[0.9, 0.9, 0.9],
                &[0.85, 0.88, 0.86],
                [
                    0.036666666666666736,
                    -0.0012791636693008923,
                    0.07461249700263436,
                ],
            ),
        ];
        for (a, b, [mean, low, high]) in cases {
            let difference = Difference::between(&Sample::of(a).unwrap(), &Sample::of(b).unwrap());
            let interval = difference.interval.unwrap();
            assert_eq!(difference.no_interval, None);
            assert_near(difference.mean, mean);
            assert_near(interval.low, low);
            assert_near(interval.high, high);
        }
    }

    #[test]
    fn spread_needs_two_values() {
        assert_eq!(Sample::of(&[]), None);
        let one = Sample::of(&[0.5]).unwrap();
        assert_eq!((one.count, one.mean, one.sd), (1, 0.5, None));
        let many = Sample::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_near(many.mean, 2.5);
        assert_near(many.sd.unwrap(), 1.2909944487358056);
        let difference = Difference::between(&one, &many);
        assert_eq!(difference.interval, None);
        assert_eq!(difference.no_interval, Some(NoInterval::OneRun));
    }

    #[test]
    fn no_spread_gives_no_interval() {
        let a = Sample::of(&[0.1, 0.1, 0.1]).unwrap();
        let b = Sample::of(&[0.2, 0.2]).unwrap();
        assert_eq!(a.sd, Some(0.0));
        let difference = Difference::between(&a, &b);
        assert_near(difference.mean, -0.1);
        assert_eq!(difference.interval, None);
        assert_eq!(difference.no_interval, Some(NoInterval::NoSpread));
        assert!(!difference.excludes_zero());
    }
}
