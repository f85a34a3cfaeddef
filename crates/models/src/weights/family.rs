//! What a family of networks says about the weights that others publish for it.

use super::layer::{Layer, Part};
use super::source::Source;
use crate::preprocessing::Preprocessing;
use crate::width::Width;
use xception_formats::NamedTensors;
use xception_formats::{KerasLayer, Kind};

/// The names, layouts and conventions of a family's weights, told by its configuration.
pub(crate) trait FamilyWeights: Sized {
    /// The name of a tensor in PyTorch's files that no other family has.
    const TORCH_ANCHOR: &'static str;
    /// The source whose names an export has.
    const EXPORT: Source;
    /// The order in which a Keras file without names lists the layers of each kind: the layer at place `I` is the
    /// `KERAS_ORDER[I]`th of the table's. Without it, the table's own order.
    const KERAS_ORDER: Option<&'static [usize]> = None;

    /// Whether a head may have hidden layers.
    const HIDDEN_LAYERS: bool = false;
    /// Whether convolutions have biases in Keras, which the normalization after each takes up.
    const KERAS_CONV_BIAS: bool = false;

    /// Returns the published network with the options that weights of this source need.
    fn of_source(source: Source) -> Self;

    /// Returns what the source's images go through.
    fn preprocessing(source: Source) -> Preprocessing;

    /// Reads source and options off the tensors of a file that has the anchor.
    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)>;

    /// Lists the layers under PyTorch's names.
    fn torch_layers(&self, source: Source) -> Vec<Layer>;

    /// Recognizes the family by the kinds of a Keras model's layers.
    fn find_keras(layers: &KerasLayers) -> Option<Self>;

    /// Lists the layers under Keras' names.
    fn keras_layers(&self) -> Vec<Layer>;

    /// Takes classes, units and the width from the shapes of the tensors, which have Keras' names.
    fn read_keras_sizes(&mut self, tensors: &NamedTensors);

    /// Changes the origins of parameters that Keras stores in another way.
    fn adjust_keras(_parts: &mut [Part]) {}

    /// Returns the present name of a layer that early releases of Keras called otherwise.
    fn modern_keras_name(_name: &str) -> Option<String> {
        None
    }

    /// Lists the numbers, each with its name and the most that is believed, which a file of this many tensors says of its
    /// network.
    fn claims(&self, _tensors: usize) -> Vec<(&'static str, usize, usize)> {
        Vec::new()
    }

    /// Returns the configuration with a single new layer as its classifier.
    fn with_new_head(self) -> Self {
        self
    }
}

/// How many layers of each kind a Keras model has.
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

/// The outputs of a layer in PyTorch's files: the first dimension of its weight.
pub(crate) fn torch_outputs(tensors: &NamedTensors, name: &str) -> Option<usize> {
    tensors.shape(name)?.first().copied()
}

/// The outputs of a layer in Keras' files: the last dimension of its kernel.
pub(crate) fn keras_outputs(tensors: &NamedTensors, name: &str) -> Option<usize> {
    tensors.shape(name)?.last().copied()
}

/// Finds the width multiplier that gives tensors their outputs: pairs of the published and the found number. It is 1 if none
/// does or an output isn't there, so that the error is about shapes.
pub(crate) fn fitting_width(pairs: &[(usize, Option<usize>)]) -> f64 {
    let known = pairs
        .iter()
        .map(|&(published, found)| Some((published, found?)));
    let known: Option<Vec<_>> = known.collect();
    known
        .and_then(|pairs| Width::fitting(&pairs))
        .unwrap_or(1.0)
}
