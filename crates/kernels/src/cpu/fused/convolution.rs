//! Convolutions made ready for inference.

use pulp::Arch;

use super::super::product::micro_kernel::Rectify;
use super::depthwise::Depthwise;
use super::depthwise_convolution::DepthwiseConvolution;
use super::lane_convolution::LaneConvolution;
use super::panel_convolution::PanelConvolution;
use crate::{Activation, Geometry, Padding2d};

/// A convolution, with the weights in the order of the kernel that is the fastest for it.
#[derive(Debug, Clone)]
pub(crate) enum Convolution {
    /// Dense, depthwise separable, or in wide groups.
    Panels(PanelConvolution),
    /// In narrow groups.
    Lanes(LaneConvolution),
    /// Depthwise.
    Depthwise(DepthwiseConvolution),
}

/// The weights of a convolution.
pub(crate) struct Weights<'a> {
    /// `[outputs, channels / groups, kernel height, kernel width]`.
    pub(crate) weight: &'a [f32],
    /// `[outputs]`.
    pub(crate) bias: &'a [f32],
}

/// The input of a convolution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) batch: usize,
    /// Height and width.
    pub(crate) size: [usize; 2],
}

impl Convolution {
    /// Makes a convolution in some groups, of so many input channels.
    pub(crate) fn new(
        arch: Arch,
        weights: &Weights,
        channels: usize,
        groups: usize,
        geometry: Geometry,
    ) -> Self {
        let outputs = weights.bias.len();
        if groups > 1 && groups == channels && groups == outputs {
            let bias = Some(weights.bias.to_vec());
            let kernel = Depthwise::new(
                weights.weight,
                geometry,
                channels,
                false,
                bias,
                Activation::None,
            );
            return Self::Depthwise(DepthwiseConvolution::new(arch, kernel, channels));
        }
        if groups > 1 && LaneConvolution::serves(arch, outputs / groups) {
            return Self::Lanes(LaneConvolution::new(
                arch, weights, channels, groups, geometry,
            ));
        }
        Self::Panels(PanelConvolution::new(
            arch, weights, channels, groups, geometry,
        ))
    }

    /// Makes a depthwise separable convolution, of which `weights` are the pointwise part's.
    pub(crate) fn separable(
        arch: Arch,
        depthwise: Depthwise,
        weights: &Weights,
        channels: usize,
    ) -> Self {
        Self::Panels(PanelConvolution::separable(
            arch, depthwise, weights, channels,
        ))
    }

    /// Returns the convolution with another padding; the weights are shared.
    pub(crate) fn with_padding(&self, padding: Padding2d) -> Self {
        let mut convolution = self.clone();
        match &mut convolution {
            Self::Panels(kernel) => kernel.set_padding(padding),
            Self::Lanes(kernel) => kernel.set_padding(padding),
            Self::Depthwise(kernel) => kernel.set_padding(padding),
        }
        convolution
    }

    /// Returns whether two convolutions have the same weights in the same memory.
    #[cfg(test)]
    pub(crate) fn shares_weights_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Panels(one), Self::Panels(two)) => one.shares_weights_with(two),
            (Self::Lanes(one), Self::Lanes(two)) => one.shares_weights_with(two),
            (Self::Depthwise(one), Self::Depthwise(two)) => one.shares_weights_with(two),
            _ => false,
        }
    }

    fn geometry(&self) -> Geometry {
        match self {
            Self::Panels(kernel) => kernel.geometry,
            Self::Lanes(kernel) => kernel.geometry,
            Self::Depthwise(kernel) => kernel.geometry(),
        }
    }

    /// Returns the input channels.
    pub(crate) fn channels(&self) -> usize {
        match self {
            Self::Panels(kernel) => kernel.channels,
            Self::Lanes(kernel) => kernel.channels(),
            Self::Depthwise(kernel) => kernel.channels,
        }
    }

    /// Returns the output channels.
    pub(crate) fn outputs(&self) -> usize {
        match self {
            Self::Panels(kernel) => kernel.panels.outputs(),
            Self::Lanes(kernel) => kernel.outputs(),
            Self::Depthwise(kernel) => kernel.channels,
        }
    }

    /// Returns height and width of the output, where there is one.
    pub(crate) fn output_size(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        let size = self.geometry().output_size(input)?;
        size.iter().all(|&size| size > 0).then_some(size)
    }

    /// Returns whether the input is images as networks get them, with leading channels.
    pub(crate) fn takes_leading_channels(&self) -> bool {
        match self {
            Self::Panels(kernel) => kernel.takes_leading_channels(),
            Self::Lanes(_) | Self::Depthwise(_) => false,
        }
    }

    /// Computes the output, `[batch, height, width, outputs]`, of this height and width; `residual` is
    /// added before the activation.
    ///
    /// # Panics
    ///
    /// If the input or the residual has another length.
    pub(crate) fn forward(
        &self,
        input: Input,
        output: [usize; 2],
        residual: Option<&[f32]>,
        rectify: Rectify,
    ) -> Vec<f32> {
        let [height, width] = input.size;
        let length = input.batch * output[0] * output[1] * self.outputs();
        assert!(input.values.len() == input.batch * height * width * self.channels());
        assert!(residual.is_none_or(|residual| residual.len() == length));
        match self {
            Self::Panels(kernel) => kernel.forward(input, output, residual, rectify),
            Self::Lanes(kernel) => kernel.forward(input, output, residual, rectify),
            Self::Depthwise(kernel) => kernel.forward(input, output, residual, rectify),
        }
    }
}
