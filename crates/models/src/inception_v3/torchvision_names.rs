//! The layers of Inception V3 under torchvision's names.
//!
//! | here | torchvision |
//! |---|---|
//! | `stem.convolutions.0` to `.4` | `Conv2d_1a_3x3` to `Conv2d_4a_3x3` |
//! | `inception_a.0` to `.2` | `Mixed_5b` to `Mixed_5d` |
//! | `inception_b` | `Mixed_6a` |
//! | `inception_c.0` to `.3` | `Mixed_6b` to `Mixed_6e` |
//! | `inception_d` | `Mixed_7a` |
//! | `inception_e.0` and `.1` | `Mixed_7b` and `Mixed_7c` |
//! | `classifier.fully_connected.I` | `fc_hidden.I`, which torchvision doesn't have |
//! | `classifier.logits` | `fc` |
//! | `auxiliary.conv0`, `.conv1`, `.classifier.logits` | `AuxLogits.conv0`, `.conv1`, `.fc` |
//!
//! The branches have the same names in both; each convolution of a branch is split into `conv` and `bn` in
//! torchvision.

use super::{InceptionV3Config, stem};
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name that no other network has.
pub(super) const ANCHOR: &str = "Conv2d_1a_3x3.conv.weight";
/// Name of the last layer.
pub(super) const HEAD: &str = "fc";
/// Name of the auxiliary classifier's last layer.
pub(super) const AUXILIARY_HEAD: &str = "AuxLogits.fc";

/// Convolutions of the branches in each kind of module, in the order in which Keras makes them.
const A: &[&str] = &[
    "branch1x1",
    "branch5x5_1",
    "branch5x5_2",
    "branch3x3dbl_1",
    "branch3x3dbl_2",
    "branch3x3dbl_3",
    "branch_pool",
];
const B: &[&str] = &[
    "branch3x3",
    "branch3x3dbl_1",
    "branch3x3dbl_2",
    "branch3x3dbl_3",
];
const C: &[&str] = &[
    "branch1x1",
    "branch7x7_1",
    "branch7x7_2",
    "branch7x7_3",
    "branch7x7dbl_1",
    "branch7x7dbl_2",
    "branch7x7dbl_3",
    "branch7x7dbl_4",
    "branch7x7dbl_5",
    "branch_pool",
];
const D: &[&str] = &[
    "branch3x3_1",
    "branch3x3_2",
    "branch7x7x3_1",
    "branch7x7x3_2",
    "branch7x7x3_3",
    "branch7x7x3_4",
];
const E: &[&str] = &[
    "branch1x1",
    "branch3x3_1",
    "branch3x3_2a",
    "branch3x3_2b",
    "branch3x3dbl_1",
    "branch3x3dbl_2",
    "branch3x3dbl_3a",
    "branch3x3dbl_3b",
    "branch_pool",
];

/// Path here, name in torchvision, and branches of each module.
const MODULES: [(&str, &str, &[&str]); 11] = [
    ("inception_a.0", "Mixed_5b", A),
    ("inception_a.1", "Mixed_5c", A),
    ("inception_a.2", "Mixed_5d", A),
    ("inception_b", "Mixed_6a", B),
    ("inception_c.0", "Mixed_6b", C),
    ("inception_c.1", "Mixed_6c", C),
    ("inception_c.2", "Mixed_6d", C),
    ("inception_c.3", "Mixed_6e", C),
    ("inception_d", "Mixed_7a", D),
    ("inception_e.0", "Mixed_7b", E),
    ("inception_e.1", "Mixed_7c", E),
];

/// Lists all convolutions before the classifier: path here, name in torchvision.
pub(super) fn convolutions() -> impl Iterator<Item = (String, String)> {
    let stem = stem::NAMES
        .convolutions
        .iter()
        .enumerate()
        .map(|(index, name)| (format!("stem.convolutions.{index}"), (*name).to_owned()));
    let modules = MODULES.iter().flat_map(|(module, name, branches)| {
        let both = move |branch| (format!("{module}.{branch}"), format!("{name}.{branch}"));
        branches.iter().map(both)
    });
    stem.chain(modules)
}

/// Lists all layers.
pub(super) fn layers(config: &InceptionV3Config) -> Vec<Layer> {
    let layer = |(module, name): (String, String)| {
        conv_norm(module, format!("{name}.conv"), format!("{name}.bn"))
    };
    let mut layers: Vec<_> = convolutions().map(layer).collect();
    if config.auxiliary {
        for conv in ["conv0", "conv1"] {
            layers.push(layer((
                format!("auxiliary.{conv}"),
                format!("AuxLogits.{conv}"),
            )));
        }
        layers.push(linear("auxiliary.classifier.logits", AUXILIARY_HEAD));
    }
    for index in 0..config.fully_connected.len() {
        let module = format!("classifier.fully_connected.{index}");
        layers.push(linear(&module, &fully_connected(index)));
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}

/// Returns the name of a fully connected layer before the last one.
pub(super) fn fully_connected(index: usize) -> String {
    format!("fc_hidden.{index}")
}
