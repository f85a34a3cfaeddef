//! Configuration of ShuffleNet V1.

use burn::prelude::*;

use super::unit::{BOTTLENECK, ShuffleUnitConfig};
use super::{ShuffleNetGroups, ShuffleNetV1};
use crate::ModelError;
use crate::layers::{ClassifierConfig, ConvNormConfig, Stem};
use crate::limits::check_parameters;
use crate::options::network_config;
use crate::width::Width;

/// Channels of the first convolution (table 1).
pub(super) const STEM: usize = 24;
/// Number of units in each stage (table 1).
pub(super) const STAGES: [usize; 3] = [4, 8, 4];

network_config! {
    /// Configuration of [`ShuffleNetV1`].
    #[schemars(
        description = "The options of ShuffleNet V1; each may be left out.",
        example = serde_json::json!({"groups": 8, "width": 0.5})
    )]
    ShuffleNetV1Config {
        /// Number of groups in which the 1x1 convolutions are computed; the numbers of channels depend
        /// on it, so that the complexity is about the same (table 1).
        #[schemars(example = 8)]
        groups, with_groups: ShuffleNetGroups = ShuffleNetGroups::Three;
    }
    width: "rounded to multiples of 4 times the groups";
    dropout: "none in the paper";
    batch_norm_epsilon: 1e-5, "1e-5 in pytorchcv", example 1e-3;
}

/// Returns the divisor of the first convolution's channels and that of the first stage's: what is convolved in groups stays
/// divisible by them. These are the smallest divisors, with which the channels of pytorchcv's narrow networks are met.
pub(super) fn divisors(groups: ShuffleNetGroups) -> [usize; 2] {
    [groups.number(), BOTTLENECK * groups.number()]
}

impl ShuffleNetV1Config {
    /// Returns the name of the network: `shufflenet_v1` with three groups, or one like `shufflenet_v1_g8`.
    pub fn name(&self) -> String {
        match self.groups {
            ShuffleNetGroups::Three => "shufflenet_v1".to_owned(),
            groups => format!("shufflenet_v1_g{}", groups.number()),
        }
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
    pub fn init(&self, device: &Device) -> Result<ShuffleNetV1, ModelError> {
        self.check()?;
        let width = Width::new(self.width)?;
        let options = self.layer_options();
        let [stem_divisor, divisor] = divisors(self.groups);

        let mut channels_in = width.multiple(STEM, stem_divisor);
        let small = self.stem == Stem::Small;
        let stem = ConvNormConfig::new([3, channels_in], 3, options)
            .with_padding(1)
            .with_stride(if small { 1 } else { 2 });
        let mut channels_out = width.multiple(self.groups.channels(), divisor);
        let mut stages = Vec::new();
        for (stage, units) in STAGES.into_iter().enumerate() {
            let mut made = Vec::new();
            for unit in 0..units {
                let config = ShuffleUnitConfig {
                    channels_in,
                    channels_out,
                    groups: self.groups.number(),
                    first_grouped: stage > 0 || unit > 0,
                    downsamples: unit == 0,
                    options,
                };
                made.push(config.init(device));
                channels_in = channels_out;
            }
            stages.push(made);
            channels_out *= 2;
        }
        check_parameters(ShuffleNetV1 {
            stem: stem.init(device),
            stem_pool: !small,
            stages,
            classifier: ClassifierConfig {
                dropout: self.dropout,
                ..ClassifierConfig::new(channels_in, self.classes, self.kernels)
            }
            .init(device),
        })
    }
}
