//! Configuration of Xception.

use burn::prelude::*;

use super::Xception;
use super::exit_flow::ExitFlowConfig;
use super::module::{Downsampling, XceptionModuleConfig};
use super::stem::stem_config;
use crate::layers::{
    Activation, ClassifierConfig, Order, Padding, SegmentedConvNormConfig, Segments, Stem,
};
use crate::limits::{self, FULLY_CONNECTED, check_parameters};
use crate::options::{UNITS, check_fully_connected, network_config};
use xception_messages::Bounds;

use crate::ModelError;

/// Channels of the entry flow's modules (figure 5).
const ENTRY_FLOW: [usize; 3] = [128, 256, 728];
/// Channels of the middle flow.
const MIDDLE_FLOW: usize = 728;
/// Channels of the exit flow's separable convolutions.
const EXIT_FLOW: [usize; 4] = [728, 1024, 1536, 2048];

/// Range of the number of modules in the middle flow.
const MIDDLE_MODULES: Bounds = Bounds::at_least(0.0).at_most(limits::MIDDLE_MODULES as f64);
/// Range of the number of segments.
const SEGMENTS: Bounds = Bounds::at_least(1.0).at_most(limits::SEGMENTS as f64);

network_config! {
    /// Configuration of [`Xception`].
    #[schemars(
        description = "The options of Xception; each may be left out.",
        example = serde_json::json!({"width": 0.25, "stem": "small"})
    )]
    XceptionConfig {
        /// Number of modules in the middle flow; 8 in the paper.
        #[schemars(example = 2, transform = MIDDLE_MODULES.of_number())]
        middle_modules, with_middle_modules: usize = 8;
        /// Whether modules have a residual connection (section 4.6).
        residual, with_residual: bool = true;
        /// Number of segments of the channels in each separable convolution, each with its own 3x3 convolution (figure 3);
        /// as published one for each channel. A layer with fewer channels has one for each, and the others a multiple of
        /// this number of channels.
        #[schemars(example = 4)]
        segments, with_segments: Segments = Segments::Channels;
        /// Order of the two parts of a separable convolution: the 3x3 first, as published, or the 1x1 first, as in an
        /// Inception module (section 2).
        order, with_order: Order = Order::DepthwiseFirst;
        /// Whether batch normalization also follows the first part of a separable convolution.
        norm_between, with_norm_between: bool = false;
        /// The activation between depthwise and pointwise convolution (section 4.7).
        intermediate_activation, with_intermediate_activation: Activation = Activation::None;
        /// Units of the fully connected layers before the last layer, one number per layer; the paper has
        /// `[4096, 4096]` for JFT.
        #[schemars(example = [4096, 4096], transform = UNITS.of_items(), extend("maxItems" = FULLY_CONNECTED))]
        fully_connected, with_fully_connected: Vec<usize> = Vec::new();
        /// Which side gets the odd pixel at stride 2.
        padding, with_padding: Padding = Padding::Symmetric;
    }
    channels: [32, 64, 128, 256, 728, 1024, 1536, 2048];
    segments: segments;
    dropout: "0.5 in the paper's ImageNet training";
    batch_norm_epsilon: 1e-5, "1e-5 in timm's port, 1e-3 in Keras", example 1e-3;
}

impl XceptionConfig {
    /// Returns the name of the network.
    pub fn name(&self) -> String {
        "xception".to_owned()
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        self.check_shared()?;
        MIDDLE_MODULES.check_count("middle_modules", self.middle_modules)?;
        if let Segments::Number(number) = self.segments {
            SEGMENTS.check_count("segments", number)?;
            self.check_segments(number)?;
        }
        check_fully_connected(&self.fully_connected)
    }

    /// Checks that given numbers of channels divide into this number of segments.
    fn check_segments(&self, number: usize) -> Result<(), ModelError> {
        let uneven = |channels: usize| channels > number && !channels.is_multiple_of(number);
        match self.channels.iter().find(|(_, given)| uneven(**given)) {
            None => Ok(()),
            Some((published, given)) => Err(ModelError::OutOfRange {
                option: "channels",
                found: format!("{given} for the published number {published}"),
                expected: format!("a multiple of `segments`, {number}, or at most that"),
            }),
        }
    }

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// If an option is out of its range, or the network would have too many parameters.
    pub fn init(&self, device: &Device) -> Result<Xception, ModelError> {
        self.check()?;
        let width = self.layer_width()?;
        let convolution = SegmentedConvNormConfig::separable([0; 2], 3, self.layer_options())
            .with_segments(self.segments)
            .with_order(self.order)
            .with_norm_between(self.norm_between)
            .with_activation(self.intermediate_activation);
        let module = |channels_in, channels: Vec<usize>, downsampling| XceptionModuleConfig {
            channels_in,
            channels,
            first_activation: true,
            downsampling,
            residual: self.residual,
            convolution: convolution.clone(),
        };
        let pool = Downsampling::MaxPool(self.padding);

        let stem = stem_config(self.stem, &width, self.layer_options());
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
        check_parameters(Xception {
            stem: stem.init(device),
            entry_flow,
            middle_flow,
            exit_flow: exit_flow.init(device),
            classifier: ClassifierConfig {
                fully_connected: self.fully_connected.clone(),
                dropout: self.dropout,
                ..ClassifierConfig::new(last, self.classes, self.kernels)
            }
            .init(device),
            minimum_size: minimum_size(self.stem),
        })
    }
}

/// Returns the smallest image side at which no map is empty. Padded windows take any size, so that only the standard
/// stem's two convolutions without padding (3x3 at stride 2, then 3x3) have a minimum.
fn minimum_size(stem: Stem) -> usize {
    match stem {
        Stem::Standard => 7,
        Stem::Small | Stem::SmallPooled => 1,
    }
}
