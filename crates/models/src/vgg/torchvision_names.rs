//! The layers of VGG-16 under torchvision's names.
//!
//! | here | torchvision's `vgg16` | `vgg16_bn` |
//! |---|---|---|
//! | `stages.0.dense.0`, `.1` | `features.0`, `.2` | `features.0`, `.3`, and `.1`, `.4` |
//! | `stages.1.dense.0`, `.1` | `features.5`, `.7` | `features.7`, `.10`, and `.8`, `.11` |
//! | `stages.2.dense.0` to `.2` | `features.10`, `.12`, `.14` | `features.14`, `.17`, `.20`, and the next of each |
//! | `stages.3.dense.0` to `.2` | `features.17`, `.19`, `.21` | `features.24`, `.27`, `.30`, and the next of each |
//! | `stages.4.dense.0` to `.2` | `features.24`, `.26`, `.28` | `features.34`, `.37`, `.40`, and the next of each |
//! | `classifier.fully_connected.I` | `classifier.(3 * I)` | the same |
//! | `classifier.logits` | `classifier.6`, three more than the layer before | the same |
//!
//! A separable convolution, which torchvision doesn't have, takes the place of a dense one with normalization, as
//! `features.3.depthwise` and `features.3.pointwise`. With the small stem the first pool keeps its number, as if an
//! identity stood there.

use super::VggConfig;
use super::config::STAGES;
use crate::weights::layer::{Layer, biased_conv, biased_conv_norm, linear};

/// Name that no other network here has.
pub(super) const ANCHOR: &str = "features.0.weight";

/// Returns the name of a linear layer, counted from 0; the last one follows the fully connected ones.
pub(super) fn linear_layer(index: usize) -> String {
    format!("classifier.{}", 3 * index)
}

/// Returns the name of the second convolution's depthwise part in a network of separable convolutions.
pub(super) fn first_depthwise(batch_norm: bool) -> String {
    format!("features.{}.depthwise.weight", 2 + usize::from(batch_norm))
}

/// Lists all layers.
pub(super) fn layers(config: &VggConfig) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut number = 0;
    for (stage, convolutions) in STAGES.iter().enumerate() {
        for index in 0..convolutions.len() {
            let (module, separable) = config.convolution(stage, index);
            let name = format!("features.{number}");
            let norm = format!("features.{}", number + 1);
            let normalized = config.batch_norm || separable;
            layers.push(match (separable, normalized) {
                (true, _) => Layer::SegmentedConvNorm {
                    module,
                    spatial: format!("{name}.depthwise"),
                    norm_between: None,
                    pointwise: format!("{name}.pointwise"),
                    norm: Some(norm),
                },
                (false, true) => biased_conv_norm(module, name, norm),
                (false, false) => biased_conv(module, name),
            });
            number += 2 + usize::from(normalized); // the convolution, its normalization, and ReLU
        }
        number += 1; // the pool
    }
    let hidden = config.fully_connected.len();
    for index in 0..hidden {
        let module = format!("classifier.fully_connected.{index}");
        layers.push(linear(&module, &linear_layer(index)));
    }
    layers.push(linear("classifier.logits", &linear_layer(hidden)));
    layers
}
