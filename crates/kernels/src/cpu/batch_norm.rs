//! Batch normalization with the statistics of the batch.
//!
//! A channel is one task: its planes are read for the mean, for the variance, and once more to be
//! normalized, the last two times mostly from the cache. ReLU may follow in the same pass.

mod backward;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use self::backward::BackwardChannel;
pub(super) use self::backward::Slopes;
use super::activation::rectify;
use super::copy::{copy, write};
use super::divided::Divided;
use super::output::{Interleaved, Unwritten, Written, write_values, written_interleaved};
use super::prefetch::prefetch_plane;
use super::scratch::with_scratch;
use super::sums::sum_of_slices;

/// Elements of a task at least. 16,384 of them take a few microseconds from the cache.
const TASK: usize = 16_384;
/// Planes with fewer pixels than this are put together with the channel's others: loops over single ones
/// would not get going.
const SHORT: usize = 192;

/// The sizes of a batch normalization.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchNorm {
    /// Number of images.
    pub(crate) batch: usize,
    /// Number of channels.
    pub(crate) channels: usize,
    /// Pixels of an image.
    pub(crate) pixels: usize,
    /// Added to the variance.
    pub(crate) epsilon: f64,
    /// Whether ReLU follows.
    pub(crate) relu: bool,
}

/// The results of [`BatchNorm::forward`].
#[derive(Debug)]
pub(crate) struct Normalized {
    pub(crate) output: Vec<f32>,
    /// Of each channel.
    pub(crate) mean: Vec<f32>,
    /// Of each channel, biased.
    pub(crate) variance: Vec<f32>,
}

/// The results of [`BatchNorm::backward`].
#[derive(Debug)]
pub(crate) struct Gradients {
    pub(crate) input: Vec<f32>,
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
}

impl BatchNorm {
    /// Returns the indices of a channel's planes.
    pub(super) fn planes(&self, channel: usize) -> impl Iterator<Item = usize> + Clone {
        (channel..self.batch * self.channels).step_by(self.channels)
    }

    /// Returns a plane by its index.
    pub(super) fn plane<'a>(&self, values: &'a [f32], plane: usize) -> &'a [f32] {
        &values[plane * self.pixels..][..self.pixels]
    }

    /// Returns a channel's planes, to be read from memory: with each the one after it is requested.
    #[inline(always)]
    pub(super) fn planes_from_memory<'a>(
        &self,
        values: &'a [f32],
        channel: usize,
    ) -> impl Iterator<Item = &'a [f32]> {
        let (pixels, step) = (self.pixels, self.channels * self.pixels);
        self.planes(channel).map(
            #[inline(always)]
            move |plane| {
                let rest = &values[plane * pixels..];
                if let Some(next) = rest.get(step..step + pixels) {
                    prefetch_plane(next);
                }
                &rest[..pixels]
            },
        )
    }

    /// Returns the least number of channels of a task.
    pub(super) fn channels_of_a_task(&self) -> usize {
        (TASK / (self.batch * self.pixels)).max(1)
    }

    /// Returns the number of values of a channel where its planes are so short that they are put together
    /// first, else 0.
    fn gathered(&self) -> usize {
        match self.pixels < SHORT && self.batch > 1 {
            true => self.batch * self.pixels,
            false => 0,
        }
    }

    /// Puts a channel's planes together.
    #[inline(always)]
    fn gather<S: Simd>(&self, values: &[f32], channel: usize, to: &mut [f32]) {
        let rows = to.chunks_exact_mut(self.pixels);
        for (to, plane) in rows.zip(self.planes_from_memory(values, channel)) {
            copy::<S>(plane, to);
        }
    }

    /// Writes the planes of a channel that were put together.
    #[inline(always)]
    fn scatter<'a, S: Simd>(&self, from: &[f32], planes: Interleaved<'a>) -> Written<'a> {
        let mut rows = from.chunks_exact(self.pixels);
        planes.write(
            #[inline(always)]
            |to| write::<S>(rows.next().unwrap_or_default(), to),
        )
    }

    /// Returns the mean and the biased variance of all values of a channel, which are read twice.
    #[inline(always)]
    fn mean_and_variance<'a>(
        &self,
        values: impl Iterator<Item = &'a [f32]>,
        again: impl Iterator<Item = &'a [f32]>,
    ) -> (f32, f32) {
        let total = sum_of_slices(
            values,
            #[inline(always)]
            |value| value,
        );
        let mean = (total / self.samples()) as f32;
        let total = sum_of_slices(
            again,
            #[inline(always)]
            |value| (value - mean) * (value - mean),
        );
        (mean, (total / self.samples()) as f32)
    }

    /// Returns the mean and the biased variance of a channel of the input, whose planes are put together in `scratch` if it
    /// isn't empty.
    #[inline(always)]
    fn statistics<S: Simd>(
        &self,
        input: &[f32],
        channel: usize,
        scratch: &mut [f32],
    ) -> (f32, f32) {
        if scratch.is_empty() {
            let again = self.planes(channel).map(
                #[inline(always)]
                |plane| self.plane(input, plane),
            );
            return self.mean_and_variance(self.planes_from_memory(input, channel), again);
        }
        self.gather::<S>(input, channel, scratch);
        let values = || std::iter::once(&*scratch);
        self.mean_and_variance(values(), values())
    }

    #[inline(always)]
    fn normalize<'a>(&self, affine: Affine, from: &[f32], to: &'a mut Unwritten) -> &'a mut [f32] {
        if self.relu {
            let values = from.iter().map(
                #[inline(always)]
                |value| rectify(affine.of(*value)),
            );
            write_values(to, values)
        } else {
            let values = from.iter().map(
                #[inline(always)]
                |value| affine.of(*value),
            );
            write_values(to, values)
        }
    }

    /// Normalizes values to others of their number.
    #[inline(always)]
    pub(super) fn normalize_to(&self, affine: Affine, from: &[f32], to: &mut [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            let value = affine.of(*from);
            *to = if self.relu { rectify(value) } else { value };
        }
    }

    #[inline(always)]
    fn normalize_in_place(&self, affine: Affine, values: &mut [f32]) {
        if self.relu {
            for value in values {
                *value = rectify(affine.of(*value));
            }
        } else {
            for value in values {
                *value = affine.of(*value);
            }
        }
    }

    fn samples(&self) -> f64 {
        (self.batch * self.pixels) as f64
    }

    pub(super) fn inverse_deviation(&self, variance: f32) -> f32 {
        (f64::from(variance) + self.epsilon).sqrt().recip() as f32
    }

    /// Returns the normalization of a channel.
    pub(super) fn affine(
        &self,
        channel: usize,
        [gamma, beta]: [&[f32]; 2],
        [mean, variance]: [&[f32]; 2],
    ) -> Affine {
        Affine {
            mean: mean[channel],
            scale: gamma[channel] * self.inverse_deviation(variance[channel]),
            shift: beta[channel],
        }
    }

    /// Computes the mean and the biased variance of each channel, those of [`forward`](Self::forward).
    pub(crate) fn batch_statistics(&self, input: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let arch = Arch::new();
        let channels = (0..self.channels).into_par_iter();
        let statistics = channels.with_min_len(self.channels_of_a_task()).divided();
        statistics
            .map(|channel| {
                with_scratch(self.gathered(), |scratch| {
                    arch.dispatch(StatisticsOfChannel {
                        sizes: self,
                        channel,
                        input,
                        scratch,
                    })
                })
            })
            .unzip()
    }

    /// Normalizes each channel, scales it by `gamma` and shifts it by `beta`.
    pub(crate) fn forward(&self, input: &[f32], gamma: &[f32], beta: &[f32]) -> Normalized {
        let arch = Arch::new();
        let at_least = self.channels_of_a_task();
        let length = input.len();
        let (output, statistics) = written_interleaved(
            length,
            self.pixels,
            self.channels,
            at_least,
            |channel, planes| {
                with_scratch(self.gathered(), |scratch| {
                    arch.dispatch(ForwardChannel {
                        sizes: self,
                        channel,
                        input,
                        scale: (gamma[channel], beta[channel]),
                        planes,
                        scratch,
                    })
                })
            },
        );
        let (mean, variance) = statistics.into_iter().unzip();
        Normalized {
            output,
            mean,
            variance,
        }
    }

    /// Normalizes by these statistics, mean and variance, in place; `parameters` are gamma and beta.
    pub(crate) fn apply(
        &self,
        values: &mut [f32],
        parameters: [&[f32]; 2],
        statistics: [&[f32]; 2],
    ) {
        let arch = Arch::new();
        let planes = (TASK / self.pixels).max(1);
        let tasks = values.par_chunks_mut(planes * self.pixels).enumerate();
        tasks.divided().for_each(|(task, values)| {
            arch.dispatch(
                #[inline(always)]
                || {
                    let of_a_task = values.chunks_exact_mut(self.pixels);
                    for (plane, values) in (task * planes..).zip(of_a_task) {
                        let affine = self.affine(plane % self.channels, parameters, statistics);
                        self.normalize_in_place(affine, values);
                    }
                },
            );
        });
    }

    /// Computes the gradients from that of the output; `parameters` are gamma and beta, `statistics` the mean and the variance
    /// that [`forward`](Self::forward) returns.
    pub(crate) fn backward(
        &self,
        input: &[f32],
        parameters: [&[f32]; 2],
        statistics: [&[f32]; 2],
        gradient: &[f32],
    ) -> Gradients {
        let arch = Arch::new();
        let at_least = self.channels_of_a_task();
        let length = input.len();
        let (input, sums) = written_interleaved(
            length,
            self.pixels,
            self.channels,
            at_least,
            |channel, planes| {
                with_scratch(2 * self.gathered(), |scratch| {
                    arch.dispatch(BackwardChannel {
                        sizes: self,
                        channel,
                        input,
                        gradient,
                        affine: self.affine(channel, parameters, statistics),
                        inverse: self.inverse_deviation(statistics[1][channel]),
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

/// One channel of [`BatchNorm::forward`], which returns its mean and its biased variance.
struct ForwardChannel<'a, 'o> {
    sizes: &'a BatchNorm,
    channel: usize,
    input: &'a [f32],
    /// Gamma and beta.
    scale: (f32, f32),
    planes: Interleaved<'o>,
    scratch: &'a mut [f32],
}

impl<'o> WithSimd for ForwardChannel<'_, 'o> {
    type Output = (Written<'o>, (f32, f32));

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Self::Output {
        let Self {
            sizes,
            channel,
            input,
            scale,
            planes,
            scratch,
        } = self;
        let (mean, variance) = sizes.statistics::<S>(input, channel, scratch);
        let (gamma, beta) = scale;
        let affine = Affine {
            mean,
            scale: gamma * sizes.inverse_deviation(variance),
            shift: beta,
        };
        let written = match scratch.is_empty() {
            true => {
                let mut of_channel = sizes.planes(channel).map(
                    #[inline(always)]
                    |plane| sizes.plane(input, plane),
                );
                planes.write(
                    #[inline(always)]
                    |to| sizes.normalize(affine, of_channel.next().unwrap_or_default(), to),
                )
            }
            false => {
                sizes.normalize_in_place(affine, scratch);
                sizes.scatter::<S>(scratch, planes)
            }
        };
        (written, (mean, variance))
    }
}

/// One channel of [`BatchNorm::batch_statistics`].
struct StatisticsOfChannel<'a> {
    sizes: &'a BatchNorm,
    channel: usize,
    input: &'a [f32],
    scratch: &'a mut [f32],
}

impl WithSimd for StatisticsOfChannel<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> (f32, f32) {
        let Self {
            sizes,
            channel,
            input,
            scratch,
        } = self;
        sizes.statistics::<S>(input, channel, scratch)
    }
}

/// Normalization of one channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Affine {
    pub(super) mean: f32,
    pub(super) scale: f32,
    pub(super) shift: f32,
}

impl Affine {
    #[inline(always)]
    pub(super) fn of(self, value: f32) -> f32 {
        (value - self.mean) * self.scale + self.shift
    }
}
