//! The auxiliary classifier.

use burn::module::Module;

use super::convolutions::{Convolutions, relu};
use crate::layers::{
    Classifier, ClassifierConfig, ConvNorm, ConvNormConfig, FeatureMap, Stem, global_average_pool,
    strided_average_pool,
};
use crate::network::Head;

/// Published channels of the two convolutions.
const CHANNELS: [usize; 2] = [128, 768];
/// Kernel size of the average pool and of the second convolution.
const KERNEL: usize = 5;
/// Stride of the average pool.
const POOL_STRIDE: usize = 3;

pub(super) struct InceptionAuxiliaryConfig {
    pub(super) channels_in: usize,
    pub(super) classes: usize,
    pub(super) stem: Stem,
}

impl InceptionAuxiliaryConfig {
    /// Returns the smallest height and width of the input, in pixels.
    pub(super) const fn minimum_size(&self) -> usize {
        match self.stem {
            Stem::Standard => (KERNEL - 1) * POOL_STRIDE + KERNEL,
            Stem::Small | Stem::SmallPooled => KERNEL,
        }
    }

    pub(super) fn init(&self, make: &Convolutions) -> InceptionAuxiliary {
        let [reduced, out] = make.channels(CHANNELS);
        InceptionAuxiliary {
            conv0: make.same([self.channels_in, reduced], [1, 1]),
            conv1: ConvNormConfig::new([reduced, out], KERNEL, make.options).init(make.device),
            classifier: ClassifierConfig::new(out, self.classes, make.options.kernels)
                .init(make.device),
            pool: self.stem.is_standard(),
        }
    }
}

/// The auxiliary classifier on the last 17 x 17 map (figure 8), for training.
///
/// With the small stems there is no average pool: the map of a small image is smaller than 17 x 17, and after the pool
/// it would be smaller than the 5x5 convolution.
#[derive(Module, Debug)]
pub struct InceptionAuxiliary {
    /// First convolution: 128 filters of 1x1.
    pub conv0: ConvNorm,
    /// Second convolution: 768 filters of 5x5, without padding.
    pub conv1: ConvNorm,
    /// Classifier: a linear layer.
    pub classifier: Classifier,
    /// Whether an average pool of 5x5 at stride 3 precedes the convolutions.
    pub pool: bool,
}

impl Head for InceptionAuxiliary {
    fn forward(&self, stage: FeatureMap) -> FeatureMap {
        let mut x = stage; // [batch, 768, 17, 17] for 299 x 299 pixels
        if self.pool {
            x = strided_average_pool(x, KERNEL, POOL_STRIDE, 0); // [batch, 768, 5, 5]
        }
        let x = self.conv0.forward(x, relu()); // [batch, 128, 5, 5]
        let x = self.conv1.forward(x, relu()); // [batch, 768, 1, 1]
        self.classifier.forward(global_average_pool(x)) // [batch, classes, 1, 1]
    }
}
