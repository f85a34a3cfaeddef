//! The backward pass by chunks.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::MAX_LANES;
use super::super::activation::{gradient_slice, rectify_gradient};
use super::super::batch_norm::Slopes;
use super::super::copy::write;
use super::super::divided::Divided;
use super::super::output::{SharedOutput, Unwritten, written_together};
use super::super::pointwise::with_transposed;
use super::super::product::{Layout, Product, Strided};
use super::super::scratch::{with_scratch, with_zeros};
use super::super::sums::pair_of_sums;
use super::super::taps::Lanes;
use super::joined::Joined;
use super::{Gradients, InputNorm, Operands, Reading, Separable, masked};

/// Elements of a task of the normalization's gradient.
const TASK: usize = 16_384;

/// The sums of a chunk.
struct Sums {
    pointwise: Vec<f32>,
    depthwise: Vec<f32>,
    /// For each channel the sums of the gradient that reaches the normalization, and of its products with the distance
    /// from the mean.
    norm: Vec<[f64; 2]>,
}

impl Separable {
    /// Computes the gradients chunk by chunk; the weights of the depthwise convolution must be finite.
    pub(super) fn backward_by_chunks(
        &self,
        operands: &Operands,
        inner: &[f32],
        gradient: &[f32],
    ) -> Gradients {
        let Some(joined) = Joined::new(self) else {
            return self.backward_composed(operands, inner, gradient);
        };
        let readings = self.readings(operands.norm);
        let size = [self.outputs, self.inputs];
        let ([mut input], sums) = with_transposed(operands.pointwise, 1, size, |transposed| {
            let image = self.inputs * self.pixels();
            let part = self.images_of_a_chunk() * image;
            let (length, count) = (self.batch * image, self.chunks());
            written_together([length], [part], count, |index, [output]| {
                let chunk = Chunk {
                    sizes: self,
                    joined: &joined,
                    readings: &readings,
                    operands,
                    inner,
                    gradient,
                    transposed,
                    images: self.chunk(index),
                };
                let (output, sums) = chunk.run(output);
                ([output], sums)
            })
        });
        let norm = operands.norm.map(|norm| {
            let slopes = self.slopes(&norm, &sums);
            self.normalize_gradient(operands.input, &readings, &slopes, &mut input);
            let (gamma, beta) = slopes.iter().map(Slopes::sums).unzip();
            [gamma, beta]
        });
        let total = |of: fn(&Sums) -> &[f32]| {
            let mut total = sums.first().map_or(&[][..], of).to_vec();
            for sums in sums.iter().skip(1) {
                for (total, value) in total.iter_mut().zip(of(sums)) {
                    *total += value;
                }
            }
            total
        };
        Gradients {
            depthwise: total(|sums| &sums.depthwise),
            pointwise: total(|sums| &sums.pointwise),
            input,
            norm,
        }
    }

    /// Returns for each channel by what the gradient of its input follows from that of the normalized one.
    fn slopes(&self, norm: &InputNorm, chunks: &[Sums]) -> Vec<Slopes> {
        let kernel = self.batch_norm(norm.epsilon);
        let slopes = (0..self.inputs).map(|channel| {
            let [mut beta, mut gamma] = [0.0; 2];
            for sums in chunks {
                beta += sums.norm[channel][0];
                gamma += sums.norm[channel][1];
            }
            let inverse = kernel.inverse_deviation(norm.variance[channel]);
            Slopes::of_sums(&kernel, inverse, [beta, gamma])
        });
        slopes.collect()
    }

    /// Makes the gradients that reach the normalization those of its input.
    fn normalize_gradient(
        &self,
        input: &[f32],
        readings: &[Reading],
        slopes: &[Slopes],
        gradient: &mut [f32],
    ) {
        let (arch, pixels) = (Arch::new(), self.pixels());
        let planes = (TASK / pixels).max(1);
        let tasks = gradient.par_chunks_mut(planes * pixels);
        let tasks = tasks.zip(input.par_chunks(planes * pixels)).enumerate();
        tasks.divided().for_each(|(task, (gradient, input))| {
            arch.dispatch(
                #[inline(always)]
                || {
                    let of_a_task = gradient
                        .chunks_exact_mut(pixels)
                        .zip(input.chunks_exact(pixels));
                    for (plane, (gradient, input)) in (task * planes..).zip(of_a_task) {
                        let channel = plane % self.inputs;
                        let Some(affine) = readings[channel].affine else {
                            continue;
                        };
                        let slopes = &slopes[channel];
                        for (gradient, x) in gradient.iter_mut().zip(input) {
                            *gradient = slopes.of(affine, *x, *gradient);
                        }
                    }
                },
            );
        });
    }
}

impl Reading {
    /// Makes gradients of what is read from `source` those of its normalization, or of the source if there is none. Returns
    /// their sum and that of their products with the distances from the mean, if there is a normalization.
    #[inline(always)]
    fn gradient(&self, source: &[f32], read: &[f32], mask: &[u32], to: &mut [f32]) -> [f64; 2] {
        match (self.affine, self.relu) {
            (None, false) => [0.0; 2],
            (None, true) => {
                for (gradient, value) in to.iter_mut().zip(read) {
                    *gradient = rectify_gradient(*value, *gradient);
                }
                [0.0; 2]
            }
            (Some(affine), relu) => {
                let values = to.iter_mut().zip(read.iter().zip(mask));
                match relu {
                    true => values.for_each(
                        #[inline(always)]
                        |(to, (value, mask))| *to = masked(rectify_gradient(*value, *to), *mask),
                    ),
                    false => values.for_each(
                        #[inline(always)]
                        |(to, (_, mask))| *to = masked(*to, *mask),
                    ),
                }
                pair_of_sums(
                    source,
                    to,
                    #[inline(always)]
                    |x, gradient| [gradient, gradient * (x - affine.mean)],
                )
            }
        }
    }
}

/// The backward pass of a chunk.
struct Chunk<'a> {
    sizes: &'a Separable,
    joined: &'a Joined,
    readings: &'a [Reading],
    operands: &'a Operands<'a>,
    inner: &'a [f32],
    gradient: &'a [f32],
    /// The transpose of the pointwise convolution's weight.
    transposed: &'a [f32],
    images: Range<usize>,
}

impl Chunk<'_> {
    fn run<'o>(&self, output: &'o mut Unwritten) -> (&'o mut [f32], Sums) {
        let Separable {
            inputs, outputs, ..
        } = *self.sizes;
        let (pixels, count) = (self.sizes.pixels(), self.images.len());
        let part = |values, channels: usize| {
            let image = channels * pixels;
            let values: &[f32] = values;
            &values[self.images.start * image..][..count * image]
        };
        let (inner, gradient) = (part(self.inner, inputs), part(self.gradient, outputs));
        let pointwise = self.sizes.pointwise(count).weight_gradient(inner, gradient);
        let (output, (depthwise, norm)) = with_scratch(count * inputs * pixels, |of_inner| {
            let product = Product {
                left: Strided::dense(self.transposed, outputs),
                right: Strided::planes(gradient, outputs, pixels),
                size: [inputs, count * pixels, outputs],
            };
            product.write(of_inner, Layout::planes(inputs, pixels));
            let length = 2 * self.joined.length() + 2 * self.joined.guarded();
            with_zeros(length, |scratch| {
                Arch::new().dispatch(DepthwiseChunk {
                    chunk: self,
                    inner,
                    of_inner,
                    output,
                    scratch,
                })
            })
        });
        let sums = Sums {
            pointwise,
            depthwise,
            norm,
        };
        (output, sums)
    }
}

/// The gradients of the depthwise convolution of a chunk, and those of what comes before and after it.
struct DepthwiseChunk<'a, 'o> {
    chunk: &'a Chunk<'a>,
    /// The input of the pointwise convolution.
    inner: &'a [f32],
    /// Its gradient.
    of_inner: &'a mut [f32],
    output: &'o mut Unwritten,
    scratch: &'a mut [f32],
}

impl<'o> WithSimd for DepthwiseChunk<'_, 'o> {
    /// The gradient of the input, those of the depthwise weights, and the sums of the normalization.
    type Output = (&'o mut [f32], (Vec<f32>, Vec<[f64; 2]>));

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self {
            chunk,
            inner,
            of_inner,
            output,
            scratch,
        } = self;
        let Chunk {
            sizes,
            joined,
            operands,
            ref images,
            ..
        } = *chunk;
        gradient_slice(sizes.activation, inner, of_inner);
        let (pixels, step, taps) = (sizes.pixels(), sizes.inputs * sizes.pixels(), sizes.taps());
        let (source, rest) = scratch.split_at_mut(joined.length());
        let (results, rest) = rest.split_at_mut(joined.length());
        let (buffer, gradients) = rest.split_at_mut(joined.guarded());
        let guard = joined.guard();
        let mut weight = vec![0.0; sizes.inputs * taps];
        let mut norm = vec![[0.0; 2]; sizes.inputs];
        let mut lanes: Vec<Lanes> = vec![[0.0; MAX_LANES]; taps];
        assert!(output.len() == images.len() * step);
        let output = SharedOutput::new(output);
        for (channel, reading) in chunk.readings.iter().enumerate() {
            let filter = &operands.depthwise[channel * taps..][..taps];
            lanes.fill([0.0; MAX_LANES]);
            for first in images.clone().step_by(joined.planes) {
                let count = joined.planes.min(images.end - first);
                let at = first * step + channel * pixels;
                let source = joined.joined::<S>(operands.input, at, step, count, source);
                reading.read(
                    source,
                    &joined.mask,
                    &mut buffer[guard..][..joined.length()],
                );
                let at = at - images.start * step;
                joined.join::<S>(of_inner, at, step, count, &mut gradients[guard..]);
                joined
                    .forward
                    .correlate(simd, buffer, &gradients[guard..], &mut lanes);
                joined
                    .backward
                    .gather_over(simd, gradients, filter, results);
                let read = &buffer[guard..][..joined.length()];
                let sums = reading.gradient(source, read, &joined.mask, results);
                norm[channel][0] += sums[0];
                norm[channel][1] += sums[1];
                let planes = results.chunks(joined.pitch).take(count);
                for (image, plane) in (first - images.start..).zip(planes) {
                    // SAFETY: each image's plane of a channel is written once, by this function alone.
                    let to = unsafe { output.slice(image * step + channel * pixels, pixels) };
                    write::<S>(&plane[..pixels], to);
                }
            }
            let sums = weight[channel * taps..][..taps].iter_mut();
            for (sum, lanes) in sums.zip(&lanes) {
                *sum = lanes.iter().sum();
            }
        }
        // SAFETY: the loops have written the planes of all channels of all images of the chunk, which are all elements.
        let output = unsafe { output.slice(0, images.len() * step).assume_init_mut() };
        (output, (weight, norm))
    }
}
