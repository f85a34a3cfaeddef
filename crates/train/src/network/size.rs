//! What a network costs, without its weights.

use super::ImageClassifier;

/// The cost of a network for one image, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkSize {
    /// Height and width of the image, in pixels.
    pub image_size: [usize; 2],
    /// Trainable parameters.
    pub parameters: u64,
    /// Multiply-adds of a forward pass, if the network [counts them](ImageClassifier::summary).
    pub multiply_adds: Option<u64>,
    /// Bytes of the outputs of all operations, if the network counts them.
    pub activation_bytes: Option<u64>,
}

impl NetworkSize {
    /// Counts a network's parameters, and what it does with an image of this height and width, in pixels.
    pub fn of(network: &impl ImageClassifier, image_size: [usize; 2]) -> Self {
        let summary = network.summary(image_size);
        Self {
            image_size,
            parameters: network.parameters(),
            multiply_adds: summary.as_ref().map(|summary| summary.multiply_adds()),
            activation_bytes: summary.as_ref().map(|summary| summary.activation_bytes()),
        }
    }
}
