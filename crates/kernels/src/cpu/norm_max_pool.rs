//! Batch normalization, ReLU or not, and a max pool as one operation of training.
//!
//! A plane is normalized in the cache and pooled from there: no normalized map is written to memory, nor is its gradient. The
//! output is that of one operation after the other, bit for bit.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::activation::rectify_gradient;
use super::batch_norm::{Affine, BatchNorm, Gradients, Slopes};
use super::max_pool::{Candidates, MaxPool, Places, PlaneWithIndices};
use super::output::{
    Interleaved, Written, write_parts, write_values, written_in_parts, written_interleaved,
};
use super::prefetch::prefetch_plane;
use super::scratch::with_scratch;
use super::sums::pair_of_sums;

/// The sizes of a batch normalization, after which ReLU may follow, and of the max pool of its output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NormMaxPool {
    pub(crate) norm: BatchNorm,
    pub(crate) pool: MaxPool,
}

impl NormMaxPool {
    /// Normalizes the input by these statistics, mean and variance, and takes the maximum of each window. Also returns the
    /// maxima's indices, as [`MaxPool::forward_with_indices`] does; `parameters` are gamma and beta.
    pub(crate) fn forward(
        &self,
        input: &[f32],
        parameters: [&[f32]; 2],
        statistics: [&[f32]; 2],
    ) -> (Vec<f32>, Vec<u8>) {
        let arch = Arch::new();
        let Self { norm, pool } = self;
        let planes = pool.planes_of_a_task();
        let (from, to) = (pool.input_plane(), pool.output_plane());
        let length = pool.planes * to;
        let mut indices = vec![0u8; length];
        let tasks = indices
            .par_chunks_mut(planes * to)
            .zip(input.par_chunks(planes * from))
            .enumerate();
        let output = written_in_parts(
            length,
            planes * to,
            tasks,
            |(task, (indices, input)), output| {
                let mut candidates = Candidates::new(pool);
                with_scratch(from, |normalized| {
                    write_parts(output, to, |index, output| {
                        let channel = (task * planes + index) % norm.channels;
                        let affine = norm.affine(channel, parameters, statistics);
                        let plane = norm.plane(input, index);
                        if let Some(next) = input.get((index + 1) * from..(index + 2) * from) {
                            prefetch_plane(next);
                        }
                        arch.dispatch(
                            #[inline(always)]
                            || norm.normalize_to(affine, plane, normalized),
                        );
                        arch.dispatch(PlaneWithIndices {
                            pool,
                            input: normalized,
                            output,
                            indices: &mut indices[index * to..][..to],
                            candidates: &mut candidates,
                        })
                    })
                })
            },
        );
        (output, indices)
    }

    /// Computes the gradients from that of the output, and what [`forward`](Self::forward) got and returned.
    pub(crate) fn backward(
        &self,
        input: &[f32],
        parameters: [&[f32]; 2],
        statistics: [&[f32]; 2],
        indices: &[u8],
        gradient: &[f32],
    ) -> Gradients {
        let arch = Arch::new();
        let norm = &self.norm;
        let places = self.pool.places();
        let (input, sums) = written_interleaved(
            input.len(),
            norm.pixels,
            norm.channels,
            norm.channels_of_a_task(),
            |channel, planes| {
                let room = 2 * norm.batch * self.pool.output_plane() + norm.pixels;
                with_scratch(room, |scratch| {
                    arch.dispatch(BackwardChannel {
                        sizes: self,
                        places: &places,
                        channel,
                        input,
                        indices,
                        gradient,
                        affine: norm.affine(channel, parameters, statistics),
                        inverse: norm.inverse_deviation(statistics[1][channel]),
                        planes,
                        scratch,
                    })
                })
            },
        );
        let (gamma, beta) = sums.into_iter().unzip();
        Gradients { input, gamma, beta }
    }
}

/// One channel of [`NormMaxPool::backward`], which returns the gradients of gamma and beta.
struct BackwardChannel<'a, 'o> {
    sizes: &'a NormMaxPool,
    places: &'a Places,
    channel: usize,
    input: &'a [f32],
    indices: &'a [u8],
    gradient: &'a [f32],
    affine: Affine,
    /// One by the deviation.
    inverse: f32,
    planes: Interleaved<'o>,
    /// Room for the channel's maxima, their gradients, and the gradient of a normalized plane.
    scratch: &'a mut [f32],
}

impl<'o> WithSimd for BackwardChannel<'_, 'o> {
    type Output = (Written<'o>, (f32, f32));

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Self::Output {
        let affine = self.affine;
        if self.sizes.norm.relu {
            self.run(
                #[inline(always)]
                |x, dy| rectify_gradient(affine.of(x), dy),
            )
        } else {
            self.run(
                #[inline(always)]
                |_, dy| dy,
            )
        }
    }
}

impl<'o> BackwardChannel<'_, 'o> {
    /// Computes the channel; `of` returns the gradient that reaches the normalization, from an input and the gradient of what
    /// is pooled.
    #[inline(always)]
    fn run(self, of: impl Fn(f32, f32) -> f32) -> (Written<'o>, (f32, f32)) {
        let Self {
            sizes: NormMaxPool { norm, pool },
            places,
            channel,
            input,
            indices,
            gradient,
            affine,
            inverse,
            planes,
            scratch,
        } = self;
        let outputs = pool.output_plane();
        let of_output = |plane: usize| plane * outputs..(plane + 1) * outputs;
        let (maxima, rest) = scratch.split_at_mut(norm.batch * outputs);
        let (of_maxima, pooled) = rest.split_at_mut(norm.batch * outputs);
        let images = maxima
            .chunks_exact_mut(outputs)
            .zip(of_maxima.chunks_exact_mut(outputs));
        let values = norm.planes_from_memory(input, channel);
        for ((plane, values), (maxima, of_maxima)) in norm.planes(channel).zip(values).zip(images) {
            places.for_each(
                &indices[of_output(plane)],
                #[inline(always)]
                |output, pixel| maxima[output] = values[pixel],
            );
            of_maxima.copy_from_slice(&gradient[of_output(plane)]);
        }
        let sums = pair_of_sums(
            maxima,
            of_maxima,
            #[inline(always)]
            |x, dy| {
                let dy = of(x, dy);
                [dy, dy * (x - affine.mean)]
            },
        );
        let slopes = Slopes::of_sums(norm, inverse, sums);
        let mut of_channel = norm.planes(channel);
        let mut gradients = of_maxima.chunks_exact(outputs);
        let written = planes.write(
            #[inline(always)]
            |to| {
                let plane = of_channel.next().unwrap_or_default();
                let gradient = gradients.next().unwrap_or_default();
                pooled.fill(0.0);
                places.for_each(
                    &indices[of_output(plane)],
                    #[inline(always)]
                    |output, pixel| pooled[pixel] += gradient[output],
                );
                let values = norm.plane(input, plane).iter().zip(&*pooled).map(
                    #[inline(always)]
                    |(&x, &dy)| slopes.of(affine, x, of(x, dy)),
                );
                write_values(to, values)
            },
        );
        (written, slopes.sums())
    }
}
