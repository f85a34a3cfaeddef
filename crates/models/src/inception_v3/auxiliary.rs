//! The auxiliary classifier.

use burn::module::Module;
use burn::prelude::*;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use xception_kernels::Geometry;

use super::convolutions::Convolutions;
use crate::layers::{
    Classifier, ClassifierConfig, ConvNorm, ConvNormConfig, Stem, global_average_pool,
    window_output,
};
use crate::trace;

/// Published channels of the two convolutions.
const CHANNELS: [usize; 2] = [128, 768];
/// Kernel of the average pool and of the second convolution.
const KERNEL: usize = 5;
/// Stride of the average pool.
const POOL_STRIDE: usize = 3;

pub(super) struct InceptionAuxiliaryConfig {
    pub(super) channels_in: usize,
    pub(super) classes: usize,
    pub(super) stem: Stem,
}

impl InceptionAuxiliaryConfig {
    /// Smallest side of the input, in pixels.
    pub(super) const fn minimum_size(&self) -> usize {
        match self.stem {
            Stem::Standard => (KERNEL - 1) * POOL_STRIDE + KERNEL,
            Stem::Small => KERNEL,
        }
    }

    pub(super) fn init(&self, make: &Convolutions) -> InceptionAuxiliary {
        let [reduced, out] = make.channels(CHANNELS);
        InceptionAuxiliary {
            conv0: make.same([self.channels_in, reduced], [1, 1]),
            conv1: ConvNormConfig::new([reduced, out], KERNEL, make.options).init(make.device),
            classifier: ClassifierConfig {
                features: out,
                fully_connected: Vec::new(),
                classes: self.classes,
                dropout: 0.0,
            }
            .init(make.device),
            pool: self.stem == Stem::Standard,
        }
    }
}

/// The auxiliary classifier on the last 17 x 17 map (figure 8), to be used in training.
///
/// With the small stem its first average pool is left out: the map of a small image is smaller than
/// 17 x 17, and pooled would be smaller than the 5x5 convolution.
#[derive(Module, Debug)]
pub struct InceptionAuxiliary {
    /// 128 filters of 1x1.
    pub conv0: ConvNorm,
    /// 768 filters of 5x5, without padding.
    pub conv1: ConvNorm,
    /// Logistic regression.
    pub classifier: Classifier,
    /// Whether an average pool of 5x5 at stride 3 comes first.
    pub pool: bool,
}

impl InceptionAuxiliary {
    /// From the map to logits.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, 768, height, width]`
    /// - output: `[batch, classes]`
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        let mut x = input;
        if self.pool {
            x = Self::average_pool(x); // [batch, 768, 5, 5] of 17 x 17
        }
        let x = self.conv0.forward_relu(x); // [batch, 128, 5, 5]
        let x = self.conv1.forward_relu(x); // [batch, 768, 1, 1]
        self.classifier.forward(global_average_pool(x)) // [batch, classes]
    }

    /// The average pool of 5x5 at stride 3.
    pub(crate) fn average_pool(input: Tensor<4>) -> Tensor<4> {
        let options = AvgPoolOptions::new([KERNEL, KERNEL]).with_stride([POOL_STRIDE, POOL_STRIDE]);
        let geometry = Geometry::valid(KERNEL).with_stride(POOL_STRIDE);
        trace::elementwise(window_output(&input, &geometry), || {
            avg_pool2d(input, options)
        })
    }
}
