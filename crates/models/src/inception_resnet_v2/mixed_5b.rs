//! The module before the first blocks.

use burn::module::Module;

use super::branches::{self, Branches, Row, same};
use crate::inception_v3::convolutions::{Convolutions, relu};
use crate::layers::{ConvNorm, FeatureMap, average_pool};

/// Convolutions of the branches without a pool.
pub(super) const BRANCHES: Branches = &[
    &[same(96, [1, 1])],
    &[same(48, [1, 1]), same(64, [5, 5])],
    &[same(64, [1, 1]), same(96, [3, 3]), same(96, [3, 3])],
];
/// The convolution after the average pool.
pub(super) const POOLED: Row = same(64, [1, 1]);

/// Returns the number of output channels.
pub(super) fn channels_out(make: &Convolutions) -> usize {
    branches::channels_out(BRANCHES, make) + make.width.channels(POOLED.channels)
}

/// Makes the module.
pub(super) fn init(channels_in: usize, make: &Convolutions) -> Mixed5b {
    let pooled = make.width.channels(POOLED.channels);
    Mixed5b {
        branches: branches::init(BRANCHES, channels_in, make),
        branch_pool: make.same([channels_in, pooled], POOLED.kernel),
        count_include_pad: make.count_include_pad,
    }
}

/// An Inception module with the branches 1x1; 1x1 and 5x5; 1x1 and two 3x3; average pool and 1x1, as `Mixed_5b` of
/// Inception V3 with more channels.
#[derive(Module, Debug)]
pub struct Mixed5b {
    /// The convolutions of each branch without a pool.
    pub branches: Vec<Vec<ConvNorm>>,
    /// 1x1 after the average pool.
    pub branch_pool: ConvNorm,
    /// Whether the average pool counts the zeros around the map.
    pub count_include_pad: bool,
}

impl Mixed5b {
    /// Computes all branches, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, 192, height, width]`
    /// - output: `[batch, 320, height, width]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let kernels = self.branch_pool.kernels;
        let pooled = average_pool(input.clone(), 3, self.count_include_pad, kernels);
        let pooled = self.branch_pool.forward(pooled, relu()); // [batch, 64, height, width]
        branches::forward(&self.branches, input, Some(pooled))
    }
}
