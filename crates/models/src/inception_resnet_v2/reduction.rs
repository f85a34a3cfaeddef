//! The reductions between the resolutions.

use burn::module::Module;
use xception_kernels::Padding2d;

use super::branches::{self, Branches};
use crate::inception_v3::convolutions::Convolutions;
use crate::layers::{ConvNorm, FeatureMap, Kernels, max_pool};

/// Returns the number of output channels.
pub(super) fn channels_out(branches: Branches, channels_in: usize, make: &Convolutions) -> usize {
    branches::channels_out(branches, make) + channels_in
}

/// Makes the reduction.
pub(super) fn init(branches: Branches, channels_in: usize, make: &Convolutions) -> Reduction {
    Reduction {
        branches: branches::init(branches, channels_in, make),
        kernels: make.options.kernels,
    }
}

/// A reduction: branches whose last convolutions are 3x3 at stride 2 without padding, and a max pool with the same windows
/// (figures 7 and 18).
#[derive(Module, Debug)]
pub struct Reduction {
    /// The convolutions of each branch.
    pub branches: Vec<Vec<ConvNorm>>,
    /// The implementation of the max pool.
    #[module(skip)]
    pub kernels: Kernels,
}

impl Reduction {
    /// Computes all branches, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out + channels_in, (height - 1) / 2, (width - 1) / 2]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let unpadded = Padding2d::symmetric(0);
        let pooled = max_pool(input.clone(), 3, 2, unpadded, self.kernels);
        branches::forward(&self.branches, input, Some(pooled))
    }
}
