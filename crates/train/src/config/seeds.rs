//! Seeds as an argument: numbers and ranges.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use super::ConfigError;
use super::grid::MAX_RUNS;

/// Seeds that take the place of those of an ablation's file, such as `1-8` or `1,2,10-12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeds {
    text: String,
    seeds: Vec<u64>,
}

impl Seeds {
    /// Returns the seeds, each once, in the order in which they were given.
    pub fn as_slice(&self) -> &[u64] {
        &self.seeds
    }
}

impl FromStr for Seeds {
    type Err = ConfigError;

    /// Reads numbers and ranges, which include their ends, separated by commas.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let failed = |cause: String| ConfigError::Override {
            argument: text.to_owned(),
            cause,
        };
        let number = |part: &str| {
            part.trim().parse::<u64>().map_err(|_| {
                failed(format!(
                    "`{}` is not a seed, a whole number from 0 to {}: give seeds as in `1-8` or `1,2,5`",
                    part.trim(),
                    u64::MAX
                ))
            })
        };
        let mut seeds = Vec::new();
        let mut seen = HashSet::new();
        for part in text.split(',') {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(part)?, number(part)?),
            };
            if last < first {
                return Err(failed(format!(
                    "`{}` goes down: give the smaller seed first",
                    part.trim()
                )));
            }
            if last - first >= MAX_RUNS as u64 || seeds.len() >= MAX_RUNS {
                return Err(failed(format!("these are more than {MAX_RUNS} seeds")));
            }
            for seed in first..=last {
                if !seen.insert(seed) {
                    return Err(failed(format!("seed {seed} is there twice")));
                }
                seeds.push(seed);
            }
        }
        Ok(Self {
            text: text.to_owned(),
            seeds,
        })
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_are_read() {
        for (text, expected) in [
            ("3", vec![3]),
            ("1-4", vec![1, 2, 3, 4]),
            ("7, 1-2,0", vec![7, 1, 2, 0]),
            ("18446744073709551615", vec![u64::MAX]),
        ] {
            let seeds: Seeds = text.parse().unwrap();
            assert_eq!(seeds.as_slice(), expected);
            assert_eq!(seeds.to_string(), text);
        }
    }

    #[test]
    fn what_are_no_seeds_is_an_error_that_says_why() {
        for (text, part) in [
            ("", "`` is not a seed"),
            ("1-", "`` is not a seed"),
            ("-1", "`` is not a seed"),
            ("one", "`one` is not a seed"),
            ("8-1", "`8-1` goes down"),
            ("1-3,2", "seed 2 is there twice"),
            ("0-18446744073709551615", "more than 10000 seeds"),
        ] {
            let error = text.parse::<Seeds>().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
