//! Batch normalization with the statistics of the batch.
//!
//! A channel is one task: its planes are read for the mean, for the variance, and once more to be
//! normalized, the last two times mostly from the cache. ReLU may follow in the same pass.

use pulp::Arch;
use rayon::prelude::*;

use super::output::{Unwritten, written_by};
use super::sums::{pair_of_sums, sum};

/// Elements of a task at least. 16,384 of them take a few microseconds from the cache.
const TASK: usize = 16_384;

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

/// What [`BatchNorm::forward`] gives.
#[derive(Debug)]
pub(crate) struct Normalized {
    pub(crate) output: Vec<f32>,
    /// Of each channel.
    pub(crate) mean: Vec<f32>,
    /// Of each channel, biased.
    pub(crate) variance: Vec<f32>,
}

/// What [`BatchNorm::backward`] gives.
#[derive(Debug)]
pub(crate) struct Gradients {
    pub(crate) input: Vec<f32>,
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
}

/// Planes of a result, of which each channel's task writes its own.
#[derive(Clone, Copy)]
struct Planes {
    start: *mut f32,
    pixels: usize,
}

// SAFETY: a pointer that is used in `write` alone, whose callers keep tasks apart.
unsafe impl Send for Planes {}
// SAFETY: as above.
unsafe impl Sync for Planes {}

impl Planes {
    fn new(output: &mut Unwritten, pixels: usize) -> Self {
        Self {
            start: output.as_mut_ptr().cast(),
            pixels,
        }
    }

    /// A plane that is not written yet.
    ///
    /// # Safety
    ///
    /// The plane must lie in the result and be used by nobody else meanwhile.
    #[inline(always)]
    unsafe fn plane<'a>(self, plane: usize) -> &'a mut Unwritten {
        // SAFETY: as the caller promises; any memory is a valid `MaybeUninit`.
        unsafe {
            let start = self.start.add(plane * self.pixels);
            std::slice::from_raw_parts_mut(start.cast(), self.pixels)
        }
    }
}

impl BatchNorm {
    /// The planes of a channel, by their index.
    fn planes(&self, channel: usize) -> impl Iterator<Item = usize> + Clone {
        (channel..self.batch * self.channels).step_by(self.channels)
    }

    fn plane<'a>(&self, values: &'a [f32], plane: usize) -> &'a [f32] {
        &values[plane * self.pixels..][..self.pixels]
    }

    /// Channels of a task at least.
    fn channels_of_a_task(&self) -> usize {
        (TASK / (self.batch * self.pixels)).max(1)
    }

    fn samples(&self) -> f64 {
        (self.batch * self.pixels) as f64
    }

    fn inverse_deviation(&self, variance: f32) -> f32 {
        (f64::from(variance) + self.epsilon).sqrt().recip() as f32
    }

    /// Normalizes each channel, scales it by `gamma` and shifts it by `beta`.
    pub(crate) fn forward(&self, input: &[f32], gamma: &[f32], beta: &[f32]) -> Normalized {
        let arch = Arch::new();
        let mut statistics = Vec::new();
        let write = |output: &mut Unwritten| {
            let planes = Planes::new(output, self.pixels);
            (0..self.channels)
                .into_par_iter()
                .with_min_len(self.channels_of_a_task())
                .map(|channel| {
                    arch.dispatch(
                        #[inline(always)]
                        || {
                            let (mean, variance) = self.statistics(input, channel);
                            let scale = gamma[channel] * self.inverse_deviation(variance);
                            for plane in self.planes(channel) {
                                let from = self.plane(input, plane);
                                // SAFETY: a channel's planes are its task's alone.
                                let to = unsafe { planes.plane(plane) };
                                let affine = Affine {
                                    mean,
                                    scale,
                                    shift: beta[channel],
                                };
                                if self.relu {
                                    for (to, from) in to.iter_mut().zip(from) {
                                        to.write(rectify(affine.of(*from)));
                                    }
                                } else {
                                    for (to, from) in to.iter_mut().zip(from) {
                                        to.write(affine.of(*from));
                                    }
                                }
                            }
                            (mean, variance)
                        },
                    )
                })
                .collect_into_vec(&mut statistics);
        };
        // SAFETY: the channels' planes are all planes, and each is written to its end.
        let output = unsafe { written_by(input.len(), write) };
        let (mean, variance) = statistics.into_iter().unzip();
        Normalized {
            output,
            mean,
            variance,
        }
    }

    /// Normalizes by these statistics, in place.
    pub(crate) fn apply(
        &self,
        values: &mut [f32],
        [gamma, beta]: [&[f32]; 2],
        [mean, variance]: [&[f32]; 2],
    ) {
        let arch = Arch::new();
        let planes = (TASK / self.pixels).max(1);
        let tasks = values.par_chunks_mut(planes * self.pixels).enumerate();
        tasks.for_each(|(task, values)| {
            arch.dispatch(
                #[inline(always)]
                || {
                    let of_a_task = values.chunks_exact_mut(self.pixels);
                    for (plane, values) in (task * planes..).zip(of_a_task) {
                        let channel = plane % self.channels;
                        let inverse = self.inverse_deviation(variance[channel]);
                        let affine = Affine {
                            mean: mean[channel],
                            scale: gamma[channel] * inverse,
                            shift: beta[channel],
                        };
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
                },
            );
        });
    }

    /// Mean and biased variance of a channel.
    #[inline(always)]
    fn statistics(&self, input: &[f32], channel: usize) -> (f32, f32) {
        let mut total = 0.0;
        for plane in self.planes(channel) {
            total += sum(self.plane(input, plane), |value| value);
        }
        let mean = (total / self.samples()) as f32;
        let mut total = 0.0;
        for plane in self.planes(channel) {
            total += sum(self.plane(input, plane), |value| {
                (value - mean) * (value - mean)
            });
        }
        (mean, (total / self.samples()) as f32)
    }

    /// The gradients, from that of the output; `statistics` are the mean and the variance of
    /// [`forward`](Self::forward).
    pub(crate) fn backward(
        &self,
        input: &[f32],
        [gamma, beta]: [&[f32]; 2],
        [mean, variance]: [&[f32]; 2],
        gradient: &[f32],
    ) -> Gradients {
        let arch = Arch::new();
        let mut sums = Vec::new();
        let write = |output: &mut Unwritten| {
            let planes = Planes::new(output, self.pixels);
            (0..self.channels)
                .into_par_iter()
                .with_min_len(self.channels_of_a_task())
                .map(|channel| {
                    let inverse = self.inverse_deviation(variance[channel]);
                    let affine = Affine {
                        mean: mean[channel],
                        scale: gamma[channel] * inverse,
                        shift: beta[channel],
                    };
                    arch.dispatch(
                        #[inline(always)]
                        || {
                            if self.relu {
                                self.channel(
                                    input,
                                    gradient,
                                    channel,
                                    planes,
                                    affine,
                                    inverse,
                                    |x, dy| select(affine.of(x), dy),
                                )
                            } else {
                                self.channel(
                                    input,
                                    gradient,
                                    channel,
                                    planes,
                                    affine,
                                    inverse,
                                    |_, dy| dy,
                                )
                            }
                        },
                    )
                })
                .collect_into_vec(&mut sums);
        };
        // SAFETY: the channels' planes are all planes, and each is written to its end.
        let input = unsafe { written_by(input.len(), write) };
        let (gamma, beta) = sums.into_iter().unzip();
        Gradients { input, gamma, beta }
    }

    /// Writes the input's gradient of a channel; returns those of gamma and beta. `of` gives the
    /// gradient that reaches the normalization from an input and the output's gradient.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn channel(
        &self,
        input: &[f32],
        gradient: &[f32],
        channel: usize,
        planes: Planes,
        affine: Affine,
        inverse: f32,
        of: impl Fn(f32, f32) -> f32,
    ) -> (f32, f32) {
        let mean = affine.mean;
        let (mut beta, mut gamma) = (0.0, 0.0);
        for plane in self.planes(channel) {
            let (x, dy) = (self.plane(input, plane), self.plane(gradient, plane));
            let [one, two] = pair_of_sums(
                x,
                dy,
                #[inline(always)]
                |x, dy| {
                    let dy = of(x, dy);
                    [dy, dy * (x - mean)]
                },
            );
            beta += one;
            gamma += two;
        }
        let gamma = gamma * f64::from(inverse);
        let mean_gradient = (beta / self.samples()) as f32;
        let slope = (gamma / self.samples()) as f32 * inverse;
        for plane in self.planes(channel) {
            let (x, dy) = (self.plane(input, plane), self.plane(gradient, plane));
            // SAFETY: a channel's planes are its task's alone.
            let to = unsafe { planes.plane(plane) };
            for ((to, &x), &dy) in to.iter_mut().zip(x).zip(dy) {
                let centered = of(x, dy) - mean_gradient;
                to.write(affine.scale * (centered - (x - mean) * slope));
            }
        }
        (gamma as f32, beta as f32)
    }
}

/// Normalization of one channel.
#[derive(Clone, Copy)]
struct Affine {
    mean: f32,
    scale: f32,
    shift: f32,
}

impl Affine {
    #[inline(always)]
    fn of(self, value: f32) -> f32 {
        (value - self.mean) * self.scale + self.shift
    }
}

/// `max(0, x)`, and NaN for NaN.
#[inline(always)]
pub(super) fn rectify(value: f32) -> f32 {
    if value <= 0.0 { 0.0 } else { value }
}

/// The gradient of [`rectify`]: that of its output where the input is positive, or NaN.
#[inline(always)]
pub(super) fn select(value: f32, gradient: f32) -> f32 {
    if value <= 0.0 { 0.0 } else { gradient }
}
