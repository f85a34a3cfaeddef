//! Modules at 35 x 35, with a 5x5 convolution and a double 3x3.

use burn::module::Module;

use super::convolutions::{Convolutions, relu};
use crate::layers::{ConvNorm, FeatureMap, average_pool};

pub(super) struct InceptionAConfig {
    pub(super) channels_in: usize,
    /// Published channels of the pool's branch.
    pub(super) pool_channels: usize,
}

impl InceptionAConfig {
    /// Returns the published channels of each branch.
    const fn branches(&self) -> [usize; 4] {
        [64, 64, 96, self.pool_channels]
    }

    pub(super) fn channels_out(&self, make: &Convolutions) -> usize {
        make.channels(self.branches()).iter().sum()
    }

    pub(super) fn init(&self, make: &Convolutions) -> InceptionA {
        let channels_in = self.channels_in;
        let [reduced5x5, reduced3x3] = make.channels([48, 64]);
        let [out1x1, out5x5, out3x3, out_pool] = make.channels(self.branches());
        InceptionA {
            branch1x1: make.same([channels_in, out1x1], [1, 1]),
            branch5x5_1: make.same([channels_in, reduced5x5], [1, 1]),
            branch5x5_2: make.same([reduced5x5, out5x5], [5, 5]),
            branch3x3dbl_1: make.same([channels_in, reduced3x3], [1, 1]),
            branch3x3dbl_2: make.same([reduced3x3, out3x3], [3, 3]),
            branch3x3dbl_3: make.same([out3x3, out3x3], [3, 3]),
            branch_pool: make.same([channels_in, out_pool], [1, 1]),
            count_include_pad: make.count_include_pad,
        }
    }
}

/// A module with the branches 1x1; 1x1 and 5x5; 1x1 and two 3x3; average pool and 1x1 (figure 5, with the 5x5 kept).
#[derive(Module, Debug)]
pub struct InceptionA {
    /// The 1x1.
    pub branch1x1: ConvNorm,
    /// 1x1 before the 5x5.
    pub branch5x5_1: ConvNorm,
    /// The 5x5.
    pub branch5x5_2: ConvNorm,
    /// 1x1 before the double 3x3.
    pub branch3x3dbl_1: ConvNorm,
    /// First 3x3.
    pub branch3x3dbl_2: ConvNorm,
    /// Second 3x3.
    pub branch3x3dbl_3: ConvNorm,
    /// 1x1 after the average pool.
    pub branch_pool: ConvNorm,
    /// Whether the average pool counts the zeros around the map.
    pub count_include_pad: bool,
}

impl InceptionA {
    /// Computes all branches, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, h, w]`
    /// - output: `[batch, 224 + pooled, h, w]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let branch1x1 = self.branch1x1.forward(input.clone(), relu()); // [batch, 64, h, w]

        let branch5x5 = self.branch5x5_1.forward(input.clone(), relu()); // [batch, 48, h, w]
        let branch5x5 = self.branch5x5_2.forward(branch5x5, relu()); // [batch, 64, h, w]

        let branch3x3dbl = self.branch3x3dbl_1.forward(input.clone(), relu()); // [batch, 64, h, w]
        let branch3x3dbl = self.branch3x3dbl_2.forward(branch3x3dbl, relu()); // [batch, 96, h, w]
        let branch3x3dbl = self.branch3x3dbl_3.forward(branch3x3dbl, relu());

        let branch_pool = average_pool(input, 3, self.count_include_pad, self.branch_pool.kernels); // [batch, channels_in, h, w]
        let branch_pool = self.branch_pool.forward(branch_pool, relu()); // [batch, pooled, h, w]

        FeatureMap::concatenate([branch1x1, branch5x5, branch3x3dbl, branch_pool])
    }
}
