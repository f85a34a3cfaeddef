//! Configuration of the factorized network.

use burn::prelude::*;
use xception_kernels::Geometry;
use xception_messages::Bounds;

use super::stage::{FactorizedStageConfig, LayerPlan};
use super::{FactorizedConvolution, FactorizedNetwork};
use crate::ModelError;
use crate::layers::{ClassifierConfig, MAX_AXES, SegmentedConvNormConfig, Topology, check_odd};
use crate::limits::{self, check_parameters};
use crate::options::network_config;
use crate::resnet::ResNetStemConfig;

/// Number of stages.
pub(super) const STAGES: usize = 4;
/// Channels of the stem.
pub(super) const STEM: usize = 64;
/// Channels of each stage, those of ResNet-34.
pub(super) const CHANNELS: [usize; STAGES] = [64, 128, 256, 512];
/// Layers of each stage: as many as ResNet-34 has 3x3 convolutions between as many channels.
const LAYERS: [usize; STAGES] = [6, 7, 11, 5];

/// Range of the height and width of kernels, which also have to be odd.
const KERNEL: Bounds = Bounds::at_least(1.0).at_most(7.0);
/// Range of the number of layers in a stage.
const STAGE_LAYERS: Bounds = Bounds::at_least(1.0).at_most(limits::STAGE_LAYERS as f64);
/// Range of the number of bases in a layer.
const BASES: Bounds = Bounds::at_least(1.0).at_most(limits::BASES as f64);
/// Range of the number of axes of a topology, or 0 for none.
const TOPOLOGY: Bounds = Bounds::at_least(0.0).at_most(MAX_AXES as f64);
/// Range of the bottleneck's stride.
const BOTTLENECK_STRIDE: Bounds = Bounds::at_least(1.0).at_most(4.0);

network_config! {
    /// Configuration of [`FactorizedNetwork`].
    #[schemars(
        description = "The options of the factorized network; each may be left out.",
        example = serde_json::json!({"convolution": "single_intra_channel", "topology": [2, 2, 2, 2], "stem": "small"})
    )]
    FactorizedConfig {
        /// The kind of the layers.
        convolution, with_convolution: FactorizedConvolution = FactorizedConvolution::SingleIntraChannel;
        /// Height and width of the layers' kernels, an odd number.
        #[schemars(example = 5, transform = KERNEL.of_number())]
        kernel, with_kernel: usize = 3;
        /// Number of bases that stand in for a dense layer, one after the other. A dense layer has none.
        #[schemars(example = 2, transform = BASES.of_number())]
        bases, with_bases: usize = 1;
        /// Number of layers in each stage.
        #[schemars(example = [2, 2, 2, 2], transform = STAGE_LAYERS.of_items())]
        layers, with_layers: [usize; 4] = LAYERS;
        /// Topological subdivisioning in each stage: the number of axes on which the channels are arranged, each connected
        /// with half its length, or 0 for all connections. Dense layers are subdivided too.
        #[schemars(example = [2, 2, 2, 3], transform = TOPOLOGY.of_items())]
        topology, with_topology: [usize; 4] = [0; 4];
        /// Factor by which spatial bottlenecks reduce height and width. Other layers have none.
        #[schemars(example = 3, transform = BOTTLENECK_STRIDE.of_number())]
        bottleneck_stride, with_bottleneck_stride: usize = 2;
    }
    channels: [64, 128, 256, 512];
    dropout: "not known of the paper";
    batch_norm_epsilon: 1e-5, "1e-5, PyTorch's default", example 1e-3;
}

impl FactorizedConfig {
    /// Returns the name of the network.
    pub fn name(&self) -> String {
        "factorized".to_owned()
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        self.check_shared()?;
        KERNEL.check_count("kernel", self.kernel)?;
        check_odd(self.kernel)?;
        BASES.check_count("bases", self.bases)?;
        for layers in self.layers {
            STAGE_LAYERS.check_count("layers", layers)?;
        }
        for axes in self.topology {
            TOPOLOGY.check_count("topology", axes)?;
        }
        BOTTLENECK_STRIDE.check_count("bottleneck_stride", self.bottleneck_stride)?;
        Ok(())
    }

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// If an option is out of its range, or the network would have too many parameters.
    pub fn init(&self, device: &Device) -> Result<FactorizedNetwork, ModelError> {
        self.check()?;
        let width = self.layer_width()?;
        let options = self.layer_options();
        let stem = ResNetStemConfig {
            stem: self.stem,
            channels: width.channels(STEM),
            options,
        };
        let mut channels = stem.channels;
        let mut stages = Vec::new();
        for (index, published) in CHANNELS.into_iter().enumerate() {
            let outputs = width.channels(published);
            let transition = (index > 0).then(|| {
                let geometry = Geometry::same(self.kernel).with_stride(2);
                SegmentedConvNormConfig::separable([channels, outputs], self.kernel, options)
                    .with_geometry(geometry)
            });
            let topology = match self.topology[index] {
                0 => None,
                axes => Some(Topology::halved(outputs, axes)?),
            };
            let stage = FactorizedStageConfig {
                transition,
                layers: self.layers[index],
                plan: LayerPlan {
                    convolution: self.convolution,
                    channels: outputs,
                    kernel: self.kernel,
                    bases: self.bases,
                    topology,
                    bottleneck_stride: self.bottleneck_stride,
                    options,
                },
            };
            stages.push(stage.init(device)?);
            channels = outputs;
        }
        check_parameters(FactorizedNetwork {
            stem: stem.init(device),
            stages,
            classifier: ClassifierConfig {
                dropout: self.dropout,
                ..ClassifierConfig::new(channels, self.classes, self.kernels)
            }
            .init(device),
        })
    }
}
