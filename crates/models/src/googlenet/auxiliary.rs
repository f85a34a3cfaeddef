//! The auxiliary classifiers.

use burn::module::Module;
use burn::prelude::*;

use crate::layers::{
    Classifier, ClassifierConfig, ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions,
    adaptive_average_pool,
};
use crate::network::Head;
use crate::width::Width;

/// Height and width of the grid to which the input is averaged.
const GRID: usize = 4;
/// Published channels of the convolution.
const CHANNELS: usize = 128;
/// Published units of the fully connected layer.
const UNITS: usize = 1024;
/// Probability of dropout before the last layer.
const DROPOUT: f64 = 0.7;

pub(super) struct GoogLeNetAuxiliaryConfig<'a> {
    pub(super) channels_in: usize,
    pub(super) classes: usize,
    pub(super) width: Width<'a>,
    pub(super) options: LayerOptions,
}

impl GoogLeNetAuxiliaryConfig<'_> {
    pub(super) fn init(&self, device: &Device) -> GoogLeNetAuxiliary {
        let channels = self.width.channels(CHANNELS);
        let features = channels * GRID * GRID;
        GoogLeNetAuxiliary {
            conv: ConvNormConfig::new([self.channels_in, channels], 1, self.options).init(device),
            classifier: ClassifierConfig {
                fully_connected: vec![self.width.channels(UNITS)],
                dropout: DROPOUT,
                ..ClassifierConfig::new(features, self.classes, self.options.kernels)
            }
            .init(device),
        }
    }
}

/// An auxiliary classifier (section 5), for training.
#[derive(Module, Debug)]
pub struct GoogLeNetAuxiliary {
    /// Convolution: 128 filters of 1x1.
    pub conv: ConvNorm,
    /// Classifier: a fully connected layer of 1024 units with ReLU, dropout, and a linear layer.
    pub classifier: Classifier,
}

impl Head for GoogLeNetAuxiliary {
    fn forward(&self, stage: FeatureMap) -> FeatureMap {
        let x = adaptive_average_pool(stage, [GRID, GRID]); // [batch, 512 or 528, 4, 4]
        let x = self.conv.forward(x, Epilogue::relu()); // [batch, 128, 4, 4]
        self.classifier.forward(x.flatten()) // [batch, classes, 1, 1]
    }
}
