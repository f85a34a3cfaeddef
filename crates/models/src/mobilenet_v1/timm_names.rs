//! The layers of MobileNet V1 under the names of timm's `mobilenetv1_100`.
//!
//! | here | timm |
//! |---|---|
//! | `stem` | `conv_stem` and `bn1` |
//! | `blocks.I` | `blocks.S.B.conv_dw`, `.bn1`, `.conv_pw` and `.bn2`, in five groups S of 1, 2, 2, 6 and 2 |
//! | `classifier.logits` | `classifier` |

use crate::weights::layer::{Layer, conv_norm, linear};

/// Name that no other network here has.
pub(super) const ANCHOR: &str = "blocks.0.0.conv_dw.weight";
/// Name of the last layer.
pub(super) const HEAD: &str = "classifier";
/// Number of blocks in each group.
const GROUPS: [usize; 5] = [1, 2, 2, 6, 2];

/// Returns the name of each block.
pub(super) fn blocks() -> impl Iterator<Item = String> {
    let groups = GROUPS.into_iter().enumerate();
    groups
        .flat_map(|(group, blocks)| (0..blocks).map(move |block| format!("blocks.{group}.{block}")))
}

/// Lists all layers.
pub(super) fn layers() -> Vec<Layer> {
    let mut layers = vec![conv_norm("stem".into(), "conv_stem".into(), "bn1".into())];
    for (index, name) in blocks().enumerate() {
        layers.push(Layer::SegmentedConvNorm {
            module: format!("blocks.{index}"),
            spatial: format!("{name}.conv_dw"),
            norm_between: Some(format!("{name}.bn1")),
            pointwise: format!("{name}.conv_pw"),
            norm: Some(format!("{name}.bn2")),
        });
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}
