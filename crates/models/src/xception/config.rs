//! Configuration of Xception.

use burn::config::Config;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::Xception;
use super::exit_flow::ExitFlowConfig;
use super::module::{Downsampling, XceptionModuleConfig};
use super::stem::stem_config;
use crate::ModelError;
use crate::error::{check_dropout, check_epsilon, check_positive};
use crate::layers::{Activation, ClassifierConfig, Kernels, LayerOptions, Padding, Stem};
use crate::width::Width;

/// Channels of the entry flow's modules (figure 5).
const ENTRY_FLOW: [usize; 3] = [128, 256, 728];
/// Channels of the middle flow.
const MIDDLE_FLOW: usize = 728;
/// Channels of the exit flow's separable convolutions.
const EXIT_FLOW: [usize; 4] = [728, 1024, 1536, 2048];

/// Configuration of [`Xception`].
///
/// In JSON every field may be left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct XceptionConfig {
    /// Number of classes.
    pub classes: usize,
    /// Factor on the channels of every layer, rounded to multiples of 8; 1 in the paper.
    pub width: f64,
    /// Number of modules in the middle flow; 8 in the paper.
    pub middle_modules: usize,
    /// Whether modules have a residual connection (section 4.6).
    pub residual: bool,
    /// What stands between depthwise and pointwise convolution (section 4.7).
    pub intermediate_activation: Activation,
    /// Probability of dropout before the last layer; 0.5 in the paper's ImageNet training.
    pub dropout: f64,
    /// Units of the optional fully connected layers; the paper has `[4096, 4096]` for JFT.
    pub fully_connected: Vec<usize>,
    /// Which side gets the odd pixel at stride 2.
    pub padding: Padding,
    /// For large or for small images.
    pub stem: Stem,
    /// Added to the variance by batch normalization: 1e-5 in timm's port, 1e-3 in Keras.
    pub batch_norm_epsilon: f64,
    /// Whose operations the layers run.
    pub kernels: Kernels,
}

impl Default for XceptionConfig {
    fn default() -> Self {
        Self {
            classes: 1000,
            width: 1.0,
            middle_modules: 8,
            residual: true,
            intermediate_activation: Activation::None,
            dropout: 0.0,
            fully_connected: Vec::new(),
            padding: Padding::Symmetric,
            stem: Stem::Standard,
            batch_norm_epsilon: 1e-5,
            kernels: Kernels::Native,
        }
    }
}

impl Config for XceptionConfig {}

impl XceptionConfig {
    /// The paper's network with this number of classes.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            ..Self::default()
        }
    }

    /// Returns the name of the network.
    pub fn name(&self) -> String {
        "xception".to_owned()
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

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// Where an option is out of its range.
    pub fn init(&self, device: &Device) -> Result<Xception, ModelError> {
        check_positive("classes", self.classes)?;
        check_dropout(self.dropout)?;
        check_epsilon(self.batch_norm_epsilon)?;
        for &units in &self.fully_connected {
            check_positive("fully_connected", units)?;
        }
        let width = Width::new(self.width)?;
        let module = |channels_in, channels: Vec<usize>, downsampling| XceptionModuleConfig {
            channels_in,
            channels,
            first_activation: true,
            downsampling,
            residual: self.residual,
            activation: self.intermediate_activation,
            options: self.layers(),
        };
        let pool = Downsampling::MaxPool(self.padding);

        let stem = stem_config(self.stem, width, self.layers());
        let mut channels = stem.channels();
        let mut entry_flow = Vec::new();
        for (index, published) in ENTRY_FLOW.into_iter().enumerate() {
            let outputs = width.channels(published);
            let config = XceptionModuleConfig {
                first_activation: index > 0, // the stem ends with one
                ..module(channels, vec![outputs; 2], pool)
            };
            entry_flow.push(config.init(device));
            channels = outputs;
        }

        let middle = width.channels(MIDDLE_FLOW);
        let middle_flow = (0..self.middle_modules)
            .map(|_| module(middle, vec![middle; 3], Downsampling::None).init(device))
            .collect();

        let [first, second, third, last] = EXIT_FLOW.map(|published| width.channels(published));
        let exit_flow = ExitFlowConfig {
            module: module(channels, vec![first, second], pool),
            channels: [third, last],
        };
        Ok(Xception {
            stem: stem.init(device),
            entry_flow,
            middle_flow,
            exit_flow: exit_flow.init(device),
            classifier: ClassifierConfig {
                features: last,
                fully_connected: self.fully_connected.clone(),
                classes: self.classes,
                dropout: self.dropout,
                kernels: self.kernels,
            }
            .init(device),
            minimum_size: minimum_size(self.stem),
        })
    }
}

/// Smallest side of an image that leaves a pixel everywhere. Padded windows take any size, so only
/// the standard stem's two convolutions without padding (3x3 at stride 2, then 3x3) need some.
fn minimum_size(stem: Stem) -> usize {
    match stem {
        Stem::Standard => 7,
        Stem::Small => 1,
    }
}
