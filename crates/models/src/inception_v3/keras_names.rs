//! The layers of Inception V3 under the names of `keras.applications`.
//!
//! All convolutions are named `conv2d_N` and `batch_normalization_N` there, numbered as they are made, in the order
//! of torchvision's table; here they have torchvision's names. Only the last layer has a name of its own,
//! `predictions`. Batch normalizations have no `gamma`.
//!
//! Files without names list the layers by their distance from the output, which interleaves the branches of a module:
//! see [`LAYER_ORDER`].

use super::torchvision_names::convolutions;
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name of the last layer.
pub(super) const HEAD: &str = "predictions";

/// For each convolution in the file's list, its index in the order in which they are made.
pub(super) const LAYER_ORDER: [usize; 94] = [
    0, 1, 2, 3, 4, 8, 6, 9, 5, 7, 10, 11, 15, 13, 16, 12, 14, 17, 18, 22, 20, 23, 19, 21, 24, 25,
    27, 28, 26, 29, 34, 35, 31, 36, 32, 37, 30, 33, 38, 39, 44, 45, 41, 46, 42, 47, 40, 43, 48, 49,
    54, 55, 51, 56, 52, 57, 50, 53, 58, 59, 64, 65, 61, 66, 62, 67, 60, 63, 68, 69, 72, 73, 70, 74,
    71, 75, 80, 77, 81, 78, 79, 82, 83, 76, 84, 89, 86, 90, 87, 88, 91, 92, 85, 93,
];

/// Lists all layers.
pub(super) fn layers() -> Vec<Layer> {
    let mut layers: Vec<_> = convolutions()
        .map(|(module, name)| conv_norm(module, name.clone(), format!("{name}_bn")))
        .collect();
    layers.push(linear("classifier.logits", HEAD));
    layers
}
