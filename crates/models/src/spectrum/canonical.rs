//! The canonical Inception module of figure 1.

use burn::module::Module;
use burn::prelude::*;

use crate::layers::{ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, average_pool};

/// Configuration of a [`CanonicalInception`].
#[derive(Debug, Clone, PartialEq)]
pub struct CanonicalInceptionConfig {
    /// Input channels.
    pub channels_in: usize,
    /// Output channels of the 1x1 branch.
    pub branch1x1: usize,
    /// Channels of the 1x1 and of the 3x3 convolution in the 3x3 branch.
    pub branch3x3: [usize; 2],
    /// Channels of the 1x1 and of the two 3x3 convolutions in the double 3x3 branch.
    pub branch3x3dbl: [usize; 2],
    /// Output channels of the pool's branch.
    pub branch_pool: usize,
    /// Whether the average pool counts the zeros around the map.
    pub count_include_pad: bool,
    /// Options that the layers of a network share.
    pub options: LayerOptions,
}

impl CanonicalInceptionConfig {
    /// Makes the configuration of Inception V3's first module, `Mixed_5b`, with a 3x3 convolution in place of its 5x5, as
    /// figure 1 of the Xception paper has it.
    pub fn new(channels_in: usize, options: LayerOptions) -> Self {
        Self {
            channels_in,
            branch1x1: 64,
            branch3x3: [48, 64],
            branch3x3dbl: [64, 96],
            branch_pool: 32,
            count_include_pad: true,
            options,
        }
    }

    /// Returns the number of output channels.
    pub fn channels_out(&self) -> usize {
        self.branch1x1 + self.branch3x3[1] + self.branch3x3dbl[1] + self.branch_pool
    }

    /// Makes the module, with random weights.
    pub fn init(&self, device: &Device) -> CanonicalInception {
        let same = |channels, kernel| {
            ConvNormConfig::new(channels, kernel, self.options)
                .with_padding(kernel / 2)
                .init(device)
        };
        let input = self.channels_in;
        let ([reduced, out], [reduced_dbl, out_dbl]) = (self.branch3x3, self.branch3x3dbl);
        CanonicalInception {
            branch1x1: same([input, self.branch1x1], 1),
            branch3x3_1: same([input, reduced], 1),
            branch3x3_2: same([reduced, out], 3),
            branch3x3dbl_1: same([input, reduced_dbl], 1),
            branch3x3dbl_2: same([reduced_dbl, out_dbl], 3),
            branch3x3dbl_3: same([out_dbl, out_dbl], 3),
            branch_pool: same([input, self.branch_pool], 1),
            count_include_pad: self.count_include_pad,
        }
    }
}

/// A canonical Inception module, with the branches 1x1; 1x1 and 3x3; 1x1 and twice 3x3; average pool and 1x1 (F. Chollet,
/// *Xception*, 2017, figure 1).
#[derive(Module, Debug)]
pub struct CanonicalInception {
    /// The 1x1.
    pub branch1x1: ConvNorm,
    /// 1x1 before the 3x3.
    pub branch3x3_1: ConvNorm,
    /// The 3x3.
    pub branch3x3_2: ConvNorm,
    /// 1x1 before the double 3x3.
    pub branch3x3dbl_1: ConvNorm,
    /// First 3x3 of the double.
    pub branch3x3dbl_2: ConvNorm,
    /// Second 3x3 of the double.
    pub branch3x3dbl_3: ConvNorm,
    /// 1x1 after the average pool.
    pub branch_pool: ConvNorm,
    /// Whether the average pool counts the zeros around the map.
    pub count_include_pad: bool,
}

impl CanonicalInception {
    /// Computes all branches, with ReLU after each convolution, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height, width]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let relu = Epilogue::relu;
        let branch1x1 = self.branch1x1.forward(input.clone(), relu());

        let branch3x3 = self.branch3x3_1.forward(input.clone(), relu());
        let branch3x3 = self.branch3x3_2.forward(branch3x3, relu());

        let branch3x3dbl = self.branch3x3dbl_1.forward(input.clone(), relu());
        let branch3x3dbl = self.branch3x3dbl_2.forward(branch3x3dbl, relu());
        let branch3x3dbl = self.branch3x3dbl_3.forward(branch3x3dbl, relu());

        let pooled = average_pool(input, 3, self.count_include_pad, self.branch_pool.kernels);
        let branch_pool = self.branch_pool.forward(pooled, relu());

        FeatureMap::concatenate([branch1x1, branch3x3, branch3x3dbl, branch_pool])
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::Kernels;
    use crate::layers::trace::Trace;

    #[test]
    fn has_the_shape_and_the_parameters_of_its_branches() {
        let device = Device::flex();
        let options = LayerOptions {
            epsilon: 1e-3,
            kernels: Kernels::Native,
        };
        let config = CanonicalInceptionConfig::new(192, options);
        let module = config.init(&device);
        let weights = 192 * (64 + 48 + 64 + 32) + 9 * (48 * 64 + 64 * 96 + 96 * 96);
        let norms = 2 * (64 + 48 + 64 + 64 + 96 + 96 + 32);
        assert_eq!(crate::trainable_parameters(&module), weights + norms);
        let images = Tensor::random([2, 192, 7, 6], Distribution::Default, &device);
        let expected = module.forward(FeatureMap::composed(images.clone()));
        assert_eq!(expected.dims(), [2, config.channels_out(), 7, 6]);
        let traced = FeatureMap::traced([2, 192, 7, 6], &Trace::recording(&device));
        assert_eq!(module.forward(traced).dims(), expected.dims());
        let found = module.forward(FeatureMap::fused(images)).into_tensor();
        let difference = (found - expected.into_tensor()).abs().max();
        assert!(difference.into_scalar::<f32>() < 1e-5);
    }
}
