//! The reduction from 17 x 17 to 8 x 8.

use burn::module::Module;
use xception_kernels::Padding2d;

use super::convolutions::{Convolutions, relu};
use crate::layers::{ConvNorm, FeatureMap, max_pool};

/// Published channels of the two branches with convolutions.
const BRANCHES: [usize; 2] = [320, 192];

pub(super) struct InceptionDConfig {
    pub(super) channels_in: usize,
}

impl InceptionDConfig {
    pub(super) fn channels_out(&self, make: &Convolutions) -> usize {
        make.channels(BRANCHES).iter().sum::<usize>() + self.channels_in
    }

    pub(super) fn init(&self, make: &Convolutions) -> InceptionD {
        let [inner] = make.channels([192]);
        let [out3x3, out7x7x3] = make.channels(BRANCHES);
        InceptionD {
            branch3x3_1: make.same([self.channels_in, inner], [1, 1]),
            branch3x3_2: make.reduction([inner, out3x3]),
            branch7x7x3_1: make.same([self.channels_in, inner], [1, 1]),
            branch7x7x3_2: make.same([inner, inner], [1, 7]),
            branch7x7x3_3: make.same([inner, inner], [7, 1]),
            branch7x7x3_4: make.reduction([inner, out7x7x3]),
        }
    }
}

/// A reduction with branches at stride 2, without padding: 1x1 and 3x3; 1x1, 1x7, 7x1 and 3x3; max pool.
#[derive(Module, Debug)]
pub struct InceptionD {
    /// 1x1 before the 3x3.
    pub branch3x3_1: ConvNorm,
    /// The 3x3, at stride 2.
    pub branch3x3_2: ConvNorm,
    /// 1x1 before the 7x7.
    pub branch7x7x3_1: ConvNorm,
    /// The 1x7.
    pub branch7x7x3_2: ConvNorm,
    /// The 7x1.
    pub branch7x7x3_3: ConvNorm,
    /// The 3x3 after the 7x7, at stride 2.
    pub branch7x7x3_4: ConvNorm,
}

impl InceptionD {
    /// Computes all branches, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, 512 + channels_in, (height - 1) / 2, (width - 1) / 2]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        // Shapes are for an input of 17 x 17.
        let branch3x3 = self.branch3x3_1.forward(input.clone(), relu()); // [batch, 192, 17, 17]
        let branch3x3 = self.branch3x3_2.forward(branch3x3, relu()); // [batch, 320, 8, 8]

        let branch7x7x3 = self.branch7x7x3_1.forward(input.clone(), relu()); // [batch, 192, 17, 17]
        let branch7x7x3 = self.branch7x7x3_2.forward(branch7x7x3, relu());
        let branch7x7x3 = self.branch7x7x3_3.forward(branch7x7x3, relu());
        let branch7x7x3 = self.branch7x7x3_4.forward(branch7x7x3, relu()); // [batch, 192, 8, 8]

        let unpadded = Padding2d::symmetric(0);
        let branch_pool = max_pool(input, 3, 2, unpadded, self.branch3x3_1.kernels); // [batch, channels_in, 8, 8]

        FeatureMap::concatenate([branch3x3, branch7x7x3, branch_pool])
    }
}
