//! The layers of Inception-ResNet V2 under the names of timm's `inception_resnet_v2`, which [`Names`] has; each
//! convolution with normalization is split into `conv` and `bn` there. `classifier.logits` is `classif`, or `last_linear`
//! in the older file by Cadene.

use super::InceptionResNetV2Config;
use super::names::Names;
use crate::weights::layer::{Layer, biased_conv, conv_norm, linear};

/// Name that no other network here has.
pub(super) const ANCHOR: &str = "mixed_5b.branch0.conv.weight";
/// Name of the last layer in timm.
pub(super) const HEAD: &str = "classif";
/// Name of the last layer in Cadene's older file.
pub(super) const CADENE_HEAD: &str = "last_linear";

/// Lists all layers, with this name for the last one.
pub(super) fn layers(config: &InceptionResNetV2Config, head: &str) -> Vec<Layer> {
    let convolutions = Names::new(config).convolutions.into_iter();
    let mut layers: Vec<_> = convolutions
        .map(|convolution| {
            let (module, name) = (convolution.module, convolution.timm);
            match convolution.channels {
                Some(_) => conv_norm(module, format!("{name}.conv"), format!("{name}.bn")),
                None => biased_conv(module, name),
            }
        })
        .collect();
    layers.push(linear("classifier.logits", head));
    layers
}
