//! Depthwise convolutions that no pointwise one follows.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::super::grouped::{TASK_PRODUCTS, TASKS};
use super::super::output::{Unwritten, write_parts, write_values, written_in_lengths};
use super::super::product::micro_kernel::Rectify;
use super::super::product::portion;
use super::convolution::Input;
use super::depthwise::{Depthwise, Ending};
use super::pixels::Sizes;
use crate::{Geometry, Padding2d};

/// Elements of the output that are computed at a time: a share of the second-level cache.
const STRIP: usize = 16_384;

/// A depthwise convolution with packed weights.
#[derive(Debug, Clone)]
pub(crate) struct DepthwiseConvolution {
    arch: Arch,
    kernel: Depthwise,
    pub(super) channels: usize,
}

impl DepthwiseConvolution {
    /// Makes a convolution of a kernel for so many channels.
    pub(super) fn new(arch: Arch, kernel: Depthwise, channels: usize) -> Self {
        Self {
            arch,
            kernel,
            channels,
        }
    }

    /// Changes the padding.
    pub(super) fn set_padding(&mut self, padding: Padding2d) {
        self.kernel.set_padding(padding);
    }

    /// Returns whether two convolutions have the same weights in the same memory.
    #[cfg(test)]
    pub(super) fn shares_weights_with(&self, other: &Self) -> bool {
        self.kernel.shares_weights_with(&other.kernel)
    }

    /// Returns the geometry.
    pub(super) fn geometry(&self) -> Geometry {
        self.kernel.geometry()
    }

    /// Computes the output, `[batch, height, width, channels]`, of this height and width.
    pub(super) fn forward(
        &self,
        input: Input,
        output: [usize; 2],
        residual: Option<&[f32]>,
        rectify: Rectify,
    ) -> Vec<f32> {
        let sizes = Sizes {
            batch: input.batch,
            input: input.size,
            output,
        };
        let (pixels, kernel) = (sizes.pixels(), self.geometry().kernel);
        let products = pixels * self.channels * kernel[0] * kernel[1];
        let tasks = (products / TASK_PRODUCTS).clamp(1, TASKS).min(pixels);
        let lengths = (0..tasks).map(|task| portion(task, tasks, pixels).len() * self.channels);
        written_in_lengths(&lengths.collect::<Vec<_>>(), |task, output| {
            self.arch.dispatch(Task {
                convolution: self,
                sizes,
                input: input.values,
                residual,
                rectify,
                pixels: portion(task, tasks, pixels),
                output,
            })
        })
    }
}

/// The computation of some pixels of the output.
struct Task<'a, 'o> {
    convolution: &'a DepthwiseConvolution,
    sizes: Sizes,
    input: &'a [f32],
    residual: Option<&'a [f32]>,
    rectify: Rectify,
    pixels: Range<usize>,
    output: &'o mut Unwritten,
}

impl<'o> WithSimd for Task<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        let channels = self.convolution.channels;
        let strip = (STRIP / channels).max(1);
        write_parts(
            self.output,
            strip * channels,
            #[inline(always)]
            |index, to| {
                let first = self.pixels.start + index * strip;
                let pixels = first..first + to.len() / channels;
                let values = write_values(to, std::iter::repeat(0.0));
                let ending = Ending {
                    residual: self.residual,
                    rectify: self.rectify,
                };
                let kernel = &self.convolution.kernel;
                kernel.strip_with(simd, self.sizes, self.input, &pixels, ending, values);
                values
            },
        )
    }
}
