//! The layers of MobileNet V1 under the names of `keras.applications`.
//!
//! | here | Keras |
//! |---|---|
//! | `stem` | `conv1` and `conv1_bn` |
//! | `blocks.I` | `conv_dw_N`, `conv_dw_N_bn`, `conv_pw_N` and `conv_pw_N_bn`, N = I + 1 |
//! | `classifier.logits` | `conv_preds`, a 1x1 convolution, or the last dense layer of a custom head |

use super::config::BLOCKS;
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name of the last layer.
pub(super) const HEAD: &str = "conv_preds";

/// Lists all layers.
pub(super) fn layers() -> Vec<Layer> {
    let mut layers = vec![conv_norm("stem".into(), "conv1".into(), "conv1_bn".into())];
    for index in 0..BLOCKS.len() {
        let number = index + 1;
        layers.push(Layer::SegmentedConvNorm {
            module: format!("blocks.{index}"),
            spatial: format!("conv_dw_{number}"),
            norm_between: Some(format!("conv_dw_{number}_bn")),
            pointwise: format!("conv_pw_{number}"),
            norm: Some(format!("conv_pw_{number}_bn")),
        });
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}
