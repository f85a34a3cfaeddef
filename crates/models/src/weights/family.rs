//! The interface through which a family of networks describes its published weights.

use super::layer::{Layer, Part};
use super::source::Source;
use crate::preprocessing::Preprocessing;
use crate::width::{Multiple, Width};
use xception_formats::NamedTensors;
use xception_formats::{KerasLayer, Kind};

/// The names, layouts and conventions of a family's weights, implemented by its configuration.
pub(crate) trait FamilyWeights: Sized {
    /// Name of a tensor that only this family's PyTorch files have.
    const TORCH_ANCHOR: &'static str;
    /// Source whose names exported files use.
    const EXPORT: Source;
    /// Whether a head may have hidden layers.
    const HIDDEN_LAYERS: bool = false;
    /// Names of the hidden layers of the published head in Keras, which are known to have ReLU.
    const KERAS_HIDDEN_LAYERS: &'static [&'static str] = &[];
    /// Whether convolutions have biases in Keras, which are folded into the normalization after each.
    const KERAS_CONV_BIAS: bool = false;
    /// Whether published weights were converted from TF-Slim, and may have the background as their first class.
    const BACKGROUND_CLASS: bool = false;

    /// Returns the published network's configuration, with the options that weights of this source need.
    fn of_source(source: Source) -> Self;

    /// Returns the preprocessing that the source applies to images.
    fn preprocessing(source: Source) -> Preprocessing;

    /// Reads the source and the options from the tensors of a file that has the anchor.
    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)>;

    /// Lists the layers under PyTorch's names.
    fn torch_layers(&self, source: Source) -> Vec<Layer>;

    /// Recognizes the family by the number of layers of each kind in a Keras model; a family that Keras doesn't have leaves
    /// this and the next out.
    fn find_keras(_layers: &KerasLayers) -> Option<Self> {
        None
    }

    /// Lists the layers under Keras' names.
    fn keras_layers(&self) -> Vec<Layer> {
        Vec::new()
    }

    /// Returns the order of the layers in a Keras file without names, the classifier's left out, as places in the table.
    /// `None` stands for the table's own order.
    fn keras_order(&self) -> Option<Vec<usize>> {
        None
    }

    /// Reads the number of classes and units, and the width, from the shapes of tensors with Keras' names.
    fn read_keras_sizes(&mut self, _tensors: &NamedTensors) {}

    /// Adjusts the origins of parameters that Keras stores in another way.
    fn adjust_keras(&self, _parts: &mut [Part]) {}

    /// Returns whether the classifier takes all pixels of the last map for images of this size, and not their average.
    fn takes_all_pixels(&self, _image_size: usize) -> bool {
        false
    }

    /// Returns the table's name of a layer that other files name differently, such as those of early releases of Keras.
    fn keras_table_name(_name: &str) -> Option<String> {
        None
    }

    /// Lists the sizes that a file declares: the name and value of each, and the largest value that a file with this
    /// many tensors may have.
    fn claims(&self, _tensors: usize) -> Vec<(&'static str, usize, usize)> {
        Vec::new()
    }

    /// Returns the configuration with a single new layer as its classifier.
    fn with_new_head(self) -> Self {
        self
    }
}

/// The number of layers of each kind in a Keras model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KerasLayers {
    pub(crate) convolutions: usize,
    pub(crate) depthwise: usize,
    pub(crate) separable: usize,
    pub(crate) norms: usize,
    pub(crate) dense: usize,
}

impl KerasLayers {
    pub(super) fn count(layers: &[KerasLayer]) -> Self {
        let count = |kind: Kind| layers.iter().filter(|layer| layer.kind() == kind).count();
        Self {
            convolutions: count(Kind::Conv),
            depthwise: count(Kind::DepthwiseConv),
            separable: count(Kind::SeparableConv),
            norms: count(Kind::Norm),
            dense: count(Kind::Dense),
        }
    }
}

/// Returns the number of outputs of a layer in PyTorch's files: the first dimension of its weight.
pub(crate) fn torch_outputs(tensors: &NamedTensors, name: &str) -> Option<usize> {
    tensors.shape(name)?.first().copied()
}

/// Returns the number of outputs of a layer in Keras' files: the last dimension of its kernel.
pub(crate) fn keras_outputs(tensors: &NamedTensors, name: &str) -> Option<usize> {
    tensors.shape(name)?.last().copied()
}

/// Finds the width multiplier for pairs of a layer's published and actual number of outputs. Returns 1 if no
/// multiplier fits or a number is unknown, so that the error to come is about shapes.
pub(crate) fn fitting_width(pairs: &[(usize, Option<usize>)]) -> f64 {
    let known = pairs
        .iter()
        .map(|&(published, found)| Some((published, found?)));
    let known: Option<Vec<_>> = known.collect();
    known
        .and_then(|pairs| Width::fitting(&pairs))
        .unwrap_or(1.0)
}

/// Finds the width multiplier, as [`fitting_width`] does, for numbers of outputs that are multiples of a divisor of their
/// own: the second of each three.
pub(crate) fn fitting_width_of_multiples(layers: &[(usize, usize, Option<usize>)]) -> f64 {
    let known = layers.iter().map(|&(published, divisor, found)| {
        Some(Multiple {
            published,
            divisor,
            found: found?,
        })
    });
    let known: Option<Vec<_>> = known.collect();
    known
        .and_then(|layers| Width::fitting_multiples(&layers))
        .unwrap_or(1.0)
}
