//! Configuration of ShuffleNet V1.

use burn::prelude::*;

use super::unit::{BOTTLENECK, ShuffleUnitConfig};
use super::{ShuffleNetGroups, ShuffleNetV1};
use crate::ModelError;
use crate::layers::{ClassifierConfig, ConvNormConfig};
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
    channels: [24, 240, 480, 960];
    divisors: divisors;
    width: "rounded to multiples of 4 times the groups";
    dropout: "none in the paper";
    batch_norm_epsilon: 1e-5, "1e-5 in pytorchcv", example 1e-3;
}

impl ShuffleNetV1Config {
    /// Returns the published channels of the first convolution and of the stages, each with the number that divides it at
    /// any width, so that what is convolved in groups can be. These are the smallest divisors, with which the channels of
    /// pytorchcv's narrow networks are met.
    pub(super) fn divisors(&self) -> [(usize, usize); 4] {
        let groups = self.groups.number();
        let stage = |times: usize| (times * self.groups.channels(), BOTTLENECK * groups);
        [(STEM, groups), stage(1), stage(2), stage(4)]
    }

    /// Returns the name of the network: `shufflenet_v1` with three groups, or one like `shufflenet_v1_g8`.
    pub fn name(&self) -> String {
        match self.groups {
            ShuffleNetGroups::Three => "shufflenet_v1".to_owned(),
            groups => format!("shufflenet_v1_g{}", groups.number()),
        }
    }

    /// Returns the channels of the first convolution and of the stages. Each stage has more than what comes before it, since
    /// its first unit adds channels to those of its input.
    fn channels(&self, width: Width) -> [usize; 4] {
        let mut before = 0;
        self.divisors().map(|(published, divisor)| {
            let more = (before / divisor + 1) * divisor;
            before = width.multiple(published, divisor).max(more);
            before
        })
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
        let width = self.layer_width()?;
        let options = self.layer_options();
        let [mut channels_in, of_stages @ ..] = self.channels(width);
        let stem = ConvNormConfig::new([3, channels_in], 3, options)
            .with_padding(1)
            .with_stride(if self.stem.is_standard() { 2 } else { 1 });
        let mut stages = Vec::new();
        for (stage, (units, channels_out)) in STAGES.into_iter().zip(of_stages).enumerate() {
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
        }
        check_parameters(ShuffleNetV1 {
            stem: stem.init(device),
            stem_pool: self.stem.pools(1) > 0,
            stages,
            classifier: ClassifierConfig {
                dropout: self.dropout,
                ..ClassifierConfig::new(channels_in, self.classes, self.kernels)
            }
            .init(device),
        })
    }
}
