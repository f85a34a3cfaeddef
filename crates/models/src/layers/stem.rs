//! The kinds of stem.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The form of a network's first layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stem {
    /// As published, for images of 224 to 299 pixels: early strides cut the resolution.
    #[default]
    Standard,
    /// For images of about 32 pixels: the stem's convolutions have stride 1 and keep the
    /// resolution, and pools in the stem are left out.
    Small,
    /// As `small`, but the first max pool in the stem stays, where there is one: the maps after it have a quarter of the
    /// pixels. The parameters are those of `small`, so that a weights file alone is read as `small`.
    SmallPooled,
}

impl Stem {
    /// Returns whether the stem's convolutions have the strides and kernels that were published, which cut the resolution.
    pub(crate) fn is_standard(self) -> bool {
        self == Self::Standard
    }

    /// Returns how many of the stem's max pools it has, the first ones of those published.
    pub(crate) fn pools(self, published: usize) -> usize {
        match self {
            Self::Standard => published,
            Self::Small => 0,
            Self::SmallPooled => published.min(1),
        }
    }
}
