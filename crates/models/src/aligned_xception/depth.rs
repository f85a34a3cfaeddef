//! The published depths of the aligned Xception.

use serde::{Deserialize, Serialize};

use crate::number_option::number_option;

/// A published depth: a number of convolutional layers, of which a separable convolution counts as one, without shortcuts
/// and the classifier.
///
/// In JSON it is that number, such as `65`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "usize", try_from = "usize")]
pub enum AlignedXceptionDepth {
    /// 41 layers: 3 modules in the entry flow, and 8 in the middle flow.
    Xception41,
    /// 65 layers: 3 modules in the entry flow, and 16 in the middle flow.
    #[default]
    Xception65,
    /// 71 layers: 5 modules in the entry flow, and 16 in the middle flow.
    Xception71,
}

/// A module of the entry flow: its output channels and its stride.
type EntryModule = (usize, usize);

impl AlignedXceptionDepth {
    /// All depths, from the shallowest to the deepest.
    pub const ALL: [Self; 3] = [Self::Xception41, Self::Xception65, Self::Xception71];

    /// Returns the number of layers.
    pub const fn layers(self) -> usize {
        match self {
            Self::Xception41 => 41,
            Self::Xception65 => 65,
            Self::Xception71 => 71,
        }
    }

    /// Returns the modules of the entry flow.
    pub(super) const fn entry_flow(self) -> &'static [EntryModule] {
        match self {
            Self::Xception41 | Self::Xception65 => &[(128, 2), (256, 2), (728, 2)],
            Self::Xception71 => &[(128, 2), (256, 1), (256, 2), (728, 1), (728, 2)],
        }
    }

    /// Returns the number of modules in the middle flow.
    pub(super) const fn middle_modules(self) -> usize {
        match self {
            Self::Xception41 => 8,
            Self::Xception65 | Self::Xception71 => 16,
        }
    }
}

number_option!(AlignedXceptionDepth, layers, "depth");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_add_up_to_the_layers() {
        for depth in AlignedXceptionDepth::ALL {
            let exit = 2;
            let modules = depth.entry_flow().len() + depth.middle_modules() + exit;
            assert_eq!(3 * modules + 2, depth.layers()); // with the stem's two
        }
    }

    #[test]
    fn is_a_number_in_json() {
        for depth in AlignedXceptionDepth::ALL {
            let text = serde_json::to_string(&depth).unwrap();
            assert_eq!(text, depth.layers().to_string());
            let read: AlignedXceptionDepth = serde_json::from_str(&text).unwrap();
            assert_eq!(read, depth);
        }
    }

    #[test]
    fn another_number_is_an_error_that_lists_the_depths() {
        let error = serde_json::from_str::<AlignedXceptionDepth>("50").unwrap_err();
        let error = error.to_string();
        assert!(error.contains("`depth` is 50"), "{error}");
        assert!(error.contains("41, 65 or 71"), "{error}");
    }
}
