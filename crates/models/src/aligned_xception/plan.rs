//! The modules of a network: their channels, strides and dilations.

use super::{AlignedXceptionDepth, OutputStride};

/// Channels of the middle flow.
const MIDDLE_FLOW: usize = 728;
/// Channels of the exit flow's first module, which has a stride.
const EXIT_FLOW: [usize; 3] = [728, 1024, 1024];
/// Channels of the last module.
const LAST: [usize; 3] = [1536, 1536, 2048];
/// Channels of the stem's output.
const STEM: usize = 64;
/// Stride of the stem.
const STEM_STRIDE: usize = 2;

/// A module as published, whatever the width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ModulePlan {
    pub(super) channels_in: usize,
    /// Output channels of each of the separable convolutions.
    pub(super) channels: [usize; 3],
    /// Stride of the last separable convolution.
    pub(super) stride: usize,
    /// Dilation of all of them.
    pub(super) dilation: usize,
    /// Whether there is a residual connection: in all modules but the last.
    pub(super) residual: bool,
}

impl ModulePlan {
    /// Returns whether the residual connection has a convolution, which it has if the module changes the shape.
    pub(super) fn has_shortcut(&self) -> bool {
        let [.., channels_out] = self.channels;
        self.residual && (self.stride > 1 || self.channels_in != channels_out)
    }
}

/// Lists the modules of all three flows. Each stride that would go beyond the output stride dilates the windows of the modules
/// after it.
pub(super) fn modules(depth: AlignedXceptionDepth, output_stride: OutputStride) -> Vec<ModulePlan> {
    let entry = depth.entry_flow().iter();
    let entry = entry.map(|&(channels, stride)| ([channels; 3], stride));
    let middle = std::iter::repeat_n(([MIDDLE_FLOW; 3], 1), depth.middle_modules());
    let exit = [(EXIT_FLOW, 2), (LAST, 1)];

    let (mut channels_in, mut reached, mut dilation) = (STEM, STEM_STRIDE, 1);
    let mut modules = Vec::new();
    for (channels, stride) in entry.chain(middle).chain(exit) {
        let within = reached * stride <= output_stride.number();
        modules.push(ModulePlan {
            channels_in,
            channels,
            stride: if within { stride } else { 1 },
            dilation,
            residual: channels != LAST,
        });
        match within {
            true => reached *= stride,
            false => dilation *= stride,
        }
        [.., channels_in] = channels;
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::*;
    use AlignedXceptionDepth::{Xception41, Xception65, Xception71};

    /// Lists the places of the strides, and of each dilation above 1 the first place.
    fn sketch(
        depth: AlignedXceptionDepth,
        output_stride: OutputStride,
    ) -> (Vec<usize>, Vec<(usize, usize)>) {
        let modules = modules(depth, output_stride);
        let strided = modules.iter().enumerate().filter(|(_, m)| m.stride == 2);
        let strided = strided.map(|(index, _)| index).collect();
        let mut dilations = Vec::new();
        for (index, pair) in modules.windows(2).enumerate() {
            if pair[0].dilation != pair[1].dilation {
                dilations.push((index + 1, pair[1].dilation));
            }
        }
        (strided, dilations)
    }

    #[test]
    fn strides_beyond_the_output_stride_become_dilations() {
        use OutputStride::{Eight, Sixteen, ThirtyTwo};
        for (depth, output_stride, strided, dilations) in [
            (Xception41, ThirtyTwo, vec![0, 1, 2, 11], vec![]),
            (Xception41, Sixteen, vec![0, 1, 2], vec![(12, 2)]),
            (Xception41, Eight, vec![0, 1], vec![(3, 2), (12, 4)]),
            (Xception65, ThirtyTwo, vec![0, 1, 2, 19], vec![]),
            (Xception65, Sixteen, vec![0, 1, 2], vec![(20, 2)]),
            (Xception65, Eight, vec![0, 1], vec![(3, 2), (20, 4)]),
            (Xception71, ThirtyTwo, vec![0, 2, 4, 21], vec![]),
            (Xception71, Sixteen, vec![0, 2, 4], vec![(22, 2)]),
            (Xception71, Eight, vec![0, 2], vec![(5, 2), (22, 4)]),
        ] {
            let found = sketch(depth, output_stride);
            assert_eq!(found, (strided, dilations), "{depth:?} {output_stride:?}");
        }
    }

    #[test]
    fn shortcuts_have_a_convolution_where_the_shape_changes() {
        let shortcuts = |depth, output_stride| {
            let modules = modules(depth, output_stride);
            let places = modules.iter().enumerate();
            let places = places.filter(|(_, module)| module.has_shortcut());
            places.map(|(index, _)| index).collect::<Vec<_>>()
        };
        for output_stride in OutputStride::ALL {
            assert_eq!(shortcuts(Xception41, output_stride), [0, 1, 2, 11]);
        }
        let all = shortcuts(Xception71, OutputStride::Sixteen);
        assert_eq!(all, [0, 1, 2, 3, 4, 21]);
        // The module at 4 has as many channels as its input.
        let dense = shortcuts(Xception71, OutputStride::Eight);
        assert_eq!(dense, [0, 1, 2, 3, 21]);
    }
}
