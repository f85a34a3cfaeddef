//! The layers of VGG-16 under the names of `keras.applications`.
//!
//! | here | Keras |
//! |---|---|
//! | `stages.S.dense.I` | `block(S + 1)_conv(I + 1)` |
//! | `classifier.fully_connected.I` | `fc(I + 1)`, or the dense layers of a custom head before the last |
//! | `classifier.logits` | `predictions`, or the last dense layer of a custom head |
//!
//! The network takes images in the order blue, green, red, see [`bgr`](crate::weights::bgr), and the first dense layer
//! takes the last map pixel by pixel, see [`Layout`](crate::weights::layout::Layout). Keras has no batch-normalized
//! VGG-16 and none with separable convolutions; their layers are named as Xception's are there.

use super::VggConfig;
use super::config::STAGES;
use crate::weights::layer::{Layer, biased_conv, biased_conv_norm, linear};

/// Name of the last layer.
pub(super) const HEAD: &str = "predictions";
/// Names of the fully connected layers in the published head.
pub(super) const FULLY_CONNECTED: [&str; 2] = ["fc1", "fc2"];
/// Parameter whose input channels are reversed.
pub(super) const FIRST: &str = "stages.0.dense.0.conv.weight";

/// Returns the name of a fully connected layer, counted from 0.
pub(super) fn fully_connected(index: usize) -> String {
    format!("fc{}", index + 1)
}

/// Lists all layers.
pub(super) fn layers(config: &VggConfig) -> Vec<Layer> {
    let mut layers = Vec::new();
    for (stage, convolutions) in STAGES.iter().enumerate() {
        for index in 0..convolutions.len() {
            let (module, separable) = config.convolution(stage, index);
            let name = format!("block{}_conv{}", stage + 1, index + 1);
            let norm = format!("{name}_bn");
            layers.push(match (separable, config.batch_norm) {
                (true, _) => Layer::SegmentedConvNorm {
                    module,
                    spatial: name.clone(),
                    norm_between: None,
                    pointwise: name,
                    norm: Some(norm),
                },
                (false, true) => biased_conv_norm(module, name, norm),
                (false, false) => biased_conv(module, name),
            });
        }
    }
    for index in 0..config.fully_connected.len() {
        let module = format!("classifier.fully_connected.{index}");
        layers.push(linear(&module, &fully_connected(index)));
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}
