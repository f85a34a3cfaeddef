//! A stage of the factorized network: a transition to its resolution, and layers of one kind.

use burn::module::Module;
use burn::prelude::*;

use super::FactorizedConvolution;
use crate::ModelError;
use crate::layers::{
    Activation, ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, SegmentedConvNorm,
    SegmentedConvNormConfig, SingleIntraChannelConv, SingleIntraChannelConvConfig,
    SpatialBottleneck, SpatialBottleneckConfig, Topology,
};

pub(super) struct FactorizedStageConfig {
    /// `None` if the stage has the channels and the resolution of what is before it.
    pub(super) transition: Option<SegmentedConvNormConfig>,
    /// Number of layers.
    pub(super) layers: usize,
    pub(super) plan: LayerPlan,
}

/// What the layers of a stage have in common.
pub(super) struct LayerPlan {
    pub(super) convolution: FactorizedConvolution,
    pub(super) channels: usize,
    pub(super) kernel: usize,
    pub(super) bases: usize,
    pub(super) topology: Option<Topology>,
    pub(super) bottleneck_stride: usize,
    pub(super) options: LayerOptions,
}

impl FactorizedStageConfig {
    pub(super) fn init(&self, device: &Device) -> Result<FactorizedStage, ModelError> {
        let Self { layers, plan, .. } = self;
        let mut stage = FactorizedStage {
            transition: self.transition.as_ref().map(|config| config.init(device)),
            dense: Vec::new(),
            single_intra_channel: Vec::new(),
            spatial_bottlenecks: Vec::new(),
        };
        for _ in 0..*layers {
            match plan.convolution {
                FactorizedConvolution::Dense => stage.dense.push(plan.dense(device)),
                FactorizedConvolution::SingleIntraChannel => stage
                    .single_intra_channel
                    .push(plan.single_intra_channel(device)?),
                FactorizedConvolution::SpatialBottleneck => stage
                    .spatial_bottlenecks
                    .push(plan.spatial_bottlenecks(device)?),
            }
        }
        Ok(stage)
    }
}

impl LayerPlan {
    fn dense(&self, device: &Device) -> ConvNorm {
        let layer = ConvNormConfig::new([self.channels; 2], self.kernel, self.options)
            .with_padding(self.kernel / 2)
            .init(device);
        match &self.topology {
            Some(topology) => topology.subdivide(layer),
            None => layer,
        }
    }

    fn single_intra_channel(&self, device: &Device) -> Result<SingleIntraChannelConv, ModelError> {
        let config = SingleIntraChannelConvConfig {
            topology: self.topology.clone(),
            ..SingleIntraChannelConvConfig::new(self.channels, self.kernel, self.options)
        };
        config.with_bases(self.bases).init(device)
    }

    fn spatial_bottlenecks(&self, device: &Device) -> Result<Vec<SpatialBottleneck>, ModelError> {
        let config = SpatialBottleneckConfig {
            topology: self.topology.clone(),
            ..SpatialBottleneckConfig::new(self.channels, self.kernel, self.options)
        };
        let config = config.with_stride(self.bottleneck_stride);
        (0..self.bases).map(|_| config.init(device)).collect()
    }
}

/// A stage: a transition that widens and halves, and layers of which one of the three lists is filled.
#[derive(Module, Debug)]
pub struct FactorizedStage {
    /// A separable convolution at stride 2, with batch normalization and ReLU; none in the first stage.
    pub transition: Option<SegmentedConvNorm>,
    /// Dense convolutions, each with a residual connection and ReLU.
    pub dense: Vec<ConvNorm>,
    /// Single intra-channel convolutions.
    pub single_intra_channel: Vec<SingleIntraChannelConv>,
    /// Spatial bottlenecks, in each layer as many as there are bases.
    pub spatial_bottlenecks: Vec<Vec<SpatialBottleneck>>,
}

impl FactorizedStage {
    /// Applies the transition and the layers.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, h, w]`
    /// - output: `[batch, channels, ceil(h / 2), ceil(w / 2)]`, or the input's shape without a transition
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let mut x = match &self.transition {
            Some(transition) => transition.forward(input, Epilogue::relu()), // [batch, channels, h / 2, w / 2]
            None => input,
        };
        for layer in &self.dense {
            let epilogue = Epilogue::add(x.clone()).then(Activation::Relu);
            x = layer.forward(x, epilogue);
        }
        for layer in &self.single_intra_channel {
            x = layer.forward(x);
        }
        for bottleneck in self.spatial_bottlenecks.iter().flatten() {
            x = bottleneck.forward(x);
        }
        x
    }
}
