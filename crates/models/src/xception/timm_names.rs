//! The layers of Xception under the names of timm's `legacy_xception`.
//!
//! | here | timm |
//! |---|---|
//! | `stem.conv1`, `stem.conv2` | `conv1` and `bn1`, `conv2` and `bn2` |
//! | `entry_flow.0` to `.2`, `middle_flow.0` to `.7`, `exit_flow.module` | `block1` to `block12` |
//! | a module's `convolutions.I` | `rep.P` and `rep.(P + 1)`, where `P` is `3 I`, plus one if ReLU comes first |
//! | `spatial`, `norm_between`, `pointwise` | `conv1`, `bn1`, `pointwise`; timm has no `bn1` there |
//! | `shortcut` | `skip` and `skipbn` |
//! | `exit_flow.conv3`, `exit_flow.conv4` | `conv3` and `bn3`, `conv4` and `bn4` |
//! | `classifier.logits` | `fc`; `last_linear` in the older files by Cadene |
//! | `classifier.fully_connected.I` | `fc_hidden.I`, which timm doesn't have |

use super::XceptionConfig;
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name of the last layer in timm.
pub(super) const HEAD: &str = "fc";
/// Name of the last layer in Cadene's older files.
pub(super) const CADENE_HEAD: &str = "last_linear";
/// Name that no other network has.
pub(super) const ANCHOR: &str = "block1.rep.0.conv1.weight";

/// Number of modules in the entry flow.
pub(super) const ENTRY_MODULES: usize = 3;

/// Lists all layers, with this name for the last one.
pub(super) fn layers(config: &XceptionConfig, head: &str) -> Vec<Layer> {
    let mut layers = vec![
        conv_norm("stem.conv1".into(), "conv1".into(), "bn1".into()),
        conv_norm("stem.conv2".into(), "conv2".into(), "bn2".into()),
    ];
    let between = |name: String| config.norm_between.then(|| format!("{name}.bn1"));
    let mut block = 0;
    let mut module = |path: String, convolutions: usize, downsamples: bool| {
        block += 1;
        let first = usize::from(block > 1); // the first block has no ReLU at position 0
        for index in 0..convolutions {
            let position = 3 * index + first;
            layers.push(Layer::SegmentedConvNorm {
                module: format!("{path}.convolutions.{index}"),
                spatial: format!("block{block}.rep.{position}.conv1"),
                norm_between: between(format!("block{block}.rep.{position}")),
                pointwise: format!("block{block}.rep.{position}.pointwise"),
                norm: Some(format!("block{block}.rep.{}", position + 1)),
            });
        }
        if downsamples && config.residual {
            layers.push(conv_norm(
                format!("{path}.shortcut"),
                format!("block{block}.skip"),
                format!("block{block}.skipbn"),
            ));
        }
    };
    for index in 0..ENTRY_MODULES {
        module(format!("entry_flow.{index}"), 2, true);
    }
    for index in 0..config.middle_modules {
        module(format!("middle_flow.{index}"), 3, false);
    }
    module("exit_flow.module".to_owned(), 2, true);
    for number in [3, 4] {
        layers.push(Layer::SegmentedConvNorm {
            module: format!("exit_flow.conv{number}"),
            spatial: format!("conv{number}.conv1"),
            norm_between: between(format!("conv{number}")),
            pointwise: format!("conv{number}.pointwise"),
            norm: Some(format!("bn{number}")),
        });
    }
    for index in 0..config.fully_connected.len() {
        layers.push(linear(
            &format!("classifier.fully_connected.{index}"),
            &fully_connected(index),
        ));
    }
    layers.push(linear("classifier.logits", head));
    layers
}

/// Returns the name of a fully connected layer before the last one.
pub(super) fn fully_connected(index: usize) -> String {
    format!("fc_hidden.{index}")
}
