//! Convolutions made ready for inference.

use std::sync::Arc;

use pulp::Arch;

use super::depthwise::Depthwise;
use super::panels::Panels;
use crate::{Geometry, Padding2d};

/// Fewer channels than this are read a window's row at a time.
const FEW_CHANNELS: usize = 16;

/// A convolution with packed weights: dense in one group, or depthwise separable.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    pub(super) arch: Arch,
    pub(super) channels: usize,
    pub(super) geometry: Geometry,
    pub(super) panels: Arc<Panels>,
    pub(super) kind: Kind,
    /// Zeros for a pixel's values in a step.
    pub(super) zeros: Arc<[f32]>,
}

/// The way in which a convolution reads its input.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A dense convolution that reads each tap of each window where it is.
    Taps,
    /// A dense convolution that reads each row of a window, from padded rows.
    Rows,
    /// A separable convolution, which reads the depthwise part's output.
    Separable(Depthwise),
}

/// The weights of a convolution.
pub(crate) struct Weights<'a> {
    /// `[outputs, channels, kernel height, kernel width]`.
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
    /// Packs a dense convolution.
    pub(crate) fn dense(
        arch: Arch,
        weights: &Weights,
        channels: usize,
        geometry: Geometry,
    ) -> Self {
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let size = [weights.bias.len(), taps * channels];
        let panels = Panels::new(arch, size, weights.bias, |output, input| {
            let (tap, channel) = (input / channels, input % channels);
            weights.weight[(output * channels + channel) * taps + tap]
        });
        let few = channels < FEW_CHANNELS && geometry.dilation[1] == 1 && taps > 1;
        let length = match few {
            true => channels * geometry.kernel[1],
            false => channels,
        };
        Self {
            arch,
            channels,
            geometry,
            panels: Arc::new(panels),
            kind: if few { Kind::Rows } else { Kind::Taps },
            zeros: vec![0.0; length].into(),
        }
    }

    /// Packs a depthwise separable convolution, of which `weights` are the pointwise part's.
    pub(crate) fn separable(
        arch: Arch,
        depthwise: Depthwise,
        weights: &Weights,
        channels: usize,
    ) -> Self {
        Self {
            kind: Kind::Separable(depthwise.clone()),
            geometry: depthwise.geometry(),
            ..Self::dense(arch, weights, channels, Geometry::valid(1))
        }
    }

    /// Returns the convolution with another padding; the weights are shared.
    pub(crate) fn with_padding(&self, padding: Padding2d) -> Self {
        let mut convolution = self.clone();
        convolution.geometry.padding = padding;
        if let Kind::Separable(depthwise) = &mut convolution.kind {
            depthwise.set_padding(padding);
        }
        convolution
    }

    /// Returns whether two convolutions have the same weights in the same memory.
    #[cfg(test)]
    pub(crate) fn shares_weights_with(&self, other: &Self) -> bool {
        let depthwise = match (&self.kind, &other.kind) {
            (Kind::Separable(one), Kind::Separable(two)) => one.shares_weights_with(two),
            _ => true,
        };
        depthwise && Arc::ptr_eq(&self.panels, &other.panels)
    }

    /// Returns the input channels.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// Returns the output channels.
    pub(crate) fn outputs(&self) -> usize {
        self.panels.outputs
    }

    /// Returns height and width of the output, where there is one.
    pub(crate) fn output_size(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        let size = self.geometry.output_size(input)?;
        size.iter().all(|&size| size > 0).then_some(size)
    }

    /// Returns whether the input is images as networks get them, with leading channels.
    pub(crate) fn takes_leading_channels(&self) -> bool {
        matches!(self.kind, Kind::Rows)
    }
}
