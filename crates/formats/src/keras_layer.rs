//! The layers of a Keras model, as its files have them.

use std::collections::BTreeMap;

use super::named_tensors::NamedTensor;

/// A layer with weights.
#[derive(Debug)]
pub struct KerasLayer {
    /// The name that the model gives it, such as `block2_sepconv1` or `conv2d_93`; empty in the
    /// files of some releases.
    pub name: String,
    /// Its path in the file, for messages and for layers without a name.
    pub path: String,
    /// The weights by their role, such as `kernel`.
    pub weights: BTreeMap<String, NamedTensor>,
    /// Whether it is a 1x1 convolution that gives the logits in place of a dense layer, as in Keras' MobileNets.
    pub is_head: bool,
}

/// The kinds of layers that the networks here are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A convolution in one group.
    Conv,
    /// A depthwise convolution.
    DepthwiseConv,
    /// A depthwise and a pointwise convolution.
    SeparableConv,
    /// Batch normalization.
    Norm,
    /// A linear layer, or a convolution in its place.
    Dense,
    /// Anything else.
    Other,
}

impl KerasLayer {
    /// Returns the kind of layer, which follows from its weights.
    pub fn kind(&self) -> Kind {
        let has = |role: &str| self.weights.contains_key(role);
        let kernel = self.weights.get("kernel").map(|tensor| tensor.shape());
        match kernel {
            _ if self.is_head => Kind::Dense,
            _ if has("pointwise_kernel") && has("depthwise_kernel") => Kind::SeparableConv,
            _ if has("depthwise_kernel") => Kind::DepthwiseConv,
            _ if has("moving_variance") => Kind::Norm,
            // Since Keras 3 a depthwise kernel is called as any other; no other has one output.
            Some([_, _, channels, 1]) if *channels > 1 => Kind::DepthwiseConv,
            Some([_, _, _, _]) => Kind::Conv,
            Some([_, _]) if self.weights.len() <= 2 => Kind::Dense,
            _ => Kind::Other,
        }
    }

    /// Returns the weights by their role, under the same names for every release of Keras.
    pub fn into_weights(mut self) -> BTreeMap<String, NamedTensor> {
        if self.kind() == Kind::DepthwiseConv
            && let Some(kernel) = self.weights.remove("kernel")
        {
            self.weights.insert("depthwise_kernel".to_owned(), kernel);
        }
        if self.is_head
            && let Some(kernel) = self.weights.get_mut("kernel")
        {
            kernel.drop_unit_dims();
        }
        self.weights
    }

    /// Returns the name, or the path if there is no name.
    pub fn label(&self) -> &str {
        if self.name.is_empty() {
            &self.path
        } else {
            &self.name
        }
    }
}

/// Marks the convolution that takes a dense layer's place in the head, as in Keras' MobileNets: the only one with a bias, of
/// a single pixel.
pub fn find_head(layers: &mut [KerasLayer]) {
    let mut biased = layers
        .iter_mut()
        .filter(|layer| layer.kind() == Kind::Conv && layer.weights.contains_key("bias"));
    if let (Some(layer), None) = (biased.next(), biased.next())
        && let Some([1, 1, _, _]) = layer.weights.get("kernel").map(NamedTensor::shape)
    {
        layer.is_head = true;
    }
}

/// Returns the number at the end of a name that Keras made: 0 of `conv2d`, 3 of `conv2d_3`. It counts the
/// layers of a class as they are made.
pub fn number(name: &str) -> usize {
    name.rsplit_once('_')
        .and_then(|(_, number)| number.parse().ok())
        .unwrap_or(0)
}
