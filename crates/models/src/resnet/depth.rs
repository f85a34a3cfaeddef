//! The published depths of ResNet.

use serde::{Deserialize, Serialize};

use super::block::BlockKind;
use crate::number_option::number_option;

/// A published depth: a number of layers with weights, shortcuts not counted (table 1).
///
/// In JSON it is that number, such as `50`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "usize", try_from = "usize")]
pub enum ResNetDepth {
    /// 18 layers: basic blocks, 2, 2, 2 and 2 of them.
    ResNet18,
    /// 34 layers: basic blocks, 3, 4, 6 and 3 of them.
    ResNet34,
    /// 50 layers: bottlenecks, 3, 4, 6 and 3 of them.
    #[default]
    ResNet50,
    /// 101 layers: bottlenecks, 3, 4, 23 and 3 of them.
    ResNet101,
    /// 152 layers: bottlenecks, 3, 8, 36 and 3 of them.
    ResNet152,
}

impl ResNetDepth {
    /// All depths, from the shallowest to the deepest.
    pub const ALL: [Self; 5] = [
        Self::ResNet18,
        Self::ResNet34,
        Self::ResNet50,
        Self::ResNet101,
        Self::ResNet152,
    ];

    /// Returns the number of layers with weights.
    pub const fn layers(self) -> usize {
        match self {
            Self::ResNet18 => 18,
            Self::ResNet34 => 34,
            Self::ResNet50 => 50,
            Self::ResNet101 => 101,
            Self::ResNet152 => 152,
        }
    }

    /// Returns the kind of block, and the number of blocks in each stage.
    pub(super) const fn blocks(self) -> (BlockKind, [usize; 4]) {
        match self {
            Self::ResNet18 => (BlockKind::Basic, [2, 2, 2, 2]),
            Self::ResNet34 => (BlockKind::Basic, [3, 4, 6, 3]),
            Self::ResNet50 => (BlockKind::Bottleneck, [3, 4, 6, 3]),
            Self::ResNet101 => (BlockKind::Bottleneck, [3, 4, 23, 3]),
            Self::ResNet152 => (BlockKind::Bottleneck, [3, 8, 36, 3]),
        }
    }
}

impl ResNetDepth {
    /// Returns the number of convolutions in a block, and of blocks in each stage.
    #[cfg(feature = "weights")]
    pub(crate) fn convolutions_and_blocks(self) -> (usize, [usize; 4]) {
        let (kind, blocks) = self.blocks();
        (kind.convolutions().len(), blocks)
    }

    /// Returns whether a block's shortcut has a convolution, which it has if the block changes the shape.
    #[cfg(feature = "weights")]
    pub(crate) fn has_shortcut(self, stage: usize, block: usize) -> bool {
        let (kind, _) = self.blocks();
        block == 0 && (stage > 0 || kind.expansion() > 1)
    }
}

number_option!(ResNetDepth, layers, "depth");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_add_up_to_the_layers() {
        for depth in ResNetDepth::ALL {
            let (kind, blocks) = depth.blocks();
            let convolutions = kind.convolutions().len() * blocks.iter().sum::<usize>();
            assert_eq!(convolutions + 2, depth.layers()); // with the stem's and the classifier
        }
    }

    #[test]
    fn is_a_number_in_json() {
        for depth in ResNetDepth::ALL {
            let text = serde_json::to_string(&depth).unwrap();
            assert_eq!(text, depth.layers().to_string());
            assert_eq!(serde_json::from_str::<ResNetDepth>(&text).unwrap(), depth);
        }
    }

    #[test]
    fn another_number_is_an_error_that_lists_the_depths() {
        let error = serde_json::from_str::<ResNetDepth>("42")
            .unwrap_err()
            .to_string();
        assert!(error.contains("`depth` is 42"), "{error}");
        assert!(error.contains("18, 34, 50, 101 or 152"), "{error}");
    }
}
