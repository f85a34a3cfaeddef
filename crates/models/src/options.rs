//! The options that all networks share, and the ranges of their values.

use std::collections::BTreeMap;

use crate::limits::{self, FULLY_CONNECTED};
use crate::width::{CHANNELS, WIDTH};
use xception_messages::Bounds;

use crate::ModelError;

/// Range of the number of classes.
pub(crate) const CLASSES: Bounds = Bounds::at_least(1.0).at_most(limits::CLASSES as f64);
/// Range of the probability that dropout sets a value to zero.
pub(crate) const DROPOUT: Bounds = Bounds::at_least(0.0).below(1.0);
/// Range of the epsilon that batch normalization adds to the variance.
pub(crate) const EPSILON: Bounds = Bounds::above(0.0).below(1.0);

/// Range of the number of units in a fully connected layer.
pub(crate) const UNITS: Bounds = Bounds::at_least(1.0).at_most(limits::UNITS as f64);

/// Checks the number of a network's fully connected layers, and their units.
pub(crate) fn check_fully_connected(fully_connected: &[usize]) -> Result<(), ModelError> {
    let layers = fully_connected.len();
    if layers > FULLY_CONNECTED {
        return Err(ModelError::OutOfRange {
            option: "fully_connected",
            found: format!("a list of {layers} layers"),
            expected: format!("one of at most {FULLY_CONNECTED}"),
        });
    }
    for &units in fully_connected {
        UNITS.check_count("fully_connected", units)?;
    }
    Ok(())
}

/// Checks the options that all networks share.
pub(crate) fn check(
    classes: usize,
    width: f64,
    dropout: f64,
    batch_norm_epsilon: f64,
) -> Result<(), ModelError> {
    CLASSES.check_count("classes", classes)?;
    WIDTH.check("width", width)?;
    DROPOUT.check("dropout", dropout)?;
    EPSILON.check("batch_norm_epsilon", batch_norm_epsilon)?;
    Ok(())
}

/// Checks the numbers of channels that take the place of published ones.
pub(crate) fn check_channels(
    given: &BTreeMap<usize, usize>,
    published: &[usize],
) -> Result<(), ModelError> {
    for (place, &channels) in given {
        CHANNELS.check_count("channels", channels)?;
        if !published.contains(place) {
            let published: Vec<_> = published.iter().map(usize::to_string).collect();
            return Err(ModelError::OutOfRange {
                option: "channels",
                found: format!("for the published number {place}"),
                expected: format!("for one of {}", published.join(", ")),
            });
        }
    }
    Ok(())
}

/// Returns an example of the option `channels`: another number for the last published one.
pub(crate) fn channels_example(published: &[usize]) -> BTreeMap<usize, usize> {
    let last = published.last();
    last.map(|&channels| (channels, channels - 8))
        .into_iter()
        .collect()
}

/// Makes the documentation of the width multiplier, with the family's rounding if it isn't the usual one.
macro_rules! width_doc {
    () => {
        $crate::options::width_doc!("rounded to multiples of 8")
    };
    ($rounding:literal) => {
        concat!(
            "Factor on the channels of every layer, ",
            $rounding,
            "; 1 in the paper."
        )
    };
}

/// Defines the configuration of a family of networks: the family's own options, each with the name of its builder
/// method, its type and its default, and the options that all networks share. Expands to the struct, its builder
/// methods, its defaults and its JSON reader.
///
/// `channels` lists the numbers that the width multiplies. Where they depend on an option, `divisors` names a method that
/// lists them, each with the number of which the layer's channels are a multiple.
macro_rules! network_config {
    (
        $(#[$meta:meta])*
        $config:ident {
            $($(#[$field_meta:meta])* $field:ident, $with:ident: $type:ty = $default:expr;)*
        }
        channels: $channels:expr;
        $(segments: $segments:ident;)?
        $(divisors: $divisors:ident;)?
        $(width: $width:literal;)?
        dropout: $dropout:literal;
        batch_norm_epsilon: $epsilon:literal, $epsilon_doc:literal, example $epsilon_example:literal;
    ) => {
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        $(#[$meta])*
        ///
        /// In JSON every field may be left out.
        pub struct $config {
            /// Number of classes. In a run it may be left out: the data determine it.
            #[schemars(example = 10, transform = $crate::options::CLASSES.of_number())]
            pub classes: usize,
            #[doc = $crate::options::width_doc!($($width)?)]
            #[schemars(example = 0.25, transform = $crate::width::WIDTH.of_number())]
            pub width: f64,
            /// Numbers of channels in place of published ones, whatever the width, such as `{"728": 200}`.
            #[schemars(example = $crate::options::channels_example(&$channels), transform = $crate::width::CHANNELS.of_values())]
            #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
            pub channels: std::collections::BTreeMap<usize, usize>,
            $($(#[$field_meta])* pub $field: $type,)*
            #[doc = concat!("Probability of dropout before the last layer; ", $dropout, ".")]
            #[schemars(example = 0.5, transform = $crate::options::DROPOUT.of_number())]
            pub dropout: f64,
            /// Form of the network's first layers, for large or for small images.
            pub stem: $crate::layers::Stem,
            #[doc = concat!("Added to the variance by batch normalization: ", $epsilon_doc, ".")]
            #[schemars(example = $epsilon_example, transform = $crate::options::EPSILON.of_number())]
            pub batch_norm_epsilon: f64,
            /// The implementation of the layers' operations.
            pub kernels: $crate::layers::Kernels,
        }

        impl Default for $config {
            fn default() -> Self {
                Self {
                    classes: 1000,
                    width: 1.0,
                    channels: std::collections::BTreeMap::new(),
                    $($field: $default,)*
                    dropout: 0.0,
                    stem: $crate::layers::Stem::Standard,
                    batch_norm_epsilon: $epsilon,
                    kernels: $crate::layers::Kernels::Native,
                }
            }
        }

        impl burn::config::Config for $config {}

        impl $config {
            /// The numbers of channels of the published network that the width multiplies, in ascending order.
            pub const CHANNELS: &'static [usize] = &$channels;

            /// Lists the numbers of channels that the width multiplies, each with the number of which the layer's channels
            /// are a multiple where it isn't the usual one.
            fn channel_divisors(&self) -> Vec<(usize, Option<usize>)> {
                let usual = Self::CHANNELS.iter().map(|&published| (published, None));
                let divisors: Vec<(usize, Option<usize>)> = usual.collect();
                $(let divisors = {
                    drop(divisors);
                    let own = self.$divisors().into_iter();
                    own.map(|(published, divisor)| (published, Some(divisor))).collect()
                };)?
                divisors
            }

            /// Lists the numbers of channels that the width multiplies, in ascending order.
            pub(crate) fn published_channels(&self) -> Vec<usize> {
                let divisors = self.channel_divisors().into_iter();
                divisors.map(|(published, _)| published).collect()
            }

            /// Returns the number of which the channels in place of a published number are a multiple, where it isn't the
            /// usual one.
            pub(crate) fn channel_divisor(&self, published: usize) -> Option<usize> {
                let mut divisors = self.channel_divisors().into_iter();
                divisors.find(|&(number, _)| number == published)?.1
            }

            /// Makes the published network's configuration with this number of classes.
            pub fn new(classes: usize) -> Self {
                Self { classes, ..Self::default() }
            }

            /// Sets the number of classes.
            pub fn with_classes(self, classes: usize) -> Self {
                Self { classes, ..self }
            }

            /// Sets the factor on the channels of every layer.
            pub fn with_width(self, width: f64) -> Self {
                Self { width, ..self }
            }

            /// Sets numbers of channels in place of published ones.
            pub fn with_channels(self, channels: std::collections::BTreeMap<usize, usize>) -> Self {
                Self { channels, ..self }
            }

            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                pub fn $with(self, $field: $type) -> Self {
                    Self { $field, ..self }
                }
            )*

            /// Sets the probability of dropout before the last layer.
            pub fn with_dropout(self, dropout: f64) -> Self {
                Self { dropout, ..self }
            }

            /// Sets the stem.
            pub fn with_stem(self, stem: $crate::layers::Stem) -> Self {
                Self { stem, ..self }
            }

            /// Sets the epsilon that batch normalization adds to the variance.
            pub fn with_batch_norm_epsilon(self, batch_norm_epsilon: f64) -> Self {
                Self { batch_norm_epsilon, ..self }
            }

            /// Sets the implementation of the layers' operations.
            pub fn with_kernels(self, kernels: $crate::layers::Kernels) -> Self {
                Self { kernels, ..self }
            }

            /// Returns the options that all layers of the network share.
            fn layer_options(&self) -> $crate::layers::LayerOptions {
                $crate::layers::LayerOptions {
                    epsilon: self.batch_norm_epsilon,
                    kernels: self.kernels,
                }
            }

            /// Checks the options that all networks share.
            fn check_shared(&self) -> Result<(), $crate::ModelError> {
                $crate::options::check_channels(&self.channels, &self.published_channels())?;
                $crate::options::check(self.classes, self.width, self.dropout, self.batch_norm_epsilon)
            }

            /// Returns the rule that gives each layer its number of channels.
            fn layer_width(&self) -> Result<$crate::width::Width<'_>, $crate::ModelError> {
                let width = $crate::width::Width::new(self.width)?.with_channels(&self.channels);
                Ok(width.with_segments(self.channel_segments()))
            }

            /// Returns the number of segments that the channels have to divide into.
            pub(crate) fn channel_segments(&self) -> $crate::layers::Segments {
                let segments = $crate::layers::Segments::Channels;
                $(let segments = { let _ = segments; self.$segments };)?
                segments
            }

            /// Returns the number of channels in place of a published one.
            pub(crate) fn layer_channels(&self, published: usize) -> usize {
                let Ok(width) = self.layer_width() else {
                    return 0;
                };
                match self.channel_divisor(published) {
                    Some(divisor) => width.multiple(published, divisor),
                    None => width.channels(published),
                }
            }
        }
    };
}

pub(crate) use {network_config, width_doc};
