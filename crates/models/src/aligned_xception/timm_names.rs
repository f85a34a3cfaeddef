//! The layers of the aligned Xception under the names of timm's `xception41` to `xception71`, and with pre-activation of
//! `xception41p` and `xception65p`.
//!
//! | here | timm | timm, with pre-activation |
//! |---|---|---|
//! | `stem.conv1` | `stem.0.conv` and `.bn` | the same |
//! | `stem.conv2` | `stem.1.conv` and `.bn` | `stem.1` |
//! | `blocks.I.norm` | | `blocks.I.norm` |
//! | `spatial` of `blocks.I.convolutions.J` | `blocks.I.stack.convK.conv_dw`, K = J + 1 | the same |
//! | `norm_between` | `blocks.I.stack.convK.bn_dw` | |
//! | `pointwise` | `blocks.I.stack.convK.conv_pw` | the same |
//! | `norm` | `blocks.I.stack.convK.bn_pw` | `blocks.I.stack.convL.norm`, L = J + 2, unless J is the last |
//! | `blocks.I.shortcut` | `blocks.I.shortcut.conv` and `.bn` | `blocks.I.shortcut` |
//! | `classifier.logits` | `head.fc` | the same |

use super::AlignedXceptionConfig;
use super::plan::modules;
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name that no other network here has.
pub(super) const ANCHOR: &str = "blocks.0.stack.conv1.conv_dw.weight";
/// Name that only networks with pre-activation have.
pub(super) const PREACTIVATION: &str = "blocks.0.norm.weight";
/// Name of the last layer.
pub(super) const HEAD: &str = "head.fc";

/// Lists all layers.
pub(super) fn layers(config: &AlignedXceptionConfig) -> Vec<Layer> {
    let preactivation = config.preactivation;
    let mut layers = vec![conv_norm(
        "stem.conv1".into(),
        "stem.0.conv".into(),
        "stem.0.bn".into(),
    )];
    layers.push(convolution("stem.conv2".into(), "stem.1", preactivation));
    for (index, plan) in modules(config.depth, config.output_stride)
        .into_iter()
        .enumerate()
    {
        let block = format!("blocks.{index}");
        if preactivation {
            layers.push(Layer::PreNorm {
                module: format!("{block}.norm"),
                norm: format!("{block}.norm"),
            });
        }
        let count = plan.channels.len();
        for convolution in 0..count {
            let number = convolution + 1;
            let name = format!("{block}.stack.conv{number}");
            layers.push(Layer::SegmentedConvNorm {
                module: format!("{block}.convolutions.{convolution}"),
                spatial: format!("{name}.conv_dw"),
                norm_between: (!preactivation).then(|| format!("{name}.bn_dw")),
                pointwise: format!("{name}.conv_pw"),
                norm: match preactivation {
                    false => Some(format!("{name}.bn_pw")),
                    true => {
                        (number < count).then(|| format!("{block}.stack.conv{}.norm", number + 1))
                    }
                },
            });
        }
        if plan.has_shortcut() {
            let name = shortcut(index);
            layers.push(convolution(name.clone(), &name, preactivation));
        }
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}

/// Returns the name of a module's shortcut.
pub(super) fn shortcut(module: usize) -> String {
    format!("blocks.{module}.shortcut")
}

/// Makes a convolution with normalization, or with pre-activation one without.
fn convolution(module: String, name: &str, preactivation: bool) -> Layer {
    match preactivation {
        true => Layer::ConvNorm {
            module,
            conv: name.to_owned(),
            bias: false,
            norm: None,
        },
        false => conv_norm(module, format!("{name}.conv"), format!("{name}.bn")),
    }
}
