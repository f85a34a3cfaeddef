//! The layers of ShuffleNet V1 under pytorchcv's names.
//!
//! | here | pytorchcv |
//! |---|---|
//! | `stem` | `features.init_block.conv` and `.bn` |
//! | `stages.S.U.compress` | `features.stage(S + 1).unit(U + 1).compress_conv1` and `.compress_bn1` |
//! | `stages.S.U.depthwise` | `features.stage(S + 1).unit(U + 1).dw_conv2` and `.dw_bn2` |
//! | `stages.S.U.expand` | `features.stage(S + 1).unit(U + 1).expand_conv3` and `.expand_bn3` |
//! | `classifier.logits` | `output` |

use super::config::STAGES;
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name of the first convolution, without `.weight`.
pub(super) const STEM: &str = "features.init_block.conv";
/// Names of the layers whose outputs are the channels of the first convolution and of the stages.
pub(super) const WIDTHS: [&str; 4] = [
    STEM,
    "features.stage1.unit2.expand_conv3",
    "features.stage2.unit2.expand_conv3",
    "features.stage3.unit2.expand_conv3",
];
/// The first unit.
pub(super) const FIRST_UNIT: &str = "features.stage1.unit1";
/// Name that no other network here has.
pub(super) const ANCHOR: &str = "features.stage1.unit1.compress_conv1.weight";
/// Layers of the first unit that pytorchcv's ShuffleNet V2 and MENet have, whose other names are the same.
pub(super) const OTHERS: [&str; 2] = ["dw_conv4", "s_merge_conv"];
/// Name of the last layer.
pub(super) const HEAD: &str = "output";

/// Lists all layers.
pub(super) fn layers() -> Vec<Layer> {
    let norm = "features.init_block.bn".to_owned();
    let mut layers = vec![conv_norm("stem".into(), STEM.into(), norm)];
    for (stage, units) in STAGES.into_iter().enumerate() {
        for unit in 0..units {
            let module = format!("stages.{stage}.{unit}");
            let name = format!("features.stage{}.unit{}", stage + 1, unit + 1);
            for (part, kind, number) in [
                ("compress", "compress", 1),
                ("depthwise", "dw", 2),
                ("expand", "expand", 3),
            ] {
                layers.push(conv_norm(
                    format!("{module}.{part}"),
                    format!("{name}.{kind}_conv{number}"),
                    format!("{name}.{kind}_bn{number}"),
                ));
            }
        }
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}
