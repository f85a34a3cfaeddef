//! The layers of Inception V2 under the names of pytorchcv's `bninception`.
//!
//! | here | pytorchcv |
//! |---|---|
//! | `stem.conv1` | `features.init_block.conv1` |
//! | `stem.conv2`, `stem.conv3` | `features.init_block.conv2.conv1`, `.conv2` |
//! | `stages.S.U` | `features.stage(S + 1).unit(U + 1).branches`, in which |
//! | `branch1x1` | `branch1` |
//! | `branch3x3_1`, `branch3x3_2` | `branch2.conv1`, `.conv2`, or `branch1` in a reduction |
//! | `branch3x3dbl_1` to `branch3x3dbl_3` | `branch3.conv1` to `.conv3`, or `branch2` in a reduction |
//! | `branch_pool` | `branch4.conv` |
//! | `classifier.logits` | `output` |
//!
//! Each convolution is split into `conv` and `bn` in pytorchcv.

use super::config::STAGES;
use super::unit::Row;
use crate::weights::layer::{Layer, biased_conv_norm, linear};

/// Name that no other network has.
pub(super) const ANCHOR: &str = "features.stage1.unit1.branches.branch1.conv.weight";
/// Name of the last layer.
pub(super) const HEAD: &str = "output";

/// Name of each convolution of the stem, here and in pytorchcv.
const STEM: [(&str, &str); 3] = [
    ("conv1", "conv1"),
    ("conv2", "conv2.conv1"),
    ("conv3", "conv2.conv2"),
];

/// Lists the convolutions of a unit: name here, name in pytorchcv.
fn branches(row: &Row) -> Vec<(&'static str, String)> {
    let mut names = Vec::new();
    let mut branch = 0;
    if row.branch1x1.is_some() {
        branch += 1;
        names.push(("branch1x1", format!("branch{branch}")));
    }
    for convolutions in [
        &["branch3x3_1", "branch3x3_2"][..],
        &["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"],
    ] {
        branch += 1;
        for (index, name) in convolutions.iter().enumerate() {
            names.push((*name, format!("branch{branch}.conv{}", index + 1)));
        }
    }
    if row.branch_pool.is_some() {
        branch += 1;
        names.push(("branch_pool", format!("branch{branch}.conv")));
    }
    names
}

/// Lists all layers.
pub(super) fn layers() -> Vec<Layer> {
    let layer = |module: String, name: String| {
        biased_conv_norm(module, format!("{name}.conv"), format!("{name}.bn"))
    };
    let mut layers: Vec<_> = STEM
        .iter()
        .map(|(ours, theirs)| {
            layer(
                format!("stem.{ours}"),
                format!("features.init_block.{theirs}"),
            )
        })
        .collect();
    for (stage, rows) in STAGES.iter().enumerate() {
        for (unit, row) in rows.iter().enumerate() {
            let name = format!("features.stage{}.unit{}.branches", stage + 1, unit + 1);
            let branches = branches(row).into_iter();
            layers.extend(branches.map(|(ours, theirs)| {
                layer(
                    format!("stages.{stage}.{unit}.{ours}"),
                    format!("{name}.{theirs}"),
                )
            }));
        }
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}
