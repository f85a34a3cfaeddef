//! Transposed depthwise convolution for inference, with trailing channels.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::aligned::Aligned;
use super::super::output::{Unwritten, write_parts, written_in_parts};
use super::super::product::micro_kernel::Rectify;
use super::super::vector::write_first;
use super::convolution::{Input, Weights};
use crate::Geometry;

/// Elements that a task should write at least.
const TASK: usize = 16_384;

/// A transposed depthwise convolution with packed weights.
#[derive(Debug)]
pub(crate) struct TransposedDepthwise {
    arch: Arch,
    channels: usize,
    /// That of the convolution which is transposed.
    geometry: Geometry,
    /// `[taps, channels]`.
    weights: Aligned,
    bias: Vec<f32>,
}

/// The taps of one axis that reach a row or a column of the output: the kernel's and the input's row or column of each.
type Reaching = Vec<(usize, usize)>;

/// The sizes of one pass, and what reaches each row and column of the output.
#[derive(Debug)]
struct Places {
    input: [usize; 2],
    rows: Vec<Reaching>,
    columns: Vec<Reaching>,
}

impl TransposedDepthwise {
    /// Packs weights, `[channels, 1, kernel height, kernel width]`, and a bias for each channel.
    pub(crate) fn new(arch: Arch, weights: &Weights, geometry: Geometry) -> Self {
        let channels = weights.bias.len();
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let mut packed = Aligned::zeros(taps * channels);
        for (channel, filter) in weights.weight.chunks_exact(taps).enumerate() {
            for (tap, value) in filter.iter().enumerate() {
                packed.as_mut_slice()[tap * channels + channel] = *value;
            }
        }
        Self {
            arch,
            channels,
            geometry,
            weights: packed,
            bias: weights.bias.to_vec(),
        }
    }

    /// Returns the number of channels.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// Returns height and width of the input for an output of this height and width, where there is one.
    pub(crate) fn input_size(&self, output: [usize; 2]) -> Option<[usize; 2]> {
        let size = self.geometry.output_size(output)?;
        output.iter().all(|&size| size > 0).then_some(size)
    }

    /// Computes the output, `[batch, height, width, channels]`.
    pub(crate) fn forward(
        &self,
        input: Input,
        output: [usize; 2],
        residual: Option<&[f32]>,
        rectify: Rectify,
    ) -> Vec<f32> {
        let Self { arch, channels, .. } = *self;
        let length = input.batch * output[0] * output[1] * channels;
        assert!(input.values.len() == input.batch * input.size[0] * input.size[1] * channels);
        assert!(residual.is_none_or(|residual| residual.len() == length));
        let places = Places {
            input: input.size,
            rows: self.reaching(0, output[0], input.size[0]),
            columns: self.reaching(1, output[1], input.size[1]),
        };
        let pixels = (TASK / channels).max(1);
        let part = pixels * channels;
        let tasks = (0..length.div_ceil(part)).into_par_iter();
        written_in_parts(length, part, tasks, |index, output| {
            arch.dispatch(Task {
                convolution: self,
                places: &places,
                input: input.values,
                residual: residual.map(|residual| &residual[index * part..][..output.len()]),
                rectify,
                first: index * pixels,
                output,
            })
        })
    }

    /// Lists the taps that reach each row or column of the output.
    fn reaching(&self, axis: usize, output: usize, input: usize) -> Vec<Reaching> {
        let (before, _) = self.geometry.padding.pairs()[axis];
        let (stride, dilation) = (self.geometry.stride[axis], self.geometry.dilation[axis]);
        let reaching = |at: usize| {
            let taps = 0..self.geometry.kernel[axis];
            let reaching = taps.filter_map(|tap| {
                let distance = (at + before).checked_sub(tap * dilation)?;
                let from = distance / stride;
                (distance.is_multiple_of(stride) && from < input).then_some((tap, from))
            });
            reaching.collect()
        };
        (0..output).map(reaching).collect()
    }
}

/// Some pixels of the output.
struct Task<'a, 'o> {
    convolution: &'a TransposedDepthwise,
    places: &'a Places,
    input: &'a [f32],
    /// Those of the task's pixels.
    residual: Option<&'a [f32]>,
    rectify: Rectify,
    /// The first pixel.
    first: usize,
    output: &'o mut Unwritten,
}

impl<'o> WithSimd for Task<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        let Self {
            convolution,
            places,
            input,
            residual,
            rectify,
            ..
        } = self;
        let channels = convolution.channels;
        let weights = convolution.weights.as_slice();
        let [height, width] = places.input;
        let (rows, columns) = (places.rows.len(), places.columns.len());
        let kernel_width = convolution.geometry.kernel[1];
        let mut products: Vec<[&[f32]; 2]> = Vec::with_capacity(weights.len() / channels);
        write_parts(
            self.output,
            channels,
            #[inline(always)]
            |index, to| {
                let pixel = self.first + index;
                let (image, row, column) = (
                    pixel / (rows * columns),
                    pixel / columns % rows,
                    pixel % columns,
                );
                products.clear();
                for (down, y) in &places.rows[row] {
                    for (right, x) in &places.columns[column] {
                        let tap = down * kernel_width + right;
                        let from = (image * height + y) * width + x;
                        products.push([
                            &weights[tap * channels..][..channels],
                            &input[from * channels..][..channels],
                        ]);
                    }
                }
                let residual = residual.map(|residual| &residual[index * channels..][..channels]);
                sum(simd, &products, &convolution.bias, residual, rectify, to)
            },
        )
    }
}

/// Writes the sums of products, bias and residual of a pixel's channels, rectified.
#[inline(always)]
fn sum<'a, S: Simd>(
    simd: S,
    products: &[[&[f32]; 2]],
    bias: &[f32],
    residual: Option<&[f32]>,
    rectify: Rectify,
    to: &'a mut Unwritten,
) -> &'a mut [f32] {
    write_parts(
        to,
        S::F32_LANES,
        #[inline(always)]
        |index, to| {
            let at = index * S::F32_LANES..index * S::F32_LANES + to.len();
            let mut sum = simd.partial_load_f32s(&bias[at.clone()]);
            for [weights, values] in products {
                sum = simd.mul_add_f32s(
                    simd.partial_load_f32s(&weights[at.clone()]),
                    simd.partial_load_f32s(&values[at.clone()]),
                    sum,
                );
            }
            if let Some(residual) = residual {
                sum = simd.add_f32s(sum, simd.partial_load_f32s(&residual[at]));
            }
            write_first(simd, to, rectify.apply(simd, sum))
        },
    )
}
