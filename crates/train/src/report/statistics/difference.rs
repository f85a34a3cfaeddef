//! The difference of two variants, by seed where that is possible.
//!
//! - Paired by seed: Student's t-test on the differences ("Student", "The probable error of a mean", Biometrika 6, 1908), with
//!   one degree of freedom less than there are seeds. It takes the differences for independent and about normal; what
//!   the two runs of a seed have in common cancels.
//! - Unpaired: B. L. Welch, "The generalization of 'Student's' problem when several different population variances are
//!   involved", Biometrika 34 (1947), with the degrees of freedom of Welch and Satterthwaite. It takes the values of the two
//!   samples for independent and about normal, and does not ask that they spread alike.

use serde::Serialize;

use super::students_t::{quantile, two_sided};
use super::{CONFIDENCE, Sample};

/// Differences that spread by less than this share of the values they are of are equal but for rounding.
const ROUNDING: f64 = 1e-12;

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

/// The values that a difference is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Design {
    /// Those of the seeds that both variants have.
    Paired {
        /// How many seeds that are.
        seeds: usize,
    },
    /// All of both variants, which have no two seeds in common.
    Unpaired {
        /// Values of the first variant.
        first: usize,
        /// Values of the second.
        second: usize,
    },
}

impl Design {
    /// Says what was compared: `paired, 3 seeds` or `unpaired, 3 and 1 runs`.
    pub fn label(self) -> String {
        match self {
            Self::Paired { seeds: 1 } => "paired, 1 seed".to_owned(),
            Self::Paired { seeds } => format!("paired, {seeds} seeds"),
            Self::Unpaired {
                first: 1,
                second: 1,
            } => "1 run each".to_owned(),
            Self::Unpaired { first, second } => format!("unpaired, {first} and {second} runs"),
        }
    }
}

/// Difference of two means, or another contrast of several.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// Mean of the differences by seed where paired; else the mean of the first sample less that of the second.
    pub mean: f64,
    /// What was compared.
    pub design: Design,
    /// Sample standard deviation of the differences by seed; `None` for one seed, and where unpaired.
    pub sd: Option<f64>,
    /// Interval of [`CONFIDENCE`], where there is one.
    pub interval: Option<Interval>,
    /// Two-sided p-value of the hypothesis that there is no difference; there is one where there is an interval.
    pub p_value: Option<f64>,
    /// Why there is no interval, where there is none.
    pub no_interval: Option<NoInterval>,
}

/// Why a difference has no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoInterval {
    /// There is a single difference by seed, or one of the two means is a single value.
    OneRun,
    /// The differences by seed are all the same, or the values of neither sample differ.
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
    /// Returns the first less the second of two variants' values by seed: paired where they have two seeds or more
    /// in common, else unpaired. `None` where one has no values.
    pub fn between(first: &[(u64, f64)], second: &[(u64, f64)]) -> Option<Self> {
        let pairs = first.iter().filter_map(|(seed, value)| {
            let (_, other) = second.iter().find(|(other, _)| other == seed)?;
            Some((*value, *other))
        });
        let pairs: Vec<(f64, f64)> = pairs.collect();
        if pairs.len() > 1 {
            let differences: Vec<_> = pairs.iter().map(|(first, second)| first - second).collect();
            let values = pairs.iter().flat_map(|(first, second)| [*first, *second]);
            return Self::of_contrasts(&differences, largest(values));
        }
        let values =
            |values: &[(u64, f64)]| values.iter().map(|(_, value)| *value).collect::<Vec<_>>();
        Self::unpaired(&values(first), &values(second))
    }

    /// Returns the mean of contrasts, one for each seed; `largest` is the greatest magnitude of the values that they are made
    /// of, by which rounding is told from spread. `None` where there are none.
    pub fn of_contrasts(contrasts: &[f64], largest: f64) -> Option<Self> {
        let sample = Sample::of(contrasts)?;
        let is_rounding = |sd: f64| sd <= ROUNDING * largest;
        let sd = sample.sd.map(|sd| if is_rounding(sd) { 0.0 } else { sd });
        let sample = Sample { sd, ..sample };
        let freedom = sample.count as f64 - 1.0;
        let error = match sample.variance_of_mean() {
            None => Err(NoInterval::OneRun),
            Some(variance) => Ok((variance, freedom)),
        };
        let design = Design::Paired {
            seeds: sample.count,
        };
        Some(Self::of(sample.mean, design, sample.sd, error))
    }

    /// Returns the mean of `first` less the mean of `second` by Welch's test; `None` where one has no values.
    pub fn unpaired(first: &[f64], second: &[f64]) -> Option<Self> {
        let (first, second) = (Sample::of(first)?, Sample::of(second)?);
        let variances = first.variance_of_mean().zip(second.variance_of_mean());
        let error = variances.ok_or(NoInterval::OneRun).map(|(a, b)| {
            let variance = a + b;
            let freedom = variance * variance
                / (a * a / (first.count - 1) as f64 + b * b / (second.count - 1) as f64);
            (variance, freedom)
        });
        let design = Design::Unpaired {
            first: first.count,
            second: second.count,
        };
        Some(Self::of(first.mean - second.mean, design, None, error))
    }

    /// Returns a difference with the interval and the p-value that follow from the variance of its mean and the
    /// degrees of freedom.
    fn of(
        mean: f64,
        design: Design,
        sd: Option<f64>,
        error: Result<(f64, f64), NoInterval>,
    ) -> Self {
        let tested = error.and_then(|(variance, freedom)| test(mean, variance, freedom));
        Self {
            mean,
            design,
            sd,
            interval: tested.ok().map(|(interval, _)| interval),
            p_value: tested.ok().map(|(_, p)| p),
            no_interval: tested.err(),
        }
    }

    /// Returns whether there is an interval and zero lies outside.
    pub fn excludes_zero(&self) -> bool {
        self.interval
            .is_some_and(|interval| interval.excludes_zero())
    }
}

/// Returns the greatest magnitude among values.
pub(in crate::report) fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |largest: f64, value| largest.max(value.abs()))
}

fn test(mean: f64, variance: f64, freedom: f64) -> Result<(Interval, f64), NoInterval> {
    // Values without any spread say nothing about how far their mean is from the true one.
    if !(variance > 0.0 && variance.is_finite()) {
        return Err(NoInterval::NoSpread);
    }
    let error = variance.sqrt();
    let half = quantile(0.5 + CONFIDENCE / 2.0, freedom).ok_or(NoInterval::NoSpread)? * error;
    let p = two_sided(mean / error, freedom).ok_or(NoInterval::NoSpread)?;
    let interval = Interval {
        low: mean - half,
        high: mean + half,
    };
    Ok((interval, p))
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    fn seeded(values: &[f64]) -> Vec<(u64, f64)> {
        (1..).zip(values.iter().copied()).collect()
    }

    const FIFTEEN: [&[f64]; 2] = [
        &[
            27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7,
            21.4,
        ],
        &[
            27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5,
            24.4,
        ],
    ];

    fn assert_is(difference: Difference, [mean, low, high, p]: [f64; 4]) {
        let interval = difference.interval.unwrap();
        assert_eq!(difference.no_interval, None);
        assert_near(difference.mean, mean, 1e-9);
        assert_near(interval.low, low, 1e-9);
        assert_near(interval.high, high, 1e-9);
        assert_near(difference.p_value.unwrap(), p, 1e-9);
        assert_eq!(interval.excludes_zero(), p < super::super::LEVEL);
    }

    /// `scipy.stats.ttest_rel(a, b)`, its `pvalue` and `confidence_interval(0.95)`, of SciPy 1.17.1.
    #[test]
    fn paired_differences_are_scipys() {
        let cases: [(&[f64], &[f64], [f64; 4]); 5] = [
            (
                FIFTEEN[0],
                FIFTEEN[1],
                [
                    -2.1666666666666665,
                    -3.8969465211911682,
                    -0.436386812142165,
                    0.017746021669480767,
                ],
            ),
            (
                &[0.912, 0.905, 0.921],
                &[0.873, 0.889, 0.861],
                [
                    0.038333333333333365,
                    -0.016336512311153552,
                    0.09300317897782029,
                    0.09454432560028259,
                ],
            ),
            (
                &[0.9, 0.91],
                &[0.85, 0.88],
                [
                    0.040000000000000036,
                    -0.08706204736174702,
                    0.1670620473617471,
                    0.15595826075473865,
                ],
            ),
            // One sample without spread.
            (
                &[0.9, 0.9, 0.9],
                &[0.85, 0.88, 0.86],
                [
                    0.0366666666666667,
                    -0.001279163669300927,
                    0.07461249700263434,
                    0.053270737593742554,
                ],
            ),
            (
                &[0.71, 0.74, 0.69, 0.73, 0.72, 0.70],
                &[0.70, 0.745, 0.66, 0.72, 0.70, 0.71],
                [
                    0.009166666666666656,
                    -0.006545689900018019,
                    0.02487902323335133,
                    0.19398085134242132,
                ],
            ),
        ];
        for (a, b, expected) in cases {
            let mut b = seeded(b);
            // Seeds are matched by number.
            b.reverse();
            let difference = Difference::between(&seeded(a), &b).unwrap();
            assert_eq!(difference.design, Design::Paired { seeds: a.len() });
            assert_is(difference, expected);
        }
    }

    /// `scipy.stats.ttest_ind(a, b, equal_var=False)`, its `pvalue` and `confidence_interval(0.95)`, of SciPy 1.17.1.
    #[test]
    fn unpaired_differences_are_scipys() {
        let cases: [(&[f64], &[f64], [f64; 4]); 4] = [
            (
                FIFTEEN[0],
                FIFTEEN[1],
                [
                    -2.166666666666668,
                    -3.984096267140929,
                    -0.3492370661924069,
                    0.021378001462866992,
                ],
            ),
            (
                &[0.912, 0.905, 0.921],
                &[0.873, 0.889, 0.861],
                [
                    0.03833333333333344,
                    0.00953515407867219,
                    0.06713151258799469,
                    0.023404847095958047,
                ],
            ),
            (
                &[0.9, 0.91],
                &[0.85, 0.88],
                [
                    0.040000000000000036,
                    -0.09272108889547315,
                    0.17272108889547322,
                    0.20190845807082164,
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
                    0.05327073759374244,
                ],
            ),
        ];
        for (a, b, expected) in cases {
            assert_is(Difference::unpaired(a, b).unwrap(), expected);
        }
    }

    #[test]
    fn only_common_seeds_are_paired() {
        let first = [(1, 0.9), (2, 0.8), (3, 0.1)];
        let second = [(2, 0.7), (4, 0.5), (1, 0.6)];
        let difference = Difference::between(&first, &second).unwrap();
        assert_eq!(difference.design, Design::Paired { seeds: 2 });
        assert_eq!(difference.design.label(), "paired, 2 seeds");
        assert_near(difference.mean, 0.2, 1e-12);
        // One common seed is no sample of differences; the means of all runs are compared.
        let difference = Difference::between(&first, &second[1..]).unwrap();
        assert_eq!(difference.design.label(), "unpaired, 3 and 2 runs");
        assert_near(difference.mean, 0.6 - 0.55, 1e-12);
        assert!(difference.interval.is_some() && difference.sd.is_none());
        assert_eq!(Difference::between(&first, &[]), None);
    }

    #[test]
    fn one_run_gives_no_interval() {
        let difference = Difference::between(&[(1, 0.5)], &[(1, 0.4), (2, 0.3)]).unwrap();
        assert_eq!(difference.no_interval, Some(NoInterval::OneRun));
        assert_eq!((difference.interval, difference.p_value), (None, None));
        let single = Difference::of_contrasts(&[0.5], 1.0).unwrap();
        assert_eq!(single.no_interval, Some(NoInterval::OneRun));
        assert_eq!(Difference::of_contrasts(&[], 1.0), None);
    }

    #[test]
    fn no_spread_gives_no_interval() {
        let bare = |difference: Difference, mean: f64| {
            assert_near(difference.mean, mean, 1e-12);
            assert_eq!((difference.interval, difference.p_value), (None, None));
            assert_eq!(difference.no_interval, Some(NoInterval::NoSpread));
            assert!(!difference.excludes_zero());
        };
        bare(
            Difference::unpaired(&[0.1, 0.1, 0.1], &[0.2, 0.2]).unwrap(),
            -0.1,
        );
        // The same difference at every seed, but for rounding.
        let (first, second) = ([0.912, 0.905, 0.31], [0.812, 0.805, 0.21]);
        let differences: Vec<_> = first.iter().zip(second).map(|(a, b)| a - b).collect();
        assert!(
            differences
                .iter()
                .any(|difference| *difference != differences[0])
        );
        bare(
            Difference::between(&seeded(&first), &seeded(&second)).unwrap(),
            0.1,
        );
        bare(
            Difference::between(&seeded(&first), &seeded(&first)).unwrap(),
            0.0,
        );
    }
}
