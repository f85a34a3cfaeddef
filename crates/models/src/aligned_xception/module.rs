//! The modules: three separable convolutions, the last with the stride, and a residual connection.

use burn::module::Module;
use burn::prelude::*;
use xception_kernels::{Geometry, Padding2d};

use super::plan::ModulePlan;
use crate::layers::{
    Activation, ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, PreNorm,
    PreNormConfig, SegmentedConvNorm, SegmentedConvNormConfig,
};
use crate::width::Width;

pub(super) struct AlignedXceptionModuleConfig<'a> {
    pub(super) plan: ModulePlan,
    pub(super) width: Width<'a>,
    pub(super) preactivation: bool,
    pub(super) options: LayerOptions,
}

impl AlignedXceptionModuleConfig<'_> {
    pub(super) fn init(&self, device: &Device) -> AlignedXceptionModule {
        let plan = self.plan;
        let first = self.width.channels(plan.channels_in);
        let mut channels_in = first;
        let mut convolutions = Vec::new();
        for (index, published) in plan.channels.into_iter().enumerate() {
            let channels = [channels_in, self.width.channels(published)];
            convolutions.push(self.convolution(index, channels).init(device));
            [.., channels_in] = channels;
        }
        let shortcut = plan.has_shortcut().then(|| {
            let config =
                ConvNormConfig::new([first, channels_in], 1, self.options).with_stride(plan.stride);
            match self.preactivation {
                true => config.without_norm().init(device),
                false => config.init(device),
            }
        });
        let norm = PreNormConfig::new(first, self.options);
        AlignedXceptionModule {
            norm: self.preactivation.then(|| norm.init(device)),
            convolutions,
            shortcut,
            residual: plan.residual,
        }
    }

    /// Makes the configuration of a separable convolution.
    ///
    /// Without pre-activation, normalization follows both of its parts, and ReLU is applied before it, to a map that the
    /// residual connection needs as it is; in the last module, which has none, ReLU follows both parts. With
    /// pre-activation, normalization and ReLU come before each convolution: those of the first are the module's, and those
    /// of the others follow the convolution before.
    fn convolution(&self, index: usize, channels: [usize; 2]) -> SegmentedConvNormConfig {
        let plan = self.plan;
        let last = index + 1 == plan.channels.len();
        let geometry = Geometry::same(3)
            .with_stride(if last { plan.stride } else { 1 })
            .with_dilation(plan.dilation)
            .with_padding(Padding2d::symmetric(plan.dilation));
        let config =
            SegmentedConvNormConfig::separable(channels, 3, self.options).with_geometry(geometry);
        match (self.preactivation, plan.residual) {
            (true, _) if last => config.without_norm(),
            (true, _) => config,
            (false, true) => config.with_norm_between(true).with_input_relu(index == 0),
            (false, false) => config
                .with_norm_between(true)
                .with_activation(Activation::Relu),
        }
    }
}

/// A module of three separable convolutions with ReLU before each, and a residual connection.
///
/// In the last module, which has no residual connection, ReLU follows each convolution, and without pre-activation each
/// of its two parts.
#[derive(Module, Debug)]
pub struct AlignedXceptionModule {
    /// Normalization before the first convolution and the residual connection, with pre-activation.
    pub norm: Option<PreNorm>,
    /// The separable convolutions of the main path; the last has the module's stride.
    pub convolutions: Vec<SegmentedConvNorm>,
    /// The 1x1 convolution of a residual connection that changes the shape; without it, the residual connection is the
    /// identity.
    pub shortcut: Option<ConvNorm>,
    /// Whether there is a residual connection.
    pub residual: bool,
}

impl AlignedXceptionModule {
    /// Computes the main path and adds the residual connection, which starts before the first activation; with
    /// pre-activation, after it.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height_out, width_out]`, half the height and width at stride 2, rounded up
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let x = match &self.norm {
            Some(norm) => norm.forward(input, Epilogue::relu()),
            None => input,
        };
        let last = match (self.residual, &self.shortcut) {
            (true, Some(shortcut)) => Epilogue::add(shortcut.forward(x.clone(), Epilogue::none())),
            (true, None) => Epilogue::add(x.clone()),
            (false, _) => Epilogue::relu(),
        };
        let convolutions: Vec<_> = self.convolutions.iter().collect();
        SegmentedConvNorm::forward_sequence(&convolutions, x, last)
    }
}
