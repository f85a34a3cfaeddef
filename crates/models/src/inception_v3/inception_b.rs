//! The reduction from 35 x 35 to 17 x 17.

use burn::module::Module;
use xception_kernels::Padding2d;

use super::convolutions::{Convolutions, relu};
use crate::layers::{ConvNorm, FeatureMap, max_pool};

/// Published channels of the two branches with convolutions.
const BRANCHES: [usize; 2] = [384, 96];

pub(super) struct InceptionBConfig {
    pub(super) channels_in: usize,
}

impl InceptionBConfig {
    pub(super) fn channels_out(&self, make: &Convolutions) -> usize {
        make.channels(BRANCHES).iter().sum::<usize>() + self.channels_in
    }

    pub(super) fn init(&self, make: &Convolutions) -> InceptionB {
        let [reduced] = make.channels([64]);
        let [out3x3, out3x3dbl] = make.channels(BRANCHES);
        InceptionB {
            branch3x3: make.reduction([self.channels_in, out3x3]),
            branch3x3dbl_1: make.same([self.channels_in, reduced], [1, 1]),
            branch3x3dbl_2: make.same([reduced, out3x3dbl], [3, 3]),
            branch3x3dbl_3: make.reduction([out3x3dbl, out3x3dbl]),
        }
    }
}

/// A reduction with branches at stride 2, without padding: 3x3; 1x1 and two 3x3; max pool (figure 10).
#[derive(Module, Debug)]
pub struct InceptionB {
    /// The 3x3, at stride 2.
    pub branch3x3: ConvNorm,
    /// 1x1 before the double 3x3.
    pub branch3x3dbl_1: ConvNorm,
    /// First 3x3.
    pub branch3x3dbl_2: ConvNorm,
    /// Second 3x3, at stride 2.
    pub branch3x3dbl_3: ConvNorm,
}

impl InceptionB {
    /// Computes all branches, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, 480 + channels_in, (height - 1) / 2, (width - 1) / 2]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        // Shapes are for an input of 35 x 35.
        let branch3x3 = self.branch3x3.forward(input.clone(), relu()); // [batch, 384, 17, 17]

        let branch3x3dbl = self.branch3x3dbl_1.forward(input.clone(), relu()); // [batch, 64, 35, 35]
        let branch3x3dbl = self.branch3x3dbl_2.forward(branch3x3dbl, relu()); // [batch, 96, 35, 35]
        let branch3x3dbl = self.branch3x3dbl_3.forward(branch3x3dbl, relu()); // [batch, 96, 17, 17]

        let unpadded = Padding2d::symmetric(0);
        let branch_pool = max_pool(input, 3, 2, unpadded, self.branch3x3.kernels); // [batch, channels_in, 17, 17]

        FeatureMap::concatenate([branch3x3, branch3x3dbl, branch_pool])
    }
}
