//! Depthwise separable convolution of small maps for training: both convolutions together, with what happens to the input
//! before and between the two.
//!
//! A *chunk* of images passes through both convolutions while its maps are in the second-level cache. The input is
//! normalized or rectified while it is copied to where the depthwise convolution reads it, so that the normalized map is
//! never written: the backward pass computes it again. Sums over chunks are added in their order, which depends on the
//! shapes alone.

mod backward;
mod composed;
mod forward;
mod joined;
mod statistics;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::activation::rectify;
use super::batch_norm::{Affine, BatchNorm};
use super::depthwise::Depthwise;
use super::flat::FlatLayout;
use super::plain::all_finite;
use super::pointwise::Pointwise;
use crate::{Activation, Geometry};

/// Bytes that a map's part in a chunk should have: a quarter of a common second-level cache.
const CHUNK: usize = 131_072;
/// Chunks of a batch at least, if it has so many images.
const CHUNKS: usize = 16;

/// The sizes of a separable convolution.
#[derive(Debug, Clone)]
pub(crate) struct Separable {
    /// Number of images.
    pub(crate) batch: usize,
    /// Input channels.
    pub(crate) inputs: usize,
    /// Output channels.
    pub(crate) outputs: usize,
    /// Height and width of input and output.
    pub(crate) size: [usize; 2],
    /// The window of the depthwise convolution.
    pub(crate) geometry: Geometry,
    /// Whether the input is rectified, after its normalization if there is one.
    pub(crate) input_relu: bool,
    /// The activation between the two convolutions.
    pub(crate) activation: Activation,
}

/// The normalization of the input by the statistics that it has itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InputNorm<'a> {
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: &'a [f32],
    pub(crate) mean: &'a [f32],
    /// Biased.
    pub(crate) variance: &'a [f32],
    pub(crate) epsilon: f64,
}

/// The input and the weights of a separable convolution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operands<'a> {
    pub(crate) input: &'a [f32],
    pub(crate) norm: Option<InputNorm<'a>>,
    /// `[inputs, kernel height, kernel width]`.
    pub(crate) depthwise: &'a [f32],
    /// `[outputs, inputs]`.
    pub(crate) pointwise: &'a [f32],
}

/// The results of [`Separable::forward`].
#[derive(Debug)]
pub(crate) struct Convolved {
    /// The input of the pointwise convolution.
    pub(crate) inner: Vec<f32>,
    pub(crate) output: Vec<f32>,
    /// Of each channel of the output.
    pub(crate) mean: Vec<f32>,
    /// Of each channel of the output, biased.
    pub(crate) variance: Vec<f32>,
}

/// The results of [`Separable::backward`].
#[derive(Debug)]
pub(crate) struct Gradients {
    pub(crate) input: Vec<f32>,
    pub(crate) depthwise: Vec<f32>,
    pub(crate) pointwise: Vec<f32>,
    /// Of gamma and beta, if the input is normalized.
    pub(crate) norm: Option<[Vec<f32>; 2]>,
}

/// What happens to a channel of the input when it is read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    affine: Option<Affine>,
    relu: bool,
}

impl Reading {
    /// Writes what is read from `values` to `to`, zeros where the mask has no bits.
    #[inline(always)]
    fn read(&self, values: &[f32], mask: &[u32], to: &mut [f32]) {
        let values = to.iter_mut().zip(values.iter().zip(mask));
        match (self.affine, self.relu) {
            (Some(affine), true) => {
                values.for_each(
                    #[inline(always)]
                    |(to, (value, mask))| *to = masked(rectify(affine.of(*value)), *mask),
                );
            }
            (Some(affine), false) => values.for_each(
                #[inline(always)]
                |(to, (value, mask))| *to = masked(affine.of(*value), *mask),
            ),
            (None, true) => values.for_each(
                #[inline(always)]
                |(to, (value, mask))| *to = masked(rectify(*value), *mask),
            ),
            (None, false) => values.for_each(
                #[inline(always)]
                |(to, (value, mask))| *to = masked(*value, *mask),
            ),
        }
    }
}

/// Returns a value, or zero where the mask has no bits.
#[inline(always)]
fn masked(value: f32, mask: u32) -> f32 {
    f32::from_bits(value.to_bits() & mask)
}

impl Separable {
    /// Returns whether the kernel serves: for a depthwise convolution that keeps the size of small maps.
    pub(crate) fn serves(geometry: &Geometry, size: [usize; 2]) -> bool {
        geometry.output_size(size) == Some(size)
            && geometry.stride == [1, 1]
            && FlatLayout::is_small(size)
    }

    fn pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    fn taps(&self) -> usize {
        self.geometry.kernel[0] * self.geometry.kernel[1]
    }

    /// Returns the images of a chunk.
    fn images_of_a_chunk(&self) -> usize {
        let of_an_image = 4 * self.inputs.max(self.outputs) * self.pixels();
        let most = self.batch.div_ceil(CHUNKS);
        (CHUNK / of_an_image).clamp(1, most)
    }

    fn chunks(&self) -> usize {
        self.batch.div_ceil(self.images_of_a_chunk())
    }

    /// Returns the images of the chunk of this index.
    fn chunk(&self, index: usize) -> Range<usize> {
        let images = self.images_of_a_chunk();
        index * images..((index + 1) * images).min(self.batch)
    }

    /// Returns what happens to each channel of the input.
    fn readings(&self, norm: Option<InputNorm>) -> Vec<Reading> {
        let kernel = norm.map(|norm| self.batch_norm(norm.epsilon));
        let affine = |channel: usize| {
            let (norm, kernel) = (norm?, kernel?);
            Some(Affine {
                mean: norm.mean[channel],
                scale: norm.gamma[channel] * kernel.inverse_deviation(norm.variance[channel]),
                shift: norm.beta[channel],
            })
        };
        let channels = 0..self.inputs;
        let reading = |channel| Reading {
            affine: affine(channel),
            relu: self.input_relu,
        };
        channels.map(reading).collect()
    }

    /// Returns the normalization of the input.
    fn batch_norm(&self, epsilon: f64) -> BatchNorm {
        BatchNorm {
            batch: self.batch,
            channels: self.inputs,
            pixels: self.pixels(),
            epsilon,
            relu: self.input_relu,
        }
    }

    /// Returns the depthwise convolution.
    fn depthwise(&self) -> Depthwise {
        Depthwise {
            batch: self.batch,
            channels: self.inputs,
            multiplier: 1,
            input: self.size,
            output: self.size,
            geometry: self.geometry,
        }
    }

    /// Returns the pointwise convolution of some images.
    fn pointwise(&self, images: usize) -> Pointwise {
        Pointwise {
            batch: images,
            inputs: self.inputs,
            outputs: self.outputs,
            pixels: self.pixels(),
        }
    }

    /// Computes the output.
    pub(crate) fn forward(&self, operands: &Operands) -> Convolved {
        // Padding is zeros, of which a weight that is infinite or NaN would make a NaN.
        match all_finite(operands.depthwise) {
            true => self.forward_by_chunks(operands),
            false => self.forward_composed(operands),
        }
    }

    /// Computes the gradients from that of the output, and from the input of the pointwise convolution.
    pub(crate) fn backward(
        &self,
        operands: &Operands,
        inner: &[f32],
        gradient: &[f32],
    ) -> Gradients {
        if !all_finite(operands.depthwise) {
            return self.backward_composed(operands, inner, gradient);
        }
        let gradients = self.backward_by_chunks(operands, inner, gradient);
        match all_finite(&gradients.depthwise) {
            true => gradients,
            false => self.backward_composed(operands, inner, gradient),
        }
    }
}
