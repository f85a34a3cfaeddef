//! Modules at 8 x 8, with 3x3 convolutions expanded into parallel 1x3 and 3x1.

use burn::module::Module;

use super::convolutions::{Convolutions, relu};
use crate::layers::{ConvNorm, FeatureMap, average_pool};

/// Published channels of the 1x1, of each of the four 1x3 and 3x1, and of the pool's branch.
const BRANCHES: [usize; 3] = [320, 384, 192];

pub(super) struct InceptionEConfig {
    pub(super) channels_in: usize,
}

impl InceptionEConfig {
    pub(super) fn channels_out(&self, make: &Convolutions) -> usize {
        let [out1x1, expanded, out_pool] = make.channels(BRANCHES);
        out1x1 + 4 * expanded + out_pool
    }

    pub(super) fn init(&self, make: &Convolutions) -> InceptionE {
        let channels_in = self.channels_in;
        let [reduced3x3, reduced3x3dbl] = make.channels([384, 448]);
        let [out1x1, expanded, out_pool] = make.channels(BRANCHES);
        InceptionE {
            branch1x1: make.same([channels_in, out1x1], [1, 1]),
            branch3x3_1: make.same([channels_in, reduced3x3], [1, 1]),
            branch3x3_2a: make.same([reduced3x3, expanded], [1, 3]),
            branch3x3_2b: make.same([reduced3x3, expanded], [3, 1]),
            branch3x3dbl_1: make.same([channels_in, reduced3x3dbl], [1, 1]),
            branch3x3dbl_2: make.same([reduced3x3dbl, expanded], [3, 3]),
            branch3x3dbl_3a: make.same([expanded, expanded], [1, 3]),
            branch3x3dbl_3b: make.same([expanded, expanded], [3, 1]),
            branch_pool: make.same([channels_in, out_pool], [1, 1]),
            count_include_pad: make.count_include_pad,
        }
    }
}

/// A module with the branches 1x1; 1x1, then 1x3 and 3x1 in parallel; 1x1 and 3x3, then 1x3 and 3x1 in parallel;
/// average pool and 1x1 (figure 7).
#[derive(Module, Debug)]
pub struct InceptionE {
    /// The 1x1.
    pub branch1x1: ConvNorm,
    /// 1x1 before the expanded 3x3.
    pub branch3x3_1: ConvNorm,
    /// The 1x3.
    pub branch3x3_2a: ConvNorm,
    /// The 3x1 parallel to it.
    pub branch3x3_2b: ConvNorm,
    /// 1x1 before the double 3x3.
    pub branch3x3dbl_1: ConvNorm,
    /// The 3x3.
    pub branch3x3dbl_2: ConvNorm,
    /// The 1x3 after the 3x3.
    pub branch3x3dbl_3a: ConvNorm,
    /// The 3x1 parallel to it.
    pub branch3x3dbl_3b: ConvNorm,
    /// 1x1 after the average pool.
    pub branch_pool: ConvNorm,
    /// Whether the average pool counts the zeros around the map.
    pub count_include_pad: bool,
}

impl InceptionE {
    /// Computes all branches, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, h, w]`
    /// - output: `[batch, 2048, h, w]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let branch1x1 = self.branch1x1.forward(input.clone(), relu()); // [batch, 320, h, w]

        let branch3x3 = self.branch3x3_1.forward(input.clone(), relu()); // [batch, 384, h, w]
        let branch3x3a = self.branch3x3_2a.forward(branch3x3.clone(), relu());
        let branch3x3b = self.branch3x3_2b.forward(branch3x3, relu());

        let branch3x3dbl = self.branch3x3dbl_1.forward(input.clone(), relu()); // [batch, 448, h, w]
        let branch3x3dbl = self.branch3x3dbl_2.forward(branch3x3dbl, relu()); // [batch, 384, h, w]
        let branch3x3dbl_a = self.branch3x3dbl_3a.forward(branch3x3dbl.clone(), relu());
        let branch3x3dbl_b = self.branch3x3dbl_3b.forward(branch3x3dbl, relu());

        let branch_pool = average_pool(input, 3, self.count_include_pad, self.branch_pool.kernels); // [batch, channels_in, h, w]
        let branch_pool = self.branch_pool.forward(branch_pool, relu()); // [batch, 192, h, w]

        FeatureMap::concatenate([
            branch1x1,
            branch3x3a,
            branch3x3b,
            branch3x3dbl_a,
            branch3x3dbl_b,
            branch_pool,
        ])
    }
}
