//! Configuration of MobileNet V1.

use burn::prelude::*;
use xception_kernels::{Geometry, Padding2d};

use super::MobileNetV1;
use crate::ModelError;
use crate::layers::{
    Activation, ClassifierConfig, ConvNormConfig, Padding, SegmentedConvNormConfig, Stem,
};
use crate::limits::check_parameters;
use crate::options::network_config;

/// Channels of the first convolution.
const STEM: usize = 32;
/// Output channels and stride of each separable convolution (table 1).
pub(super) const BLOCKS: [(usize, usize); 13] = [
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
];

network_config! {
    /// Configuration of [`MobileNetV1`].
    #[schemars(
        description = "The options of MobileNet V1; each may be left out.",
        example = serde_json::json!({"width": 0.25, "stem": "small"})
    )]
    MobileNetV1Config {
        /// Which side gets the odd pixel at stride 2.
        padding, with_padding: Padding = Padding::Symmetric;
    }
    channels: [32, 64, 128, 256, 512, 1024];
    dropout: "0.001 in Keras";
    batch_norm_epsilon: 1e-5, "1e-5 in timm, 1e-3 in Keras", example 1e-3;
}

impl MobileNetV1Config {
    /// Returns the name of the network.
    pub fn name(&self) -> String {
        "mobilenet_v1".to_owned()
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        self.check_shared()
    }

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// If an option is out of its range, or the network would have too many parameters.
    pub fn init(&self, device: &Device) -> Result<MobileNetV1, ModelError> {
        self.check()?;
        let width = self.layer_width()?;
        let options = self.layer_options();

        let mut channels = width.channels(STEM);
        let stem = ConvNormConfig::new([3, channels], 3, options)
            .with_stride(match self.stem {
                Stem::Standard => 2,
                Stem::Small | Stem::SmallPooled => 1,
            })
            .with_padding(1);
        let stem = match self.padding {
            Padding::Symmetric => stem,
            Padding::Same => stem.with_same_padding(),
        };
        let blocks = BLOCKS.map(|(published, stride)| {
            let outputs = width.channels(published);
            let config = SegmentedConvNormConfig::separable([channels, outputs], 3, options)
                .with_norm_between(true)
                .with_activation(Activation::Relu6)
                .with_geometry(self.window(stride));
            channels = outputs;
            config.init(device)
        });
        let classifier = ClassifierConfig {
            dropout: self.dropout,
            ..ClassifierConfig::new(channels, self.classes, self.kernels)
        };
        check_parameters(MobileNetV1 {
            stem: stem.init(device),
            blocks: blocks.into(),
            classifier: classifier.init(device),
        })
    }

    /// Returns the window of a depthwise convolution. At stride 2 Keras pads one row below and one column on the
    /// right, for any input size.
    fn window(&self, stride: usize) -> Geometry {
        let same = Geometry::same(3).with_stride(stride);
        match (self.padding, stride) {
            (Padding::Same, 2) => same.with_padding(Padding2d {
                top: 0,
                bottom: 1,
                left: 0,
                right: 1,
            }),
            _ => same,
        }
    }
}
