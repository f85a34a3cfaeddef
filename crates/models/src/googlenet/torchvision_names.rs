//! The layers of GoogLeNet under torchvision's names.
//!
//! | here | torchvision |
//! |---|---|
//! | `stem.convolutions.0` to `.2` | `conv1` to `conv3` |
//! | `modules.0` to `.8` | `inception3a` to `inception5b` |
//! | the `branch1`, `branch2.I`, `branch3.I` and `branch4` of a module | `branch1`, `branch2.I`, `branch3.I` and `branch4.1` |
//! | `classifier.logits` | `fc` |
//! | `auxiliary.I.conv` | `aux(I + 1).conv` |
//! | `auxiliary.I.classifier.fully_connected.0` and `.logits` | `aux(I + 1).fc1` and `.fc2` |
//!
//! A convolution is split into `conv` and `bn` in torchvision.

use super::GoogLeNetConfig;
use super::config::MODULES;
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name that no other network has.
pub(super) const ANCHOR: &str = "inception3a.branch1.conv.weight";
/// Name of the last layer.
pub(super) const HEAD: &str = "fc";
/// Beginning of the first auxiliary classifier's names.
pub(super) const AUXILIARY: &str = "aux1.";

/// The convolutions of a module: path here, name in torchvision.
const BRANCHES: [(&str, &str); 6] = [
    ("branch1", "branch1"),
    ("branch2.0", "branch2.0"),
    ("branch2.1", "branch2.1"),
    ("branch3.0", "branch3.0"),
    ("branch3.1", "branch3.1"),
    ("branch4", "branch4.1"),
];

/// Lists all layers.
pub(super) fn layers(config: &GoogLeNetConfig) -> Vec<Layer> {
    let conv = |module: String, name: String| {
        conv_norm(module, format!("{name}.conv"), format!("{name}.bn"))
    };
    let mut layers = Vec::new();
    for index in 0..3 {
        let module = format!("stem.convolutions.{index}");
        layers.push(conv(module, format!("conv{}", index + 1)));
    }
    for (index, row) in MODULES.iter().enumerate() {
        for (branch, name) in BRANCHES {
            let module = format!("modules.{index}.{branch}");
            layers.push(conv(module, format!("{}.{name}", row.name)));
        }
    }
    let heads = MODULES
        .iter()
        .filter(|row| row.auxiliary && config.auxiliary);
    for index in 0..heads.count() {
        let (module, name) = (format!("auxiliary.{index}"), format!("aux{}", index + 1));
        layers.push(conv(format!("{module}.conv"), format!("{name}.conv")));
        let classifier = format!("{module}.classifier");
        let hidden = format!("{classifier}.fully_connected.0");
        layers.push(linear(&hidden, &format!("{name}.fc1")));
        layers.push(linear(
            &format!("{classifier}.logits"),
            &format!("{name}.fc2"),
        ));
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}
