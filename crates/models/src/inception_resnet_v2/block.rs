//! The residual blocks, at all three resolutions.

use burn::module::Module;

use super::branches::{self, Branches};
use crate::inception_v3::convolutions::Convolutions;
use crate::layers::{Activation, ConvNorm, ConvNormConfig, Epilogue, FeatureMap};

/// The blocks of a resolution.
pub(super) struct Block {
    pub(super) branches: Branches,
    /// Factor on what is added to the input.
    pub(super) scale: f64,
}

impl Block {
    /// Makes a block, as all but the last of the network are.
    pub(super) fn init(&self, channels: usize, make: &Convolutions) -> InceptionResNetBlock {
        self.with(channels, self.scale, Activation::Relu, make)
    }

    /// Makes the last block of the network, whose sum is neither scaled nor followed by an activation.
    pub(super) fn last(&self, channels: usize, make: &Convolutions) -> InceptionResNetBlock {
        self.with(channels, 1.0, Activation::None, make)
    }

    fn with(
        &self,
        channels: usize,
        scale: f64,
        activation: Activation,
        make: &Convolutions,
    ) -> InceptionResNetBlock {
        let concatenated = branches::channels_out(self.branches, make);
        InceptionResNetBlock {
            branches: branches::init(self.branches, channels, make),
            expansion: ConvNormConfig::new([concatenated, channels], 1, make.options)
                .with_bias()
                .without_norm()
                .with_scale(scale)
                .init(make.device),
            activation,
        }
    }
}

/// A residual block: branches of convolutions, a 1x1 convolution that expands them to the channels of the input, which
/// is scaled and added to the input, and ReLU (figures 16, 17, 19 and 20).
#[derive(Module, Debug)]
pub struct InceptionResNetBlock {
    /// The convolutions of each branch.
    pub branches: Vec<Vec<ConvNorm>>,
    /// The 1x1 that expands the concatenated branches: with a bias, and without normalization or activation.
    pub expansion: ConvNorm,
    /// The activation after the addition: ReLU, or none in the last block of the network.
    #[module(skip)]
    pub activation: Activation,
}

impl InceptionResNetBlock {
    /// Computes the branches, and adds them to the input.
    ///
    /// # Shapes
    ///
    /// - `input` and output: `[batch, channels, height, width]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let x = branches::forward(&self.branches, input.clone(), None);
        let sum = Epilogue::add(input).then(self.activation);
        self.expansion.forward(x, sum) // [batch, channels, height, width]
    }
}
