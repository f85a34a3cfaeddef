//! The kinds of layers of a factorized network.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of the layers that keep the number of channels. Each has a residual connection and ends with ReLU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactorizedConvolution {
    /// A dense convolution with batch normalization: the baseline.
    Dense,
    /// Single intra-channel convolutions, each followed by a projection.
    #[default]
    SingleIntraChannel,
    /// Spatial bottlenecks: strided convolutions of each channel, projections, and deconvolutions of each channel.
    SpatialBottleneck,
}
