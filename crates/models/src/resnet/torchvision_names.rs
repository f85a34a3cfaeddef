//! The layers of ResNet under torchvision's names.
//!
//! | here | torchvision |
//! |---|---|
//! | `stem.conv` | `conv1` and `bn1` |
//! | `stages.S.B.convolutions.I` | `layer(S + 1).B.conv(I + 1)` and `.bn(I + 1)` |
//! | `stages.S.B.shortcut` | `layer(S + 1).B.downsample.0` and `.1` |
//! | `classifier.logits` | `fc` |

use super::ResNetConfig;
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name that no other network has.
pub(super) const ANCHOR: &str = "layer1.0.conv1.weight";
/// Name of the last layer.
pub(super) const HEAD: &str = "fc";

/// Lists all layers.
pub(super) fn layers(config: &ResNetConfig) -> Vec<Layer> {
    let mut layers = vec![conv_norm("stem.conv".into(), "conv1".into(), "bn1".into())];
    let (convolutions, blocks) = config.depth.convolutions_and_blocks();
    for (stage, blocks) in blocks.into_iter().enumerate() {
        for block in 0..blocks {
            let module = format!("stages.{stage}.{block}");
            let name = format!("layer{}.{block}", stage + 1);
            for index in 0..convolutions {
                let number = index + 1;
                layers.push(conv_norm(
                    format!("{module}.convolutions.{index}"),
                    format!("{name}.conv{number}"),
                    format!("{name}.bn{number}"),
                ));
            }
            if config.depth.has_shortcut(stage, block) {
                layers.push(conv_norm(
                    format!("{module}.shortcut"),
                    format!("{name}.downsample.0"),
                    format!("{name}.downsample.1"),
                ));
            }
        }
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}
