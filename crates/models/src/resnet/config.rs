//! Configuration of ResNet.

use burn::config::Config;
use burn::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block::ResNetBlockConfig;
use super::stem::ResNetStemConfig;
use super::{ResNet, ResNetDepth};
use crate::ModelError;
use crate::layers::{ClassifierConfig, Kernels, LayerOptions, Stem};
use crate::limits::check_parameters;
use crate::options::{self, CLASSES, DROPOUT, EPSILON};
use crate::width::{WIDTH, Width};

/// Channels of the stem's convolution.
const STEM: usize = 64;
/// Channels and first stride of each stage, before the bottleneck's expansion (table 1).
const STAGES: [(usize, usize); 4] = [(64, 1), (128, 2), (256, 2), (512, 2)];

/// Configuration of [`ResNet`].
///
/// In JSON every field may be left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(
    description = "The options of ResNet; each may be left out.",
    example = serde_json::json!({"depth": 18, "stem": "small"})
)]
pub struct ResNetConfig {
    /// Number of layers with weights.
    #[schemars(example = 18)]
    pub depth: ResNetDepth,
    /// Number of classes. In a run it may be left out: it is that of the data.
    #[schemars(example = 10, transform = CLASSES.of_number())]
    pub classes: usize,
    /// Factor on the channels of every layer, rounded to multiples of 8; 1 in the paper.
    #[schemars(example = 0.25, transform = WIDTH.of_number())]
    pub width: f64,
    /// Probability of dropout before the last layer; none in the paper.
    #[schemars(example = 0.5, transform = DROPOUT.of_number())]
    pub dropout: f64,
    /// How the network begins: for large or for small images.
    pub stem: Stem,
    /// Whether a bottleneck takes its stride in the first 1x1 convolution, as in the paper and in
    /// Keras, rather than in the 3x3, as in torchvision.
    pub first_convolution_strided: bool,
    /// Added to the variance by batch normalization: 1e-5 in torchvision, 1.001e-5 in Keras.
    #[schemars(example = 1.001e-5, transform = EPSILON.of_number())]
    pub batch_norm_epsilon: f64,
    /// Whose operations the layers run.
    pub kernels: Kernels,
}

impl Default for ResNetConfig {
    fn default() -> Self {
        Self {
            depth: ResNetDepth::ResNet50,
            classes: 1000,
            width: 1.0,
            dropout: 0.0,
            stem: Stem::Standard,
            first_convolution_strided: false,
            batch_norm_epsilon: 1e-5,
            kernels: Kernels::Native,
        }
    }
}

impl Config for ResNetConfig {}

impl ResNetConfig {
    /// The paper's network with this depth and this number of classes.
    pub fn new(depth: ResNetDepth, classes: usize) -> Self {
        Self {
            depth,
            classes,
            ..Self::default()
        }
    }

    /// Returns the name of the network.
    pub fn name(&self) -> String {
        format!("resnet{}", self.depth.layers())
    }

    /// With this factor on the channels of every layer.
    pub fn with_width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// What the layers have in common.
    fn layers(&self) -> LayerOptions {
        LayerOptions {
            epsilon: self.batch_norm_epsilon,
            kernels: self.kernels,
        }
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        options::check(
            self.classes,
            self.width,
            self.dropout,
            self.batch_norm_epsilon,
        )
    }

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// Where an option is out of its range.
    pub fn init(&self, device: &Device) -> Result<ResNet, ModelError> {
        self.check()?;
        let width = Width::new(self.width)?;

        let stem = ResNetStemConfig {
            stem: self.stem,
            channels: width.channels(STEM),
            options: self.layers(),
        };
        let (kind, blocks) = self.depth.blocks();
        let mut channels_in = stem.channels;
        let mut stages = Vec::new();
        for ((published, first_stride), blocks) in STAGES.into_iter().zip(blocks) {
            let mut stage = Vec::new();
            for index in 0..blocks {
                let config = ResNetBlockConfig {
                    kind,
                    channels_in,
                    channels: width.channels(published),
                    stride: if index == 0 { first_stride } else { 1 },
                    first_convolution_strided: self.first_convolution_strided,
                    options: self.layers(),
                };
                stage.push(config.init(device));
                channels_in = config.channels_out();
            }
            stages.push(stage);
        }
        check_parameters(ResNet {
            stem: stem.init(device),
            stages,
            classifier: ClassifierConfig {
                features: channels_in,
                fully_connected: Vec::new(),
                classes: self.classes,
                dropout: self.dropout,
                kernels: self.kernels,
            }
            .init(device),
        })
    }
}
