//! The two kinds of stem.

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
}
