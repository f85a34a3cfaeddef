//! The choice of a network's width by its number of parameters or multiply-adds.

use std::collections::BTreeMap;
use std::fmt;

use burn::prelude::Device;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_messages::{Bounds, grouped};

use crate::width::least_common_multiple;
use crate::{ModelConfig, ModelError, Summary};

/// Largest relative difference between a network's complexity and the one it was chosen for.
const TOLERANCE: f64 = 0.01;
/// A relative difference at which the search ends.
const CLOSE: f64 = 1e-3;
/// Widths between which the search starts.
const WIDTHS: [f64; 2] = [1e-4, 16.0];
/// Number of halvings of that range, which leave a difference of a billionth.
const HALVINGS: usize = 34;
/// Numbers of which the channels are multiples, one after the other until a network is close enough.
const DIVISORS: [usize; 4] = [8, 4, 2, 1];
/// Factors on the nearest width, around which numbers of channels are changed one by one.
const NEARBY: [f64; 5] = [1.0, 0.96, 1.04, 0.9, 1.1];
/// Most steps by which a number of channels may differ from the width's proportion.
const REACH: f64 = 2.0;

/// Range of the number of parameters or multiply-adds.
const RANGE: Bounds = Bounds::at_least(1.0).at_most(1e14);

/// A network's number of parameters or multiply-adds, by which networks of different form are compared at equal size.
///
/// In JSON it is `{"parameters": 500000}` or `{"multiply_adds": 20000000}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Complexity {
    /// Trainable parameters.
    Parameters(#[schemars(example = 500_000, transform = RANGE.of_number())] u64),
    /// Multiply-adds of convolutions and linear layers for one image.
    MultiplyAdds(#[schemars(example = 20_000_000, transform = RANGE.of_number())] u64),
}

impl Complexity {
    /// Returns the number.
    pub fn value(self) -> u64 {
        match self {
            Self::Parameters(value) | Self::MultiplyAdds(value) => value,
        }
    }

    /// Checks that the number is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the kind of complexity.
    pub fn check(self) -> Result<(), ModelError> {
        let kind = match self {
            Self::Parameters(_) => "parameters",
            Self::MultiplyAdds(_) => "multiply_adds",
        };
        Ok(RANGE.check(kind, self.value() as f64)?)
    }

    /// Returns the complexity of this kind of a network with this summary.
    pub fn of(self, summary: &Summary) -> Self {
        match self {
            Self::Parameters(_) => Self::Parameters(summary.parameters()),
            Self::MultiplyAdds(_) => Self::MultiplyAdds(summary.multiply_adds()),
        }
    }

    /// Returns the relative difference to another complexity of the same kind.
    fn difference(self, other: Self) -> f64 {
        let [this, other] = [self, other].map(|complexity| complexity.value() as f64);
        (other - this).abs() / this
    }
}

impl fmt::Display for Complexity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let what = match self {
            Self::Parameters(_) => "parameters",
            Self::MultiplyAdds(_) => "multiply-adds",
        };
        write!(f, "{} {what}", grouped(self.value()))
    }
}

impl ModelConfig {
    /// Returns the configuration with the width at which the network has this complexity, within 1 %, for images of this
    /// height and width, in pixels. The present width does not matter.
    ///
    /// Where numbers of channels that are multiples of 8 come close enough, the width says it all. Elsewhere, and where
    /// the channels have to divide into segments, the nearest numbers around the width's proportion are given one by one,
    /// in [`channels`](crate::XceptionConfig::channels).
    ///
    /// ```
    /// use burn::prelude::*;
    /// use xception_models::layers::{Segments, Stem};
    /// use xception_models::{Complexity, ModelConfig, Network, XceptionConfig};
    ///
    /// for segments in [Segments::Number(1), Segments::Number(8), Segments::Channels] {
    ///     let config = XceptionConfig::new(10).with_segments(segments).with_stem(Stem::Small);
    ///     let config = ModelConfig::Xception(config).fit(Complexity::Parameters(400_000), [32, 32])?;
    ///     let parameters = config.init(&Device::flex())?.trainable_parameters();
    ///     assert!((396_000..=404_000).contains(&parameters));
    /// }
    /// # Ok::<(), xception_models::ModelError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ModelError::NoWidth`] if no width comes close enough, or if another option is out of its range.
    pub fn fit(&self, complexity: Complexity, image_size: [usize; 2]) -> Result<Self, ModelError> {
        complexity.check()?;
        let target = Target {
            complexity,
            image_size,
            config: self.clone().with_channels(BTreeMap::new()),
        };
        target.search()
    }
}

/// A complexity, and the network that is to have it.
struct Target {
    complexity: Complexity,
    image_size: [usize; 2],
    config: ModelConfig,
}

/// A network with its relative difference to the target.
struct Candidate {
    config: ModelConfig,
    difference: f64,
}

impl Target {
    fn search(&self) -> Result<ModelConfig, ModelError> {
        let mut best = self.nearest_width()?;
        let width = best.config.width();
        let starts = DIVISORS.iter().flat_map(|&divisor| {
            let nearby = NEARBY.iter();
            nearby.map(move |factor| (width * factor, divisor))
        });
        for (width, divisor) in starts {
            if best.difference <= TOLERANCE / 2.0 {
                break;
            }
            let refined = self.refine(width, divisor)?;
            if refined.difference < best.difference {
                best = refined;
            }
        }
        match best.difference <= TOLERANCE {
            true => Ok(best.config),
            false => Err(ModelError::NoWidth {
                network: self.config.name(),
                wanted: self.complexity.to_string(),
                nearest: self.measure(&best.config)?.to_string(),
            }),
        }
    }

    fn measure(&self, config: &ModelConfig) -> Result<Complexity, ModelError> {
        let network = config.init(&Device::flex())?;
        Ok(self
            .complexity
            .of(&Summary::new(&network, self.image_size)?))
    }

    fn candidate(&self, config: ModelConfig) -> Result<Candidate, ModelError> {
        let difference = self.complexity.difference(self.measure(&config)?);
        Ok(Candidate { config, difference })
    }

    /// Returns the better of two networks: the widest below the target, and the narrowest that is not below it.
    fn nearest_width(&self) -> Result<Candidate, ModelError> {
        let [mut low, mut high] = WIDTHS;
        for _ in 0..HALVINGS {
            let middle = (low + high) / 2.0;
            let config = self.config.clone().with_width(middle);
            let measured = match self.measure(&config) {
                Ok(complexity) => complexity.value(),
                Err(ModelError::TooLarge { .. }) => u64::MAX,
                Err(error) => return Err(error),
            };
            match measured < self.complexity.value() {
                true => low = middle,
                false => high = middle,
            }
        }
        let below = self.candidate(shortest(self.config.clone().with_width(low)))?;
        let above = self.candidate(shortest(self.config.clone().with_width(high)))?;
        Ok(match below.difference <= above.difference {
            true => below,
            false => above,
        })
    }

    /// Improves a network of this width by changing one or two numbers of channels at a time by a step, a number of which
    /// all are multiples.
    fn refine(&self, width: f64, divisor: usize) -> Result<Candidate, ModelError> {
        let proportions = Proportions::new(&self.config, width, divisor);
        let mut channels = proportions.nearest();
        let mut best = self.candidate(proportions.config(&channels))?;
        while best.difference > CLOSE {
            let moves = proportions.moves(&channels);
            let pairs = moves.iter().enumerate().flat_map(|(index, first)| {
                let others = moves[index + 1..].iter();
                let others = others.filter(|second| second.0 != first.0);
                others.map(|second| vec![*first, *second])
            });
            let singles = moves.iter().map(|single| vec![*single]);
            let mut improved = None;
            for changes in singles.chain(pairs) {
                let mut changed = channels.clone();
                changed.extend(changes);
                let candidate = self.candidate(proportions.config(&changed))?;
                if candidate.difference < best.difference {
                    (best, improved) = (candidate, Some(changed));
                }
            }
            match improved {
                Some(changed) => channels = changed,
                None => break,
            }
        }
        Ok(best)
    }
}

/// Numbers of channels around those of a width, in steps.
struct Proportions<'a> {
    base: &'a ModelConfig,
    width: f64,
    segments: usize,
    /// For each published number the multiplied one, and the step.
    numbers: Vec<(usize, f64, usize)>,
}

impl<'a> Proportions<'a> {
    fn new(base: &'a ModelConfig, width: f64, divisor: usize) -> Self {
        let segments = base.segments().divisor();
        let numbers = base.published_channels().into_iter().map(|published| {
            let multiplied = published as f64 * width;
            let step = match base.channel_divisor(published) {
                Some(groups) => least_common_multiple(divisor, groups),
                None if multiplied >= segments as f64 => least_common_multiple(divisor, segments),
                None => divisor,
            };
            (published, multiplied, step)
        });
        Self {
            base,
            width,
            segments,
            numbers: numbers.collect(),
        }
    }

    /// Returns the nearest multiple of each step.
    fn nearest(&self) -> BTreeMap<usize, usize> {
        let nearest = self.numbers.iter().map(|&(published, multiplied, step)| {
            let steps = (multiplied / step as f64).round() as usize;
            let nearest = steps.max(1) * step;
            let even = self.is_even(nearest);
            (published, if even { nearest } else { self.segments })
        });
        nearest.collect()
    }

    /// Lists the numbers that are a step from the present ones and not too far from the width's.
    fn moves(&self, channels: &BTreeMap<usize, usize>) -> Vec<(usize, usize)> {
        let mut moves = Vec::new();
        for &(published, multiplied, step) in &self.numbers {
            let present = channels.get(&published).copied().unwrap_or(step);
            for moved in [present + step, present.saturating_sub(step)] {
                let steps = (moved as f64 - multiplied).abs() / step as f64;
                if moved > 0 && steps <= REACH && self.is_even(moved) {
                    moves.push((published, moved));
                }
            }
        }
        moves
    }

    /// Returns whether channels divide into the segments, or are fewer than these.
    fn is_even(&self, channels: usize) -> bool {
        channels <= self.segments || channels.is_multiple_of(self.segments)
    }

    /// Returns the configuration with these channels, of which only those are given that the width doesn't.
    fn config(&self, channels: &BTreeMap<usize, usize>) -> ModelConfig {
        let config = self.base.clone().with_width(self.width);
        let given = channels
            .iter()
            .filter(|&(&published, &channels)| config.layer_channels(published) != channels)
            .map(|(&published, &channels)| (published, channels))
            .collect();
        config.with_channels(given)
    }
}

/// Returns the configuration with the fewest digits in its width that make no difference.
fn shortest(config: ModelConfig) -> ModelConfig {
    let channels = |config: &ModelConfig| -> Vec<_> {
        let published = config.published_channels().into_iter();
        published.map(|n| config.layer_channels(n)).collect()
    };
    let (width, expected) = (config.width(), channels(&config));
    (1..=8)
        .map(|digits| {
            let power = 10f64.powi(digits);
            config.clone().with_width((width * power).round() / power)
        })
        .find(|rounded| rounded.width() > 0.0 && channels(rounded) == expected)
        .unwrap_or(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Order, Segments, Stem};
    use crate::{MODELS, XceptionConfig};

    fn measured(config: &ModelConfig, complexity: Complexity, size: usize) -> Complexity {
        let network = config.init(&Device::flex()).unwrap();
        complexity.of(&Summary::new(&network, [size; 2]).unwrap())
    }

    #[test]
    fn every_network_is_made_at_a_number_of_parameters() {
        for info in MODELS.iter() {
            let config = info.config().with_classes(10).with_stem(Stem::Small);
            let any = Complexity::Parameters(1);
            for width in [0.1, 0.3] {
                let at_width = measured(&config.clone().with_width(width), any, 32);
                let complexity = Complexity::Parameters(at_width.value() * 107 / 100);
                let found = config.fit(complexity, [32, 32]).unwrap();
                let difference = complexity.difference(measured(&found, complexity, 32));
                assert!(difference <= TOLERANCE, "{}: {difference}", info.name);
                // From there, and once more, the same network is found.
                assert_eq!(found.fit(complexity, [32, 32]).unwrap(), found);
            }
        }
    }

    #[test]
    fn points_of_the_spectrum_are_made_at_equal_complexity() {
        for order in [Order::DepthwiseFirst, Order::PointwiseFirst] {
            for number in [1, 2, 4, 8, 16, 32] {
                let base = XceptionConfig::new(10)
                    .with_stem(Stem::Small)
                    .with_order(order)
                    .with_segments(Segments::Number(number));
                let base = ModelConfig::Xception(base);
                for complexity in [
                    Complexity::Parameters(500_000),
                    Complexity::MultiplyAdds(20_000_000),
                ] {
                    let found = base.fit(complexity, [32, 32]).unwrap();
                    let difference = complexity.difference(measured(&found, complexity, 32));
                    assert!(difference <= TOLERANCE, "{order:?} {number}: {difference}");
                    for published in XceptionConfig::CHANNELS {
                        let channels = found.layer_channels(*published);
                        let segments = Segments::Number(number).of(channels);
                        assert_eq!(segments, number.min(channels), "{published}: {channels}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_published_network_has_width_one() {
        let config = ModelConfig::named("xception").unwrap();
        let complexity = Complexity::Parameters(22_855_952);
        assert_eq!(config.fit(complexity, [299, 299]).unwrap(), config);
    }

    #[test]
    fn what_no_width_has_is_an_error_with_the_nearest() {
        let config = ModelConfig::named("xception").unwrap();
        let error = config.fit(Complexity::Parameters(10), [299, 299]);
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("xception") && error.contains("10 parameters"),
            "{error}"
        );
        let error = config.fit(Complexity::MultiplyAdds(1), [3, 3]).unwrap_err();
        assert!(matches!(error, ModelError::ImageTooSmall { .. }), "{error}");
    }

    #[test]
    fn the_listed_channels_are_all_that_the_width_multiplies() {
        for info in MODELS.iter() {
            let published = info.config();
            let same = published.published_channels().into_iter().map(|n| (n, n));
            let given = published
                .clone()
                .with_width(0.3)
                .with_channels(same.collect());
            let complexity = Complexity::Parameters(1);
            let [given, published] =
                [given, published].map(|config| measured(&config, complexity, info.image_size));
            assert_eq!(given, published, "{}", info.name);
        }
    }
}
