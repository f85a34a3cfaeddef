//! Which network a file with PyTorch's names holds.

use crate::ModelConfig;
use xception_formats::NamedTensors;

/// What stands before a network's names: nothing, or something like `state_dict.` or `module.`.
pub(super) fn prefixes(tensors: &NamedTensors) -> Vec<String> {
    let anchors = ModelConfig::torch_anchors();
    let prefix = |name: &str| {
        let prefixes = anchors
            .iter()
            .filter_map(|anchor| name.strip_suffix(anchor));
        prefixes
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            .map(str::to_owned)
            .next()
    };
    tensors.names().filter_map(prefix).collect()
}
