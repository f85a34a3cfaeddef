//! The options that all networks share, and the ranges of their values.

use crate::limits;
use crate::width::WIDTH;
use xception_messages::Bounds;

use crate::ModelError;

/// Range of the number of classes.
pub(crate) const CLASSES: Bounds = Bounds::at_least(1.0).at_most(limits::CLASSES as f64);
/// Range of the probability that dropout sets a value to zero.
pub(crate) const DROPOUT: Bounds = Bounds::at_least(0.0).below(1.0);
/// Range of the epsilon that batch normalization adds to the variance.
pub(crate) const EPSILON: Bounds = Bounds::above(0.0).below(1.0);

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
macro_rules! network_config {
    (
        $(#[$meta:meta])*
        $config:ident {
            $($(#[$field_meta:meta])* $field:ident, $with:ident: $type:ty = $default:expr;)*
        }
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
                $crate::options::check(self.classes, self.width, self.dropout, self.batch_norm_epsilon)
            }
        }
    };
}

pub(crate) use {network_config, width_doc};
