//! The layers of Xception under the names of `keras.applications`.
//!
//! | here | Keras |
//! |---|---|
//! | `stem.conv1`, `stem.conv2` | `block1_conv1`, `block1_conv2` |
//! | the `convolutions.I` of a module | `blockN_sepconv(I + 1)`, N as in the paper's figure 5 |
//! | a module's `shortcut` | `conv2d_N` and `batch_normalization_N`, in the order of N: here `shortcut1` to `shortcut4` |
//! | `exit_flow.conv3`, `exit_flow.conv4` | `block14_sepconv1`, `block14_sepconv2` |
//! | `classifier.logits` | `predictions`, or the last dense layer of a custom head |
//! | `classifier.fully_connected.I` | the dense layers before it: here `fc_hidden.I` |
//!
//! A batch normalization has its convolution's name and `_bn`.

use super::XceptionConfig;
use super::timm_names::{ENTRY_MODULES, fully_connected};
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name of the last layer.
pub(super) const HEAD: &str = "predictions";

/// Lists all layers.
pub(super) fn layers(config: &XceptionConfig) -> Vec<Layer> {
    let conv = |module: String, name: String| conv_norm(module, name.clone(), format!("{name}_bn"));
    let separable = |module: String, name: String| Layer::SegmentedConvNorm {
        module,
        spatial: name.clone(),
        norm_between: None,
        pointwise: name.clone(),
        norm: Some(format!("{name}_bn")),
    };
    let mut layers = vec![
        conv("stem.conv1".into(), "block1_conv1".into()),
        conv("stem.conv2".into(), "block1_conv2".into()),
    ];
    let (mut block, mut shortcut) = (1, 0);
    let mut module = |path: String, convolutions: usize, downsamples: bool| {
        block += 1;
        for index in 0..convolutions {
            layers.push(separable(
                format!("{path}.convolutions.{index}"),
                format!("block{block}_sepconv{}", index + 1),
            ));
        }
        if downsamples && config.residual {
            shortcut += 1;
            layers.push(conv(
                format!("{path}.shortcut"),
                format!("shortcut{shortcut}"),
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
    for index in 0..2 {
        layers.push(separable(
            format!("exit_flow.conv{}", index + 3),
            format!("block{}_sepconv{}", block + 1, index + 1),
        ));
    }
    for index in 0..config.fully_connected.len() {
        layers.push(linear(
            &format!("classifier.fully_connected.{index}"),
            &fully_connected(index),
        ));
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}
