//! The two conventions of padding at stride 2.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_kernels::Padding2d;

/// Padding of windows at stride 2; at stride 1 and odd kernels the two are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// Half the kernel on every side, as timm's port and PyTorch's models do.
    #[default]
    Symmetric,
    /// TensorFlow's `same`: an odd total puts the extra pixel at the bottom and on the right, as
    /// the author's Keras model does.
    Same,
}

impl Padding {
    /// Returns the padding for an input of this height and width.
    pub fn around(&self, input: [usize; 2], kernel: usize, stride: usize) -> Padding2d {
        match self {
            Self::Symmetric => Padding2d::symmetric(kernel / 2),
            Self::Same => Padding2d::same(input, [kernel; 2], [stride; 2]),
        }
    }
}
