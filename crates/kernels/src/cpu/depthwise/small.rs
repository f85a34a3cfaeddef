//! The convolutions of small planes: their tasks, by the [layout](FlatLayout) without padding.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::MAX_LANES;
use super::super::divided::Divided;
use super::super::flat::FlatLayout;
use super::super::output::{Unwritten, write_parts, written_in_parts};
use super::super::plain::all_finite;
use super::super::scratch::with_zeros;
use super::super::taps::Lanes;
use super::{Depthwise, TASK, plain};

impl Depthwise {
    /// Returns the input planes of one task.
    fn small_planes_of_a_task(&self) -> usize {
        (TASK / self.input_plane()).max(1)
    }

    /// Computes the output.
    pub(super) fn flat_forward(
        &self,
        layout: &FlatLayout,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
    ) -> Vec<f32> {
        let (arch, planes) = (Arch::new(), self.small_planes_of_a_task());
        let of_an_input = self.multiplier * self.output_plane();
        let count = self.batch * self.channels;
        let tasks = (0..count.div_ceil(planes)).into_par_iter();
        written_in_parts(
            count * of_an_input,
            planes * of_an_input,
            tasks,
            |task, output| {
                with_zeros(layout.length(), |buffer| {
                    arch.dispatch(Forward {
                        sizes: self,
                        layout,
                        first: task * planes,
                        input,
                        weight,
                        bias,
                        output,
                        buffer,
                    })
                })
            },
        )
    }

    /// Computes the gradient of the input from that of the output.
    pub(super) fn flat_input_gradient(
        &self,
        layout: &FlatLayout,
        weight: &[f32],
        gradient: &[f32],
    ) -> Vec<f32> {
        let (arch, planes) = (Arch::new(), self.small_planes_of_a_task());
        let plane = self.input_plane();
        let count = self.batch * self.channels;
        let tasks = (0..count.div_ceil(planes)).into_par_iter();
        written_in_parts(count * plane, planes * plane, tasks, |task, output| {
            with_zeros(layout.length(), |buffer| {
                arch.dispatch(InputGradient {
                    sizes: self,
                    layout,
                    first: task * planes,
                    weight,
                    gradient,
                    output,
                    buffer,
                })
            })
        })
    }

    /// Computes the gradient of the weight from the input and the gradient of the output.
    pub(super) fn flat_weight_gradient(
        &self,
        layout: &FlatLayout,
        input: &[f32],
        gradient: &[f32],
    ) -> Vec<f32> {
        let arch = Arch::new();
        let of_a_channel = self.multiplier * self.taps();
        let mut result = vec![0.0; self.channels * of_a_channel];
        let channels = result.par_chunks_exact_mut(of_a_channel).enumerate();
        let at_least = TASK / (self.batch * self.input_plane());
        let channels = channels.with_min_len(at_least.max(1));
        channels.divided().for_each(|(channel, result)| {
            with_zeros(layout.length() + layout.padded(), |scratch| {
                let (buffer, padded) = scratch.split_at_mut(layout.length());
                arch.dispatch(WeightGradient {
                    sizes: self,
                    layout,
                    channel,
                    input,
                    gradient,
                    result,
                    buffer,
                    padded,
                });
            });
        });
        result
    }
}

/// One task of [`Depthwise::flat_forward`]: the output planes of some input planes.
struct Forward<'a, 'o> {
    sizes: &'a Depthwise,
    layout: &'a FlatLayout,
    /// The first input plane.
    first: usize,
    input: &'a [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    output: &'o mut Unwritten,
    buffer: &'a mut [f32],
}

impl<'o> WithSimd for Forward<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        let sizes = self.sizes;
        write_parts(
            self.output,
            sizes.output_plane(),
            #[inline(always)]
            |index, output| {
                let plane = self.first + index / sizes.multiplier;
                let input = &self.input[plane * sizes.input_plane()..][..sizes.input_plane()];
                if index % sizes.multiplier == 0 {
                    self.layout.fill(simd, input, self.buffer);
                }
                let channel =
                    (self.first * sizes.multiplier + index) % (sizes.channels * sizes.multiplier);
                let filter = sizes.filter(self.weight, channel);
                let bias = self.bias.map_or(0.0, |bias| bias[channel]);
                if !all_finite(filter) {
                    return plain::forward(sizes, input, filter, bias, output);
                }
                self.layout.gather(simd, self.buffer, filter, output, bias)
            },
        )
    }
}

/// One task of [`Depthwise::flat_input_gradient`]: the gradient of some input planes.
struct InputGradient<'a, 'o> {
    sizes: &'a Depthwise,
    layout: &'a FlatLayout,
    /// The first input plane.
    first: usize,
    weight: &'a [f32],
    gradient: &'a [f32],
    output: &'o mut Unwritten,
    buffer: &'a mut [f32],
}

impl<'o> WithSimd for InputGradient<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        let sizes = self.sizes;
        write_parts(
            self.output,
            sizes.input_plane(),
            #[inline(always)]
            |index, output| {
                let plane = self.first + index;
                let first = plane % sizes.channels * sizes.multiplier;
                let filters = sizes.filters(self.weight, first);
                let length = sizes.multiplier * sizes.output_plane();
                let gradients = &self.gradient[plane * length..][..length];
                if !all_finite(filters) {
                    return plain::input_gradient(sizes, filters, gradients, output);
                }
                let (filter, filters) = filters.split_at(sizes.taps());
                let (gradient, gradients) = gradients.split_at(sizes.output_plane());
                self.layout.fill(simd, gradient, self.buffer);
                let output = self.layout.gather(simd, self.buffer, filter, output, 0.0);
                let filters = filters.chunks_exact(sizes.taps());
                let gradients = gradients.chunks_exact(sizes.output_plane());
                for (filter, gradient) in filters.zip(gradients) {
                    self.layout.fill(simd, gradient, self.buffer);
                    self.layout.gather_more(simd, self.buffer, filter, output);
                }
                output
            },
        )
    }
}

/// One task of [`Depthwise::flat_weight_gradient`]: the filters of one input channel.
struct WeightGradient<'a> {
    sizes: &'a Depthwise,
    layout: &'a FlatLayout,
    channel: usize,
    input: &'a [f32],
    gradient: &'a [f32],
    result: &'a mut [f32],
    /// Memory for a plane between its guards.
    buffer: &'a mut [f32],
    /// Memory for a gradient that ends in zeros.
    padded: &'a mut [f32],
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let sizes = self.sizes;
        let mut sums: Vec<Lanes> = vec![[0.0; MAX_LANES]; self.result.len()];
        for image in 0..sizes.batch {
            let plane = image * sizes.channels + self.channel;
            let input = &self.input[plane * sizes.input_plane()..][..sizes.input_plane()];
            self.layout.fill(simd, input, self.buffer);
            for (index, sums) in sums.chunks_exact_mut(sizes.taps()).enumerate() {
                let plane = plane * sizes.multiplier + index;
                let gradient = &self.gradient[plane * sizes.output_plane()..];
                let gradient = &gradient[..sizes.output_plane()];
                self.layout.fill_padded(simd, gradient, self.padded);
                self.layout.correlate(simd, self.buffer, self.padded, sums);
            }
        }
        for (result, lanes) in self.result.iter_mut().zip(&sums) {
            *result = lanes.iter().sum();
        }
        if !all_finite(self.result) {
            plain::weight_gradient(sizes, self.channel, self.input, self.gradient, self.result);
        }
    }
}
