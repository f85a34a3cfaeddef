//! Modules 2 to 13: separable convolutions with a residual connection that has no activation.

use burn::module::Module;
use burn::prelude::*;

use crate::layers::{
    ConvNorm, ConvNormConfig, Epilogue, FeatureMap, Kernels, Padding, SegmentedConvNorm,
    SegmentedConvNormConfig,
};

/// The end of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Downsampling {
    /// No downsampling; the residual connection is the identity.
    None,
    /// Max pool 3x3 at stride 2; the residual connection is a 1x1 convolution at stride 2.
    MaxPool(Padding),
}

pub(super) struct XceptionModuleConfig {
    pub(super) channels_in: usize,
    /// Output channels of each separable convolution.
    pub(super) channels: Vec<usize>,
    /// Whether an activation precedes the first convolution too.
    pub(super) first_activation: bool,
    pub(super) downsampling: Downsampling,
    pub(super) residual: bool,
    /// The separable convolutions, but for their channels.
    pub(super) convolution: SegmentedConvNormConfig,
}

impl XceptionModuleConfig {
    pub(super) fn init(&self, device: &Device) -> XceptionModule {
        let mut channels_in = self.channels_in;
        let mut convolutions = Vec::new();
        for (index, &channels_out) in self.channels.iter().enumerate() {
            let config = SegmentedConvNormConfig {
                channels: [channels_in, channels_out],
                input_relu: index == 0 && self.first_activation,
                ..self.convolution.clone()
            };
            convolutions.push(config.init(device));
            channels_in = channels_out;
        }
        let pool = match self.downsampling {
            Downsampling::None => None,
            Downsampling::MaxPool(padding) => Some(padding),
        };
        let shortcut = (self.residual && pool.is_some()).then(|| {
            ConvNormConfig::new([self.channels_in, channels_in], 1, self.convolution.options)
                .with_stride(2)
                .init(device)
        });
        XceptionModule {
            convolutions,
            shortcut,
            residual: self.residual,
            pool,
            kernels: self.convolution.options.kernels,
        }
    }
}

/// A module of separable convolutions with ReLU before each, an optional max pool, and a residual connection.
#[derive(Module, Debug)]
pub struct XceptionModule {
    /// The separable convolutions of the main path.
    pub convolutions: Vec<SegmentedConvNorm>,
    /// The 1x1 convolution of the residual connection, if the module has a pool.
    pub shortcut: Option<ConvNorm>,
    /// Whether there is a residual connection.
    pub residual: bool,
    /// Padding of the max pool at the end, if there is one.
    #[module(skip)]
    pub pool: Option<Padding>,
    /// The implementation of the max pool.
    #[module(skip)]
    pub kernels: Kernels,
}

impl XceptionModule {
    /// Computes the main path and adds the residual connection, which starts before the first activation.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height_out, width_out]`; the pool halves height and width, rounded up
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let mut residual = self.residual.then(|| input.clone());
        let identity = self.pool.is_none() && self.shortcut.is_none();
        let mut last = match residual.take_if(|_| identity) {
            Some(residual) => Epilogue::add(residual),
            None => Epilogue::none(),
        };
        if let Some(padding) = self.pool {
            let [_, _, height, width] = input.dims(); // which the convolutions keep
            let around = padding.around([height, width], 3, 2);
            last = last.then_max_pool(3, 2, around, self.kernels);
        }
        let convolutions: Vec<_> = self.convolutions.iter().collect();
        let x = SegmentedConvNorm::forward_sequence(&convolutions, input, last); // [batch, channels_out, height_out, width_out]
        match (residual, &self.shortcut) {
            (Some(residual), Some(shortcut)) => shortcut.forward(residual, Epilogue::add(x)),
            (Some(residual), None) => x + residual,
            (None, _) => x,
        }
    }
}
