//! Modules at 17 x 17, with 7x7 convolutions factorized into 1x7 and 7x1.

use burn::module::Module;

use super::convolutions::{Convolutions, relu};
use crate::layers::{ConvNorm, FeatureMap, average_pool};

/// Published channels of each of the four branches.
const BRANCH: usize = 192;

pub(super) struct InceptionCConfig {
    pub(super) channels_in: usize,
    /// Published channels inside the branches with 7x7 convolutions.
    pub(super) channels_7x7: usize,
}

impl InceptionCConfig {
    pub(super) fn channels_out(&self, make: &Convolutions) -> usize {
        make.channels([BRANCH; 4]).iter().sum()
    }

    pub(super) fn init(&self, make: &Convolutions) -> InceptionC {
        let channels_in = self.channels_in;
        let [inner, out] = make.channels([self.channels_7x7, BRANCH]);
        InceptionC {
            branch1x1: make.same([channels_in, out], [1, 1]),
            branch7x7_1: make.same([channels_in, inner], [1, 1]),
            branch7x7_2: make.same([inner, inner], [1, 7]),
            branch7x7_3: make.same([inner, out], [7, 1]),
            branch7x7dbl_1: make.same([channels_in, inner], [1, 1]),
            branch7x7dbl_2: make.same([inner, inner], [7, 1]),
            branch7x7dbl_3: make.same([inner, inner], [1, 7]),
            branch7x7dbl_4: make.same([inner, inner], [7, 1]),
            branch7x7dbl_5: make.same([inner, out], [1, 7]),
            branch_pool: make.same([channels_in, out], [1, 1]),
            count_include_pad: make.count_include_pad,
        }
    }
}

/// A module with the branches 1x1; 1x1, 1x7 and 7x1; 1x1 and twice 7x1 and 1x7; average pool and 1x1 (figure 6).
#[derive(Module, Debug)]
pub struct InceptionC {
    /// The 1x1.
    pub branch1x1: ConvNorm,
    /// 1x1 before the 7x7.
    pub branch7x7_1: ConvNorm,
    /// The 1x7.
    pub branch7x7_2: ConvNorm,
    /// The 7x1.
    pub branch7x7_3: ConvNorm,
    /// 1x1 before the double 7x7.
    pub branch7x7dbl_1: ConvNorm,
    /// First 7x1.
    pub branch7x7dbl_2: ConvNorm,
    /// First 1x7.
    pub branch7x7dbl_3: ConvNorm,
    /// Second 7x1.
    pub branch7x7dbl_4: ConvNorm,
    /// Second 1x7.
    pub branch7x7dbl_5: ConvNorm,
    /// 1x1 after the average pool.
    pub branch_pool: ConvNorm,
    /// Whether the average pool counts the zeros around the map.
    pub count_include_pad: bool,
}

impl InceptionC {
    /// Computes all branches, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, h, w]`
    /// - output: `[batch, 768, h, w]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let branch1x1 = self.branch1x1.forward(input.clone(), relu()); // [batch, 192, h, w]

        let branch7x7 = self.branch7x7_1.forward(input.clone(), relu()); // [batch, inner, h, w]
        let branch7x7 = self.branch7x7_2.forward(branch7x7, relu());
        let branch7x7 = self.branch7x7_3.forward(branch7x7, relu()); // [batch, 192, h, w]

        let branch7x7dbl = self.branch7x7dbl_1.forward(input.clone(), relu()); // [batch, inner, h, w]
        let branch7x7dbl = self.branch7x7dbl_2.forward(branch7x7dbl, relu());
        let branch7x7dbl = self.branch7x7dbl_3.forward(branch7x7dbl, relu());
        let branch7x7dbl = self.branch7x7dbl_4.forward(branch7x7dbl, relu());
        let branch7x7dbl = self.branch7x7dbl_5.forward(branch7x7dbl, relu()); // [batch, 192, h, w]

        let branch_pool = average_pool(input, 3, self.count_include_pad, self.branch_pool.kernels); // [batch, channels_in, h, w]
        let branch_pool = self.branch_pool.forward(branch_pool, relu()); // [batch, 192, h, w]

        FeatureMap::concatenate([branch1x1, branch7x7, branch7x7dbl, branch_pool])
    }
}
