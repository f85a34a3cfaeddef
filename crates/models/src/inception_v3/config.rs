//! Configuration of Inception V3.

use burn::prelude::*;

use super::auxiliary::InceptionAuxiliaryConfig;
use super::convolutions::Convolutions;
use super::inception_a::InceptionAConfig;
use super::inception_b::InceptionBConfig;
use super::inception_c::InceptionCConfig;
use super::inception_d::InceptionDConfig;
use super::inception_e::InceptionEConfig;
use super::{InceptionV3, stem};
use crate::ModelError;
use crate::layers::{ClassifierConfig, Stem};
use crate::limits::{FULLY_CONNECTED, check_parameters};
use crate::options::{UNITS, check_fully_connected, network_config};

/// Modules at 35 x 35: the name and the channels of the pool's branch.
pub(crate) const INCEPTION_A: [(&str, usize); 3] =
    [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)];
/// Name of the reduction to 17 x 17.
pub(crate) const INCEPTION_B: &str = "Mixed_6a";
/// Modules at 17 x 17: the name and the channels inside the branches with 7x7 convolutions.
pub(crate) const INCEPTION_C: [(&str, usize); 4] = [
    ("Mixed_6b", 128),
    ("Mixed_6c", 160),
    ("Mixed_6d", 160),
    ("Mixed_6e", 192),
];
/// Name of the reduction to 8 x 8.
pub(crate) const INCEPTION_D: &str = "Mixed_7a";
/// Names of the modules at 8 x 8.
pub(crate) const INCEPTION_E: [&str; 2] = ["Mixed_7b", "Mixed_7c"];

network_config! {
    /// Configuration of [`InceptionV3`].
    #[schemars(
        description = "The options of Inception V3; each may be left out.",
        example = serde_json::json!({"auxiliary": true, "dropout": 0.5})
    )]
    InceptionV3Config {
        /// Whether there is an auxiliary classifier; in the paper there is, in Xception's comparison
        /// there isn't.
        auxiliary, with_auxiliary: bool = false;
        /// Whether the average pools of the modules count the zeros around the map: they do in
        /// torchvision, and don't in Keras.
        #[serde(alias = "pool_counts_padding")]
        count_include_pad, with_count_include_pad: bool = true;
        /// Units of the fully connected layers before the last layer, one number per layer; Xception's paper has
        /// `[4096, 4096]` for JFT, in both networks.
        #[schemars(example = [4096, 4096], transform = UNITS.of_items(), extend("maxItems" = FULLY_CONNECTED))]
        fully_connected, with_fully_connected: Vec<usize> = Vec::new();
    }
    channels: [
        32, 48, 64, 80, 96, 128, 160, 192, 320, 384, 448, 768
    ];
    dropout: "0.5 in torchvision and in Xception's ImageNet training, 0.2 in the author's code";
    batch_norm_epsilon: 1e-3, "1e-3 in torchvision and in Keras", example 1e-5;
}

impl InceptionV3Config {
    /// Returns the name of the network.
    pub fn name(&self) -> String {
        "inception_v3".to_owned()
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        self.check_shared()?;
        check_fully_connected(&self.fully_connected)
    }

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// If an option is out of its range, or the network would have too many parameters.
    pub fn init(&self, device: &Device) -> Result<InceptionV3, ModelError> {
        self.check()?;
        let make = &Convolutions {
            width: self.layer_width()?,
            count_include_pad: self.count_include_pad,
            options: self.layer_options(),
            device,
        };

        let (stem, mut channels_in) = stem::stem(self.stem, stem::NAMES, make);
        let inception_a = INCEPTION_A.map(|(_, pool_channels)| {
            let config = InceptionAConfig {
                channels_in,
                pool_channels,
            };
            channels_in = config.channels_out(make);
            config.init(make)
        });
        let reduction_b = InceptionBConfig { channels_in };
        channels_in = reduction_b.channels_out(make);
        let inception_c = INCEPTION_C.map(|(_, channels_7x7)| {
            let config = InceptionCConfig {
                channels_in,
                channels_7x7,
            };
            channels_in = config.channels_out(make);
            config.init(make)
        });
        let auxiliary = self.auxiliary.then_some(InceptionAuxiliaryConfig {
            channels_in,
            classes: self.classes,
            stem: self.stem,
        });
        let reduction_d = InceptionDConfig { channels_in };
        channels_in = reduction_d.channels_out(make);
        let inception_e = INCEPTION_E.map(|_| {
            let config = InceptionEConfig { channels_in };
            channels_in = config.channels_out(make);
            config.init(make)
        });
        check_parameters(InceptionV3 {
            stem,
            inception_a: inception_a.into(),
            inception_b: reduction_b.init(make),
            inception_c: inception_c.into(),
            inception_d: reduction_d.init(make),
            inception_e: inception_e.into(),
            classifier: ClassifierConfig {
                fully_connected: self.fully_connected.clone(),
                dropout: self.dropout,
                ..ClassifierConfig::new(channels_in, self.classes, self.kernels)
            }
            .init(device),
            minimum_size: minimum_size(self.stem, auxiliary.as_ref()),
            auxiliary: auxiliary.map(|auxiliary| auxiliary.init(make)),
        })
    }
}

/// Returns the smallest image side at which no map is empty, computed from the last map backwards through all windows
/// that shrink it.
fn minimum_size(stem: Stem, auxiliary: Option<&InceptionAuxiliaryConfig>) -> usize {
    let before = |output: usize, kernel: usize, stride: usize| (output - 1) * stride + kernel;
    let mut side = before(1, 3, 2); // Mixed_7a
    if let Some(auxiliary) = auxiliary {
        side = side.max(auxiliary.minimum_size());
    }
    stem::minimum_size(stem, before(side, 3, 2)) // Mixed_6a
}
