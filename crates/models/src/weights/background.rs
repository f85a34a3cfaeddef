//! The background class of weights that were converted from TF-Slim.
//!
//! In TF-Slim ImageNet has 1001 classes: class 0 is reserved for the background, and no image belongs to it
//! (tensorflow/models, research/slim/datasets/imagenet.py). Files that were made from TF-Slim's checkpoints may still have
//! it: timm's releases up to 0.6 took their labels with an offset of one (`label_offset` in
//! timm/models/inception_resnet_v2.py), Cadene's `pretrainedmodels` cuts it off where 1000 classes are asked for. Here it is
//! left out, so that a network has the classes of ImageNet whatever its weights are from.

use super::compare::is_head;
use super::layer::{Dialect, parts};
use super::source::Source;
use crate::ModelConfig;
use xception_formats::NamedTensors;

/// Number of ImageNet's classes with the background.
const CLASSES: usize = 1001;

/// Leaves the background class out of tensors with names of PyTorch, if they have it, and out of the number of classes.
///
/// They are taken to have it if the network is one that was converted from TF-Slim, and has 1001 classes. A configuration
/// of the caller's with as many says that the classes are others.
pub(super) fn leave_out(
    mut tensors: NamedTensors,
    source: Source,
    config: ModelConfig,
    callers: Option<&ModelConfig>,
) -> (NamedTensors, ModelConfig) {
    let others = callers.is_some_and(|callers| callers.classes() == CLASSES);
    if !config.background_class() || config.classes() != CLASSES || others {
        return (tensors, config);
    }
    for part in parts(&config.torch_layers(source), Dialect::Torch) {
        if !is_head(&part.parameter) {
            continue;
        }
        for (name, _) in part.origin.tensors() {
            if let Some(tensor) = tensors.tensors.remove(name) {
                tensors
                    .tensors
                    .insert(name.to_owned(), tensor.without_first());
            }
        }
    }
    (tensors, config.with_classes(CLASSES - 1))
}
