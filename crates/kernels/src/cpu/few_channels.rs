//! The weight gradient of a dense convolution with few channels on small planes, as in a stem for small images.
//!
//! As a matrix product it would have few rows and columns and be spent on packing; here each pair of channels is
//! correlated tap by tap.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::MAX_LANES;
use super::dense::Dense;
use super::flat::FlatLayout;
use super::scratch::with_zeros;
use super::taps::Lanes;

/// Pairs of an input and an output channel at most.
const PAIRS: usize = 512;
/// Output channels of a task.
const OUTPUTS: usize = 4;

/// Computes the gradient, `[outputs, channels, taps]`, or returns `None` where the convolution is none of
/// this kind.
pub(crate) fn weight_gradient(sizes: &Dense, input: &[f32], gradient: &[f32]) -> Option<Vec<f32>> {
    if sizes.groups != 1 || sizes.channels * sizes.outputs > PAIRS {
        return None;
    }
    let layout = FlatLayout::new(&sizes.geometry, sizes.input, sizes.output)?;
    let taps = sizes.geometry.kernel[0] * sizes.geometry.kernel[1];
    let arch = Arch::new();
    // Blocks of output channels, and an input channel.
    let blocks = sizes.outputs.div_ceil(OUTPUTS);
    let parts: Vec<Vec<f32>> = (0..blocks * sizes.channels)
        .into_par_iter()
        .map(|task| {
            let first = task / sizes.channels * OUTPUTS;
            with_zeros(layout.length() + layout.padded(), |scratch| {
                let (buffer, padded) = scratch.split_at_mut(layout.length());
                arch.dispatch(Block {
                    sizes,
                    layout: &layout,
                    taps,
                    channel: task % sizes.channels,
                    outputs: first..(first + OUTPUTS).min(sizes.outputs),
                    input,
                    gradient,
                    buffer,
                    padded,
                })
            })
        })
        .collect();
    let mut result = vec![0.0; sizes.outputs * sizes.channels * taps];
    for (task, part) in parts.iter().enumerate() {
        let (first, channel) = (task / sizes.channels * OUTPUTS, task % sizes.channels);
        for (output, sums) in (first..).zip(part.chunks_exact(taps)) {
            let start = (output * sizes.channels + channel) * taps;
            result[start..start + taps].copy_from_slice(sums);
        }
    }
    Some(result)
}

/// The task that computes the gradient of some outputs' filters of one input channel, `[outputs, taps]`.
struct Block<'a> {
    sizes: &'a Dense,
    layout: &'a FlatLayout,
    taps: usize,
    channel: usize,
    outputs: std::ops::Range<usize>,
    input: &'a [f32],
    gradient: &'a [f32],
    buffer: &'a mut [f32],
    padded: &'a mut [f32],
}

impl WithSimd for Block<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let sizes = self.sizes;
        let pixels = sizes.input[0] * sizes.input[1];
        let mut sums: Vec<Lanes> = vec![[0.0; MAX_LANES]; self.outputs.len() * self.taps];
        for image in 0..sizes.batch {
            let plane = image * sizes.channels + self.channel;
            let plane = &self.input[plane * pixels..][..pixels];
            self.layout.fill(simd, plane, self.buffer);
            for (output, sums) in self.outputs.clone().zip(sums.chunks_exact_mut(self.taps)) {
                let plane = image * sizes.outputs + output;
                let plane = &self.gradient[plane * pixels..][..pixels];
                self.layout.fill_padded(simd, plane, self.padded);
                self.layout.correlate(simd, self.buffer, self.padded, sums);
            }
        }
        sums.iter().map(|lanes| lanes.iter().sum()).collect()
    }
}
