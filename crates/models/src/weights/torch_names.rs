//! Recognition of networks in files with PyTorch's names.

use crate::ModelConfig;
use xception_formats::NamedTensors;

/// Lists the prefixes of the networks' names in a file: the empty prefix, or one like `state_dict.` or `module.`.
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
