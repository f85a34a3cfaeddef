//! Convolutions whose weights are packed in panels.

use std::sync::Arc;

use pulp::Arch;

use super::convolution::Weights;
use super::depthwise::Depthwise;
use super::panels::Panels;
use crate::{Geometry, Padding2d};

/// Fewer channels than this are read a window's row at a time.
const FEW_CHANNELS: usize = 16;

/// A convolution with packed weights: in one or several groups, or depthwise separable.
#[derive(Debug, Clone)]
pub(crate) struct PanelConvolution {
    pub(super) arch: Arch,
    pub(super) channels: usize,
    pub(super) groups: usize,
    pub(super) geometry: Geometry,
    pub(super) panels: Arc<Panels>,
    pub(super) kind: Kind,
    /// Zeros for a pixel's values in a step.
    pub(super) zeros: Arc<[f32]>,
}

/// The way in which a convolution reads its input.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Each tap of each window where it is.
    Taps,
    /// Each row of a window, from padded rows, in one group.
    Rows,
    /// The output of the depthwise part of a separable convolution.
    Separable(Depthwise),
}

impl PanelConvolution {
    /// Packs a convolution in some groups, of so many input channels.
    pub(super) fn new(
        arch: Arch,
        weights: &Weights,
        channels: usize,
        groups: usize,
        geometry: Geometry,
    ) -> Self {
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let (outputs, inputs) = (weights.bias.len() / groups, channels / groups);
        let size = [outputs, taps * inputs];
        let panels = Panels::new(arch, groups, size, weights.bias, |output, input| {
            let (tap, channel) = (input / inputs, input % inputs);
            weights.weight[(output * inputs + channel) * taps + tap]
        });
        let one_by_one = channels < FEW_CHANNELS && geometry.dilation[1] == 1 && taps > 1;
        let few = groups == 1 && one_by_one;
        let length = match few {
            true => channels * geometry.kernel[1],
            false => channels,
        };
        Self {
            arch,
            channels,
            groups,
            geometry,
            panels: Arc::new(panels),
            kind: if few { Kind::Rows } else { Kind::Taps },
            zeros: vec![0.0; length].into(),
        }
    }

    /// Packs a depthwise separable convolution, of which `weights` are the pointwise part's.
    pub(super) fn separable(
        arch: Arch,
        depthwise: Depthwise,
        weights: &Weights,
        channels: usize,
    ) -> Self {
        Self {
            kind: Kind::Separable(depthwise.clone()),
            geometry: depthwise.geometry(),
            ..Self::new(arch, weights, channels, 1, Geometry::valid(1))
        }
    }

    /// Changes the padding.
    pub(super) fn set_padding(&mut self, padding: Padding2d) {
        self.geometry.padding = padding;
        if let Kind::Separable(depthwise) = &mut self.kind {
            depthwise.set_padding(padding);
        }
    }

    /// Returns whether two convolutions have the same weights in the same memory.
    #[cfg(test)]
    pub(super) fn shares_weights_with(&self, other: &Self) -> bool {
        let depthwise = match (&self.kind, &other.kind) {
            (Kind::Separable(one), Kind::Separable(two)) => one.shares_weights_with(two),
            _ => true,
        };
        depthwise && Arc::ptr_eq(&self.panels, &other.panels)
    }

    /// Returns whether the input is images as networks get them, with leading channels.
    pub(super) fn takes_leading_channels(&self) -> bool {
        matches!(self.kind, Kind::Rows)
    }
}
