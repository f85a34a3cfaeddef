//! Modules 13 and 14.

use burn::module::Module;
use burn::prelude::*;

use super::module::{XceptionModule, XceptionModuleConfig};
use crate::layers::{Epilogue, FeatureMap, SegmentedConvNorm, SegmentedConvNormConfig};

pub(super) struct ExitFlowConfig {
    pub(super) module: XceptionModuleConfig,
    /// Output channels of the last two separable convolutions.
    pub(super) channels: [usize; 2],
}

impl ExitFlowConfig {
    pub(super) fn init(&self, device: &Device) -> ExitFlow {
        let conv = |channels_in: usize, channels_out: usize| {
            let config = SegmentedConvNormConfig {
                channels: [channels_in, channels_out],
                ..self.module.convolution.clone()
            };
            config.init(device)
        };
        let channels_in = self.module.channels.last().copied();
        let channels_in = channels_in.unwrap_or(self.module.channels_in);
        let [third, last] = self.channels;
        ExitFlow {
            module: self.module.init(device),
            conv3: conv(channels_in, third),
            conv4: conv(third, last),
        }
    }
}

/// The exit flow (figure 5): a module with a max pool, then two separable convolutions.
#[derive(Module, Debug)]
pub struct ExitFlow {
    /// Module 13.
    pub module: XceptionModule,
    /// Module 14's first separable convolution, to 1536 channels.
    pub conv3: SegmentedConvNorm,
    /// Module 14's second separable convolution, to 2048 channels.
    pub conv4: SegmentedConvNorm,
}

impl ExitFlow {
    /// Applies module 14: two separable convolutions, each followed by batch normalization and ReLU.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, 1024, height, width]`
    /// - output: `[batch, 2048, height, width]`
    pub fn forward_last(&self, input: FeatureMap) -> FeatureMap {
        let convolutions = [&self.conv3, &self.conv4]; // to 1536 and to 2048 channels
        SegmentedConvNorm::forward_sequence(&convolutions, input, Epilogue::relu())
    }
}
