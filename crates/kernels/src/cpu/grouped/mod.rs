//! Convolution in groups of channels.
//!
//! Narrow groups are convolved directly: a task copies a group's planes to the thread's scratch memory, where each tap
//! lies at one distance from all positions, see [`lattice`], and keeps the sums of several results in registers, see
//! [`direct`] and [`correlation`]. Wide groups are matrix products, see [`Dense`].
//!
//! Padding adds nothing, also where a weight is infinite or NaN.

mod convolution;
mod correlation;
mod direct;
mod lattice;
#[cfg(test)]
mod tests;
mod weight;

use std::ops::Range;

use super::dense::Dense;
use super::plain::PlainConvolution;
use super::product::portion;
use crate::Geometry;
use convolution::Convolution;
use weight::WeightGradient;

/// Pairs of an input and an output channel in a group from which products are faster. Measured with AVX2 and a 3x3
/// kernel, GFLOP/s of products and direct: 52 and 76 with 32 x 32 channels on 14 x 14 pixels, 68 and 71 with 64 x 64 on
/// 28 x 28, 73 and 65 with 64 x 64 on 56 x 56, 79 and 65 with 128 x 128 on 28 x 28.
const WIDE: usize = 64 * 64;
/// The pairs from which products are faster with a 1x1 kernel, where windows are packed once: 46 and 54 GFLOP/s with
/// 80 x 20 channels on 28 x 28 pixels, 71 and 66 with 40 x 160 on 14 x 14.
const WIDE_POINTWISE: usize = 64 * 32;
/// Pairs of channels up to which a dense convolution at stride 1 is faster as a group. Measured with AVX2 and a 3x3 kernel,
/// GFLOP/s of products and direct, for the output and the gradients of input and weight: 62 and 74, 48 and 70, 61 and
/// 68 with 16 x 32 channels on 32 x 32 pixels, 44 and 73, 50 and 72, 57 and 54 with 32 x 32 on 56 x 56.
const FEW: usize = 32 * 32;
/// Positions of all images from which a direct weight gradient is faster than products in groups of some width. With
/// 32 x 32 channels on 7 x 7 pixels 37 and 23 GFLOP/s with one image, 31 and 32 with eight.
const POSITIONS: usize = 256;
/// The pairs from which that holds: with fewer, products have few rows.
const SOME: usize = 16 * 16;

/// Tasks that a convolution is divided into at least where it is large enough. A few times the threads of a common
/// machine.
pub(super) const TASKS: usize = 16;
/// Multiply-adds of a task at least. A million of them take about fifteen microseconds, a few times what handing over a
/// task does.
pub(super) const TASK_PRODUCTS: usize = 1_000_000;

/// The sizes of a convolution in groups.
#[derive(Debug, Clone)]
pub(crate) struct Grouped {
    /// Number of images.
    pub(crate) batch: usize,
    /// Groups of channels, convolved apart.
    pub(crate) groups: usize,
    /// Input channels of a group.
    pub(crate) inputs: usize,
    /// Output channels of a group.
    pub(crate) outputs: usize,
    /// Height and width of the input.
    pub(crate) input: [usize; 2],
    /// Height and width of the output.
    pub(crate) output: [usize; 2],
    /// The window.
    pub(crate) geometry: Geometry,
}

impl Grouped {
    fn taps(&self) -> usize {
        self.geometry.kernel[0] * self.geometry.kernel[1]
    }

    fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    fn output_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Returns the convolution of a plane by its definition.
    fn plain(&self) -> PlainConvolution {
        PlainConvolution {
            geometry: self.geometry,
            input: self.input,
            output: self.output,
        }
    }

    /// Returns whether this is a dense convolution with so few channels that it is faster as a single narrow group.
    pub(crate) fn has_few_channels(&self) -> bool {
        self.groups == 1
            && self.inputs * self.outputs <= FEW
            && self.geometry.stride == [1, 1]
            && self.input == self.output
            && !self.geometry.is_pointwise()
    }

    /// Returns the convolution as matrix products.
    fn products(&self) -> Dense {
        Dense {
            batch: self.batch,
            channels: self.groups * self.inputs,
            outputs: self.groups * self.outputs,
            groups: self.groups,
            input: self.input,
            output: self.output,
            geometry: self.geometry,
        }
    }

    /// Returns whether groups have so few channels that products would be spent on packing.
    fn is_narrow(&self) -> bool {
        let wide = match self.geometry.is_pointwise() {
            true => WIDE_POINTWISE,
            false => WIDE,
        };
        self.inputs * self.outputs < wide
    }

    /// Returns whether there are enough positions for sums in registers.
    fn has_long_sums(&self) -> bool {
        self.batch * self.output_plane() >= POSITIONS || self.inputs * self.outputs < SOME
    }

    /// Returns the computation of the output.
    fn output<'a>(
        &'a self,
        input: &'a [f32],
        weight: &'a [f32],
        bias: Option<&'a [f32]>,
    ) -> Convolution<'a> {
        Convolution {
            sizes: self,
            backward: false,
            sources: self.inputs,
            source_plane: self.input_plane(),
            results: self.outputs,
            result_plane: self.output_plane(),
            row: self.inputs * self.taps(),
            next: self.taps(),
            planes: input,
            weight,
            bias,
        }
    }

    /// Returns the computation of the gradient of the input from that of the output.
    fn gradient<'a>(&'a self, weight: &'a [f32], gradient: &'a [f32]) -> Convolution<'a> {
        Convolution {
            sizes: self,
            backward: true,
            sources: self.outputs,
            source_plane: self.output_plane(),
            results: self.inputs,
            result_plane: self.input_plane(),
            row: self.taps(),
            next: self.inputs * self.taps(),
            planes: gradient,
            weight,
            bias: None,
        }
    }

    /// Computes the output.
    pub(crate) fn forward(&self, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let convolution = self.output(input, weight, bias);
        if self.is_narrow() {
            return convolution.run();
        }
        let mut output = self.products().forward(input, weight, bias);
        convolution.repair(&mut output);
        output
    }

    /// Computes the gradient of the input from that of the output.
    pub(crate) fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let convolution = self.gradient(weight, gradient);
        if self.is_narrow() {
            return convolution.run();
        }
        let mut result = self.products().input_gradient(weight, gradient);
        convolution.repair(&mut result);
        result
    }

    /// Computes the gradient of the weight from the input and the gradient of the output.
    pub(crate) fn weight_gradient(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        let kernel = WeightGradient {
            sizes: self,
            input,
            gradient,
        };
        if self.is_narrow() && self.has_long_sums() {
            return kernel.run();
        }
        let mut result = self.products().weight_gradient(input, gradient);
        kernel.repair(&mut result);
        result
    }
}

/// Divides the parts of groups among tasks, for so many products. A group's parts stay together, whose sources are
/// copied once then, unless there are fewer groups than tasks.
fn tasks(groups: usize, parts: usize, products: usize) -> Vec<Range<usize>> {
    let wanted = (products / TASK_PRODUCTS).max(1);
    if groups >= wanted.min(TASKS) {
        let tasks = wanted.min(groups);
        let groups = (0..tasks).map(|task| portion(task, tasks, groups));
        return groups
            .map(|groups| groups.start * parts..groups.end * parts)
            .collect();
    }
    let of_a_group = wanted.min(TASKS).div_ceil(groups).min(parts);
    let tasks = (0..groups * of_a_group).map(|task| {
        let own = portion(task % of_a_group, of_a_group, parts);
        let first = task / of_a_group * parts;
        first + own.start..first + own.end
    });
    tasks.collect()
}
