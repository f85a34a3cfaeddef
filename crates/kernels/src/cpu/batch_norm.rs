//! Batch normalization with the statistics of the batch.
//!
//! A channel is one task: its planes are read for the mean, for the variance, and once more to be
//! normalized, the last two times mostly from the cache. ReLU may follow in the same pass.

mod backward;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use self::backward::BackwardChannel;
use super::copy::{copy, write};
use super::output::{Unwritten, written_by};
use super::scratch::with_scratch;
use super::sums::sum;

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

    /// Values of a channel where its planes are so short that they are put together first; else 0.
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
        for (to, plane) in rows.zip(self.planes(channel)) {
            copy::<S>(self.plane(values, plane), to);
        }
    }

    /// Writes the planes of a channel that were put together.
    #[inline(always)]
    fn scatter<S: Simd>(&self, from: &[f32], channel: usize, planes: Planes) {
        let rows = from.chunks_exact(self.pixels);
        for (from, plane) in rows.zip(self.planes(channel)) {
            // SAFETY: a channel's planes are its task's alone.
            write::<S>(from, unsafe { planes.plane(plane) });
        }
    }

    /// The normalization by the mean and the biased variance of all values of a channel, and those; `scale` is
    /// gamma and beta.
    #[inline(always)]
    fn statistics<'a>(
        &self,
        values: impl Iterator<Item = &'a [f32]> + Clone,
        (gamma, beta): (f32, f32),
    ) -> (Affine, (f32, f32)) {
        let mut total = 0.0;
        for values in values.clone() {
            total += sum(values, |value| value);
        }
        let mean = (total / self.samples()) as f32;
        let mut total = 0.0;
        for values in values {
            total += sum(values, |value| (value - mean) * (value - mean));
        }
        let variance = (total / self.samples()) as f32;
        let affine = Affine {
            mean,
            scale: gamma * self.inverse_deviation(variance),
            shift: beta,
        };
        (affine, (mean, variance))
    }

    #[inline(always)]
    fn normalize(&self, affine: Affine, from: &[f32], to: &mut Unwritten) {
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
                        self.normalize_in_place(affine, values);
                    }
                },
            );
        });
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
                    with_scratch(2 * self.gathered(), |scratch| {
                        arch.dispatch(BackwardChannel {
                            sizes: self,
                            channel,
                            input,
                            gradient,
                            affine: Affine {
                                mean: mean[channel],
                                scale: gamma[channel] * inverse,
                                shift: beta[channel],
                            },
                            inverse,
                            planes,
                            scratch,
                        })
                    })
                })
                .collect_into_vec(&mut sums);
        };
        // SAFETY: the channels' planes are all planes, and each is written to its end.
        let input = unsafe { written_by(input.len(), write) };
        let (gamma, beta) = sums.into_iter().unzip();
        Gradients { input, gamma, beta }
    }
}

/// One channel of [`BatchNorm::forward`], which gives its mean and its biased variance.
struct ForwardChannel<'a> {
    sizes: &'a BatchNorm,
    channel: usize,
    input: &'a [f32],
    /// Gamma and beta.
    scale: (f32, f32),
    planes: Planes,
    scratch: &'a mut [f32],
}

impl WithSimd for ForwardChannel<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> (f32, f32) {
        let Self {
            sizes,
            channel,
            input,
            scale,
            planes,
            scratch,
        } = self;
        if scratch.is_empty() {
            let of_channel = sizes.planes(channel);
            let of_channel = of_channel.map(|plane| sizes.plane(input, plane));
            let (affine, statistics) = sizes.statistics(of_channel, scale);
            for plane in sizes.planes(channel) {
                // SAFETY: a channel's planes are its task's alone.
                let to = unsafe { planes.plane(plane) };
                sizes.normalize(affine, sizes.plane(input, plane), to);
            }
            return statistics;
        }
        sizes.gather::<S>(input, channel, scratch);
        let (affine, statistics) = sizes.statistics(std::iter::once(&*scratch), scale);
        sizes.normalize_in_place(affine, scratch);
        sizes.scatter::<S>(scratch, channel, planes);
        statistics
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
