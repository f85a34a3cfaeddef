//! Depthwise convolution: each channel by itself.
//!
//! A plane is copied into the thread's scratch memory, padded, and convolved there in whole vectors;
//! see [`PlaneLayout`]. Padding is memory filled with zeros, which a weight that is infinite or no
//! number would make a NaN of: such filters, and gradients that come out so, take the plain loops.

mod plain;
mod small;
mod tiny;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::MAX_LANES;
use super::divided::Divided;
use super::flat::FlatLayout;
use super::output::{Unwritten, write_parts, written_in_parts};
use super::plain::{PlainConvolution, all_finite};
use super::plane::PlaneLayout;
use super::scratch::with_zeros;
use super::taps::{Lanes, Start, Tap, correlate, gather};
use crate::Geometry;

/// Elements of planes that a task of a thread should have at least. Handing over a task costs a few
/// microseconds; 16,384 elements of a 3x3 convolution take about ten.
const TASK: usize = 16_384;

/// The sizes of a depthwise convolution.
#[derive(Debug, Clone)]
pub(crate) struct Depthwise {
    /// Number of images.
    pub(crate) batch: usize,
    /// Input channels.
    pub(crate) channels: usize,
    /// Output channels of each input channel.
    pub(crate) multiplier: usize,
    /// Height and width of the input.
    pub(crate) input: [usize; 2],
    /// Height and width of the output.
    pub(crate) output: [usize; 2],
    /// The window.
    pub(crate) geometry: Geometry,
}

impl Depthwise {
    fn layout(&self) -> PlaneLayout {
        PlaneLayout::new(self.geometry, self.input, self.output)
    }

    /// Returns the convolution of a plane by its definition.
    fn plain(&self) -> PlainConvolution {
        PlainConvolution {
            geometry: self.geometry,
            input: self.input,
            output: self.output,
        }
    }

    /// Returns the layout of small planes, where the convolution is one of these.
    fn flat(
        &self,
        layout: impl FnOnce(&Geometry, [usize; 2], [usize; 2]) -> Option<FlatLayout>,
    ) -> Option<FlatLayout> {
        match FlatLayout::is_small(self.input) {
            true => layout(&self.geometry, self.input, self.output),
            false => None,
        }
    }

    fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    fn output_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }

    fn taps(&self) -> usize {
        self.geometry.kernel[0] * self.geometry.kernel[1]
    }

    /// Returns the input planes of one task.
    fn planes_of_a_task(&self, layout: &PlaneLayout) -> usize {
        (TASK / layout.length()).max(1)
    }

    /// Returns the filter of an output channel.
    fn filter<'a>(&self, weight: &'a [f32], channel: usize) -> &'a [f32] {
        &weight[channel * self.taps()..][..self.taps()]
    }

    /// Returns the filters of an input channel; `first` is its first output channel.
    fn filters<'a>(&self, weight: &'a [f32], first: usize) -> &'a [f32] {
        &weight[first * self.taps()..][..self.multiplier * self.taps()]
    }

    /// Computes the output.
    pub(crate) fn forward(&self, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        if self.has_tiny_planes() {
            return self.tiny_forward(input, weight, bias, false);
        }
        if let Some(layout) = self.flat(FlatLayout::new) {
            return self.flat_forward(&layout, input, weight, bias);
        }
        let layout = self.layout();
        let planes = self.planes_of_a_task(&layout);
        let (arch, distances) = (Arch::new(), layout.distances());
        let of_an_input = self.multiplier * self.output_plane();
        let count = self.batch * self.channels;
        let tasks = (0..count.div_ceil(planes)).into_par_iter();
        written_in_parts(
            count * of_an_input,
            planes * of_an_input,
            tasks,
            |task, output| {
                let length = [layout.length(), layout.output_length()];
                with_zeros(length[0] + length[1], |scratch| {
                    let (phases, outputs) = scratch.split_at_mut(length[0]);
                    arch.dispatch(Forward {
                        sizes: self,
                        layout: &layout,
                        distances: &distances,
                        first: task * planes,
                        input,
                        weight,
                        bias,
                        output,
                        phases,
                        outputs,
                    })
                })
            },
        )
    }

    /// Computes the gradient of the input from that of the output.
    pub(crate) fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        if self.has_tiny_planes() {
            return self.tiny_forward(gradient, weight, None, true);
        }
        if let Some(layout) = self.flat(FlatLayout::of_gradient) {
            return self.flat_input_gradient(&layout, weight, gradient);
        }
        let layout = self.layout();
        let planes = self.planes_of_a_task(&layout);
        let (arch, taps) = (Arch::new(), layout.taps());
        let plane = self.input_plane();
        let count = self.batch * self.channels;
        let tasks = (0..count.div_ceil(planes)).into_par_iter();
        written_in_parts(count * plane, planes * plane, tasks, |task, output| {
            let length = [layout.length(), layout.gradient_length()];
            with_zeros(length[0] + length[1], |scratch| {
                let (phases, outputs) = scratch.split_at_mut(length[0]);
                arch.dispatch(InputGradient {
                    sizes: self,
                    layout: &layout,
                    taps: &taps,
                    first: task * planes,
                    weight,
                    gradient,
                    output,
                    phases,
                    outputs,
                })
            })
        })
    }

    /// Computes the gradient of the weight from the input and the gradient of the output.
    pub(crate) fn weight_gradient(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        if self.has_tiny_planes() {
            return self.tiny_weight_gradient(input, gradient);
        }
        if let Some(layout) = self.flat(FlatLayout::new) {
            return self.flat_weight_gradient(&layout, input, gradient);
        }
        let layout = self.layout();
        let (arch, distances) = (Arch::new(), layout.distances());
        let of_a_channel = self.multiplier * self.taps();
        let mut result = vec![0.0; self.channels * of_a_channel];
        let channels = result.par_chunks_exact_mut(of_a_channel).enumerate();
        let at_least = TASK / (self.batch * layout.length());
        let channels = channels.with_min_len(at_least.max(1));
        channels.divided().for_each(|(channel, result)| {
            let length = [layout.length(), layout.gradient_length()];
            with_zeros(length[0] + length[1], |scratch| {
                let (phases, outputs) = scratch.split_at_mut(length[0]);
                arch.dispatch(WeightGradient {
                    sizes: self,
                    layout: &layout,
                    distances: &distances,
                    channel,
                    input,
                    gradient,
                    result,
                    phases,
                    outputs,
                });
            });
        });
        result
    }
}

/// One task of [`Depthwise::forward`]: the output planes of some input planes.
struct Forward<'a, 'o> {
    sizes: &'a Depthwise,
    layout: &'a PlaneLayout,
    distances: &'a [usize],
    /// The first input plane.
    first: usize,
    input: &'a [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    output: &'o mut Unwritten,
    phases: &'a mut [f32],
    outputs: &'a mut [f32],
}

impl<'o> WithSimd for Forward<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        let sizes = self.sizes;
        let mut taps: Vec<Tap> = Vec::with_capacity(self.distances.len());
        write_parts(
            self.output,
            sizes.output_plane(),
            #[inline(always)]
            |index, output| {
                let plane = self.first + index / sizes.multiplier;
                let input = &self.input[plane * sizes.input_plane()..][..sizes.input_plane()];
                if index % sizes.multiplier == 0 {
                    self.layout.fill(simd, input, self.phases);
                }
                let channel =
                    (self.first * sizes.multiplier + index) % (sizes.channels * sizes.multiplier);
                let filter = sizes.filter(self.weight, channel);
                let bias = self.bias.map_or(0.0, |bias| bias[channel]);
                if !all_finite(filter) {
                    return plain::forward(sizes, input, filter, bias, output);
                }
                taps.clear();
                taps.extend(with_weights(self.distances, filter));
                let length = self.layout.outputs();
                let start = Start::Value(bias);
                gather(simd, self.phases, &taps, self.outputs, length, start);
                self.layout.emit(simd, self.outputs, output)
            },
        )
    }
}

fn with_weights(distances: &[usize], filter: &[f32]) -> impl Iterator<Item = Tap> {
    let pairs = distances.iter().zip(filter);
    pairs.map(|(&distance, &weight)| Tap { distance, weight })
}

/// One task of [`Depthwise::input_gradient`]: the gradient of some input planes.
struct InputGradient<'a, 'o> {
    sizes: &'a Depthwise,
    layout: &'a PlaneLayout,
    /// The phase and the distance in it of each tap.
    taps: &'a [(usize, usize)],
    /// The first input plane.
    first: usize,
    weight: &'a [f32],
    gradient: &'a [f32],
    output: &'o mut Unwritten,
    phases: &'a mut [f32],
    outputs: &'a mut [f32],
}

impl<'o> WithSimd for InputGradient<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        let sizes = self.sizes;
        let span = self.layout.phase_span();
        let mut taps: Vec<Tap> = Vec::with_capacity(self.taps.len());
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
                let filters = filters.chunks_exact(sizes.taps());
                let gradients = gradients.chunks_exact(sizes.output_plane());
                for (index, (filter, gradient)) in filters.zip(gradients).enumerate() {
                    self.layout.fill_gradient(simd, gradient, self.outputs);
                    for phase in 0..self.layout.phases() {
                        taps.clear();
                        let own = self.taps.iter().zip(filter);
                        // Gathered from behind: pixel `i` gets from output `i - distance`.
                        taps.extend(own.filter(|((of, _), _)| *of == phase).map(
                            |((_, distance), &weight)| Tap {
                                distance: self.layout.guard() - distance,
                                weight,
                            },
                        ));
                        let start = match index {
                            0 => Start::Value(0.0),
                            _ => Start::Output,
                        };
                        let phases = &mut self.phases[phase * span..];
                        gather(simd, self.outputs, &taps, phases, span, start);
                    }
                }
                self.layout.emit_gradient(simd, self.phases, output)
            },
        )
    }
}

/// One task of [`Depthwise::weight_gradient`]: the filters of one input channel.
struct WeightGradient<'a> {
    sizes: &'a Depthwise,
    layout: &'a PlaneLayout,
    distances: &'a [usize],
    channel: usize,
    input: &'a [f32],
    gradient: &'a [f32],
    result: &'a mut [f32],
    phases: &'a mut [f32],
    outputs: &'a mut [f32],
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let sizes = self.sizes;
        let (guard, length) = (self.layout.guard(), self.layout.outputs());
        let mut sums: Vec<Lanes> = vec![[0.0; MAX_LANES]; self.result.len()];
        for image in 0..sizes.batch {
            let plane = image * sizes.channels + self.channel;
            let input = &self.input[plane * sizes.input_plane()..][..sizes.input_plane()];
            self.layout.fill(simd, input, self.phases);
            for (index, sums) in sums.chunks_exact_mut(sizes.taps()).enumerate() {
                let plane = plane * sizes.multiplier + index;
                let gradient = &self.gradient[plane * sizes.output_plane()..];
                let gradient = &gradient[..sizes.output_plane()];
                self.layout.fill_gradient(simd, gradient, self.outputs);
                let gradient = &self.outputs[guard..];
                correlate(simd, self.phases, self.distances, gradient, length, sums);
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
