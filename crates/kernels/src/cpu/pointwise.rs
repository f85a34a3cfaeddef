//! Pointwise convolution: matrix products of the weight with the pixels of all images.

use rayon::prelude::*;

use super::divided::Divided;
use super::output::{write_parts, write_values, written_in_parts};
use super::product::{Layout, Product, Strided, Transposed, transpose};
use super::scratch::with_scratch;

/// Images with fewer pixels than this are put side by side for the weight's gradient, whose sums would
/// else be made of stretches too short.
const FEW_PIXELS: usize = 16;
/// Elements of a task that only copies.
const COPY: usize = 16_384;

/// The sizes of a pointwise convolution at stride 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pointwise {
    /// Number of images.
    pub(crate) batch: usize,
    /// Input channels.
    pub(crate) inputs: usize,
    /// Output channels.
    pub(crate) outputs: usize,
    /// Pixels of an image.
    pub(crate) pixels: usize,
}

impl Pointwise {
    /// Computes the output.
    pub(crate) fn forward(&self, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let mut output = self.multiply(weight, input);
        if let Some(bias) = bias {
            add_bias(&mut output, bias, self.pixels);
        }
        output
    }

    /// Computes the gradient of the input from that of the output.
    pub(crate) fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let transposed = Self {
            inputs: self.outputs,
            outputs: self.inputs,
            ..*self
        };
        with_transposed(weight, 1, [self.outputs, self.inputs], |weight| {
            transposed.multiply(weight, gradient)
        })
    }

    /// Computes `weight * pixels`, `[batch, outputs, pixels]`, for the pixels of all images.
    fn multiply(&self, weight: &[f32], input: &[f32]) -> Vec<f32> {
        let product = Product {
            left: Strided::dense(weight, self.inputs),
            right: Strided::planes(input, self.inputs, self.pixels),
            size: [self.outputs, self.batch * self.pixels, self.inputs],
        };
        product.to_vec(Layout::planes(self.outputs, self.pixels))
    }

    /// Computes the gradient of the weight from the input and the gradient of the output.
    pub(crate) fn weight_gradient(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        let right = Transposed(Strided::planes(input, self.inputs, self.pixels));
        let length = self.batch * self.pixels;
        let size = [self.outputs, self.inputs, length];
        if self.pixels >= FEW_PIXELS || self.batch == 1 {
            let left = Strided::planes(gradient, self.outputs, self.pixels);
            return Product { left, right, size }.sum();
        }
        with_scratch(self.outputs * length, |gradients| {
            side_by_side(gradient, self.pixels, length, gradients);
            let left = Strided::dense(gradients, length);
            Product { left, right, size }.sum()
        })
    }
}

/// Copies `[batch, channels, pixels]` to `[channels, batch * pixels]`.
fn side_by_side(from: &[f32], pixels: usize, length: usize, to: &mut [f32]) {
    let channels = from.len() / length;
    let rows = to.par_chunks_exact_mut(length);
    rows.enumerate()
        .with_min_len((COPY / length).max(1))
        .divided()
        .for_each(|(channel, row)| {
            for (image, to) in row.chunks_exact_mut(pixels).enumerate() {
                let start = (image * channels + channel) * pixels;
                to.copy_from_slice(&from[start..][..pixels]);
            }
        });
}

/// Adds a bias to each channel of planes.
pub(super) fn add_bias(output: &mut [f32], bias: &[f32], pixels: usize) {
    let planes = output.par_chunks_exact_mut(pixels).enumerate();
    planes
        .with_min_len((COPY / pixels).max(1))
        .divided()
        .for_each(|(index, plane)| {
            let bias = bias[index % bias.len()];
            plane.iter_mut().for_each(|value| *value += bias);
        });
}

/// Calls `work` with the transposes of some matrices of these rows and columns, which follow each other.
pub(super) fn with_transposed<R>(
    matrices: &[f32],
    count: usize,
    [rows, columns]: [usize; 2],
    work: impl FnOnce(&[f32]) -> R,
) -> R {
    with_scratch(count * rows * columns, |scratch| {
        let strip = (COPY / rows).max(1).next_multiple_of(8);
        scratch
            .par_chunks_exact_mut(rows * columns)
            .zip(matrices.par_chunks_exact(rows * columns))
            .divided()
            .for_each(|(to, matrix)| {
                to.par_chunks_mut(strip * rows)
                    .enumerate()
                    .divided()
                    .for_each(|(index, to)| {
                        let size = [rows, to.len() / rows];
                        transpose(&matrix[index * strip..], columns, size, to, rows);
                    });
            });
        work(scratch)
    })
}

/// Takes every `stride`-th pixel of planes of this height and width.
pub(crate) fn subsample(input: &[f32], size: [usize; 2], stride: [usize; 2]) -> Vec<f32> {
    let [rows, columns] = [size[0].div_ceil(stride[0]), size[1].div_ceil(stride[1])];
    let plane = size[0] * size[1];
    let count = input.len() / plane;
    let planes = input.par_chunks_exact(plane).with_min_len(16);
    written_in_parts(
        count * rows * columns,
        rows * columns,
        planes,
        |from, to| {
            write_parts(to, columns, |row, to| {
                let from = &from[row * stride[0] * size[1]..][..size[1]];
                write_values(to, from.iter().step_by(stride[1]).copied())
            })
        },
    )
}

/// Puts pixels `stride` apart into planes of this height and width, with zeros between them: the
/// transpose of [`subsample`].
pub(crate) fn upsample(output: &[f32], size: [usize; 2], stride: [usize; 2]) -> Vec<f32> {
    let [rows, columns] = [size[0].div_ceil(stride[0]), size[1].div_ceil(stride[1])];
    let planes = output.len() / (rows * columns);
    let mut input = vec![0.0; planes * size[0] * size[1]];
    input
        .par_chunks_exact_mut(size[0] * size[1])
        .zip(output.par_chunks_exact(rows * columns))
        .with_min_len(16)
        .divided()
        .for_each(|(to, from)| {
            let to = to.chunks_exact_mut(size[1]).step_by(stride[0]);
            for (to, from) in to.zip(from.chunks_exact(columns)) {
                for (to, from) in to.iter_mut().step_by(stride[1]).zip(from) {
                    *to = *from;
                }
            }
        });
    input
}
