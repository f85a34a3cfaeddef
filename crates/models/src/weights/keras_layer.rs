//! The layers of a Keras model, as its files have them.

use std::collections::BTreeMap;

use super::named_tensors::NamedTensor;

/// A layer with weights.
#[derive(Debug)]
pub(super) struct KerasLayer {
    /// The name that the model gives it, such as `block2_sepconv1` or `conv2d_93`; empty in the
    /// files of some releases.
    pub(super) name: String,
    /// Where it is in the file, for messages and where it has no name.
    pub(super) path: String,
    /// The weights by their role, such as `kernel`.
    pub(super) weights: BTreeMap<String, NamedTensor>,
}

/// The kinds of layers that the networks here are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Conv,
    SeparableConv,
    Norm,
    Dense,
    Other,
}

impl KerasLayer {
    /// The kind, by its weights.
    pub(super) fn kind(&self) -> Kind {
        let has = |role: &str| self.weights.contains_key(role);
        let kernel = self
            .weights
            .get("kernel")
            .map(|tensor| tensor.shape().len());
        if has("pointwise_kernel") && has("depthwise_kernel") {
            Kind::SeparableConv
        } else if has("moving_variance") {
            Kind::Norm
        } else if kernel == Some(4) {
            Kind::Conv
        } else if kernel == Some(2) && self.weights.len() <= 2 {
            Kind::Dense
        } else {
            Kind::Other
        }
    }

    /// The name, or else the path.
    pub(super) fn label(&self) -> &str {
        if self.name.is_empty() {
            &self.path
        } else {
            &self.name
        }
    }
}

/// The number at the end of a name that Keras made: 0 of `conv2d`, 3 of `conv2d_3`. It counts the
/// layers of a class as they are made.
pub(super) fn number(name: &str) -> usize {
    name.rsplit_once('_')
        .and_then(|(_, number)| number.parse().ok())
        .unwrap_or(0)
}
