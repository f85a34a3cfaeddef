//! The sizes of a convolution.

use crate::Geometry;

/// The sizes of a convolution that fit each other. They say nothing of who computes it, or how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvolutionShape {
    /// `[batch, channels_in, height, width]`
    pub(crate) input: [usize; 4],
    /// `[channels_out, channels_in / groups, kernel_height, kernel_width]`
    pub(crate) weight: [usize; 4],
    /// `[batch, channels_out, height_out, width_out]`
    pub(crate) output: [usize; 4],
    /// Kernel, stride, dilation and padding.
    pub(crate) geometry: Geometry,
    /// The number of groups of channels.
    pub(crate) groups: usize,
}

impl ConvolutionShape {
    /// Returns the sizes for an input and a weight of these shapes, or `None` if they don't fit, or a size is zero.
    pub(crate) fn new(
        input: [usize; 4],
        weight: [usize; 4],
        geometry: Geometry,
        groups: usize,
    ) -> Option<Self> {
        let [batch, channels, height, width] = input;
        let [outputs, of_a_group, kernel_height, kernel_width] = weight;
        let size = geometry.output_size([height, width])?;
        let fits = groups > 0
            && channels == of_a_group * groups
            && outputs % groups == 0
            && geometry.kernel == [kernel_height, kernel_width]
            && size.iter().all(|&size| size > 0)
            && input.iter().chain(&weight).all(|&size| size > 0);
        fits.then_some(Self {
            input,
            weight,
            output: [batch, outputs, size[0], size[1]],
            geometry,
            groups,
        })
    }

    /// Returns whether each input channel has filters of its own, and there is more than one.
    pub(crate) fn is_depthwise(&self) -> bool {
        self.weight[1] == 1 && self.groups > 1
    }

    /// Returns whether 32 bits hold every index into the tensors, as the kernels for graphics cards count.
    pub(crate) fn has_short_indices(&self) -> bool {
        let elements = |shape: &[usize; 4]| shape.iter().product::<usize>();
        elements(&self.input).max(elements(&self.output)) <= u32::MAX as usize
    }

    /// Returns the number of output channels that a depthwise convolution makes of each input channel.
    pub(crate) fn multiplier(&self) -> usize {
        self.output[1] / self.input[1]
    }
}
