//! Configuration of Inception V2.

use burn::prelude::*;

use super::InceptionV2;
use super::stem::InceptionV2StemConfig;
use super::unit::{InceptionUnitConfig, Row, average, maximum, reduction};
use crate::ModelError;
use crate::layers::ClassifierConfig;
use crate::limits::check_parameters;
use crate::options::network_config;

/// The units of each stage (figure 5): channels of the 1x1; of the 3x3, and of the 1x1 before it; of the double 3x3, and
/// of the 1x1 before it; of the 1x1 after the pool.
pub(super) const STAGES: [&[Row]; 3] = [
    &[
        average(64, [64, 64], [64, 96], 32), // 3a
        average(64, [64, 96], [64, 96], 64), // 3b
    ],
    &[
        reduction([128, 160], [64, 96]),           // 3c
        average(224, [64, 96], [96, 128], 128),    // 4a
        average(192, [96, 128], [96, 128], 128),   // 4b
        average(160, [128, 160], [128, 160], 128), // 4c
        average(96, [128, 192], [160, 192], 128),  // 4d
    ],
    &[
        reduction([128, 192], [192, 256]),         // 4e
        average(352, [192, 320], [160, 224], 128), // 5a
        maximum(352, [192, 320], [192, 224], 128), // 5b
    ],
];

network_config! {
    /// Configuration of [`InceptionV2`].
    #[schemars(
        description = "The options of Inception V2; each may be left out.",
        example = serde_json::json!({"width": 0.25, "stem": "small"})
    )]
    InceptionV2Config {
        /// Whether the average pools of the units count the zeros around the map: they do in pytorchcv.
        count_include_pad, with_count_include_pad: bool = true;
    }
    channels: [32, 64, 96, 128, 160, 192, 224, 256, 320, 352];
    dropout: "none in pytorchcv";
    batch_norm_epsilon: 1e-5, "1e-5 in pytorchcv", example 1e-3;
}

impl InceptionV2Config {
    /// Returns the name of the network.
    pub fn name(&self) -> String {
        "inception_v2".to_owned()
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
    pub fn init(&self, device: &Device) -> Result<InceptionV2, ModelError> {
        self.check()?;
        let width = self.layer_width()?;
        let stem = InceptionV2StemConfig {
            stem: self.stem,
            width,
            options: self.layer_options(),
        };
        let mut channels_in = stem.channels_out();
        let stages = STAGES.map(|rows| {
            let units = rows.iter().map(|row| {
                let config = InceptionUnitConfig {
                    channels_in,
                    row,
                    width,
                    count_include_pad: self.count_include_pad,
                    options: self.layer_options(),
                };
                channels_in = config.channels_out();
                config.init(device)
            });
            units.collect()
        });
        let classifier = ClassifierConfig {
            dropout: self.dropout,
            ..ClassifierConfig::new(channels_in, self.classes, self.kernels)
        };
        check_parameters(InceptionV2 {
            stem: stem.init(device),
            stages: stages.into(),
            classifier: classifier.init(device),
        })
    }
}
