//! Depthwise convolution of a strip, with trailing channels.

use std::ops::Range;
use std::sync::Arc;

use pulp::Simd;

use super::super::aligned::{Aligned, LINE};
use super::super::prefetch::prefetch_line;
use super::super::product::micro_kernel::{Rectify, rectify};
use super::super::vector::{load, store};
use super::epilogue::finish;
use super::pixels::{Segment, Sizes};
use crate::{Activation, Geometry, Padding2d};

/// The depthwise part of a separable convolution.
#[derive(Debug, Clone)]
pub(crate) struct Depthwise {
    /// `[taps, channels]`.
    weights: Arc<Aligned>,
    channels: usize,
    geometry: Geometry,
    /// Whether the input is rectified as it is read.
    relu: bool,
    /// The values that are added to the channels.
    bias: Vec<f32>,
    activation: Activation,
}

/// A row of the window on one output row: the input row, and the kernel's row.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Elements before the row's first pixel.
    start: usize,
    kernel_row: usize,
}

/// The input, and its width.
#[derive(Debug, Clone, Copy)]
struct Image<'a> {
    values: &'a [f32],
    width: usize,
}

impl Depthwise {
    /// Packs weights, `[channels, kernel height, kernel width]`.
    pub(crate) fn new(
        weight: &[f32],
        geometry: Geometry,
        channels: usize,
        relu: bool,
        bias: Option<Vec<f32>>,
        activation: Activation,
    ) -> Self {
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let mut weights = Aligned::zeros(taps * channels);
        for (channel, filter) in weight.chunks_exact(taps).enumerate() {
            for (tap, value) in filter.iter().enumerate() {
                weights.as_mut_slice()[tap * channels + channel] = *value;
            }
        }
        Self {
            weights: Arc::new(weights),
            channels,
            geometry,
            relu,
            bias: bias.unwrap_or_else(|| vec![0.0; channels]),
            activation,
        }
    }

    /// Changes the padding.
    pub(super) fn set_padding(&mut self, padding: Padding2d) {
        self.geometry.padding = padding;
    }

    /// Returns whether two convolutions have the same weights in the same memory.
    #[cfg(test)]
    pub(super) fn shares_weights_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.weights, &other.weights)
    }

    /// Returns the geometry.
    pub(super) fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Convolves these pixels of the output, of which each gets `channels` values in `to`, with the bias and the activation.
    #[inline(always)]
    pub(super) fn strip<S: Simd>(
        &self,
        simd: S,
        sizes: Sizes,
        input: &[f32],
        pixels: &Range<usize>,
        to: &mut [f32],
    ) {
        let rectify = match self.activation {
            Activation::None | Activation::Elu => Rectify::No,
            Activation::Relu => Rectify::Relu,
            Activation::Relu6 => Rectify::Relu6,
        };
        let ending = Ending {
            residual: None,
            rectify,
        };
        self.strip_with(simd, sizes, input, pixels, ending, to);
        if self.activation == Activation::Elu {
            for value in &mut to[..pixels.len() * self.channels] {
                *value = if *value < 0.0 { value.exp_m1() } else { *value };
            }
        }
    }

    /// Convolves these pixels of the output, with the bias and another ending.
    #[inline(always)]
    pub(super) fn strip_with<S: Simd>(
        &self,
        simd: S,
        sizes: Sizes,
        input: &[f32],
        pixels: &Range<usize>,
        ending: Ending,
        to: &mut [f32],
    ) {
        let mut first = pixels.start * self.channels;
        let mut to = &mut to[..pixels.len() * self.channels];
        for segment in sizes.segments(pixels.clone()) {
            let length = segment.columns.len() * self.channels;
            let (part, rest) = to.split_at_mut(length);
            let residual = ending.residual;
            let ending = Ending {
                residual: residual.map(|residual| &residual[first..][..length]),
                ..ending
            };
            match self.relu {
                true => self.segment::<S, true>(simd, sizes, input, &segment, ending, part),
                false => self.segment::<S, false>(simd, sizes, input, &segment, ending, part),
            }
            first += length;
            to = rest;
        }
    }

    /// Convolves pixels of one row of the output.
    #[inline(always)]
    fn segment<S: Simd, const RELU: bool>(
        &self,
        simd: S,
        sizes: Sizes,
        input: &[f32],
        segment: &Segment,
        ending: Ending,
        to: &mut [f32],
    ) {
        let Geometry {
            kernel,
            stride,
            dilation,
            padding,
        } = self.geometry;
        let [height, width] = sizes.input;
        let lines = (0..kernel[0]).filter_map(|i| {
            let y = (segment.row * stride[0] + i * dilation[0]).checked_sub(padding.top)?;
            (y < height).then_some(Line {
                start: (segment.image * height + y) * width * self.channels,
                kernel_row: i,
            })
        });
        let sliding = kernel == [3, 3] && stride[1] == 1 && dilation[1] == 1;
        // Fewer channels than a vector has are read and written by a mask, if they are half of it at least.
        if sliding && padding.left == 1 && 2 * self.channels >= S::F32_LANES {
            let mut found = [None; 3];
            for (found, line) in found.iter_mut().zip(lines) {
                *found = Some(line);
            }
            let columns = segment.columns.clone();
            let image = Image {
                values: input,
                width,
            };
            let line = const { LINE / S::F32_LANES };
            match (line, self.channels) {
                (2, LINE..) => {
                    self.rows::<S, RELU, 2, false>(simd, image, found, columns, ending, to)
                }
                (_, channels) if channels >= S::F32_LANES => {
                    self.rows::<S, RELU, 1, false>(simd, image, found, columns, ending, to)
                }
                _ => self.rows::<S, RELU, 1, true>(simd, image, found, columns, ending, to),
            }
            return;
        }
        for to in to.chunks_exact_mut(self.channels) {
            to.copy_from_slice(&self.bias);
        }
        for line in lines {
            for (column, to) in segment
                .columns
                .clone()
                .zip(to.chunks_exact_mut(self.channels))
            {
                for j in 0..kernel[1] {
                    let x = (column * stride[1] + j * dilation[1]).checked_sub(padding.left);
                    let Some(x) = x.filter(|&x| x < width) else {
                        continue;
                    };
                    let from = &input[line.start + x * self.channels..][..self.channels];
                    let tap = line.kernel_row * kernel[1] + j;
                    let weights = &self.weights.as_slice()[tap * self.channels..];
                    for ((to, &from), weight) in to.iter_mut().zip(from).zip(weights) {
                        let from = if RELU && from < 0.0 { 0.0 } else { from };
                        *to = weight.mul_add(from, *to);
                    }
                }
            }
        }
        finish(simd, ending.residual, ending.rectify, to);
    }

    /// Convolves with a window of 3x3 at stride 1, of which `found` are the rows that lie on the input; `V`
    /// vectors of channels at a time, or `PART` of one where there are fewer channels.
    #[inline(always)]
    fn rows<S: Simd, const RELU: bool, const V: usize, const PART: bool>(
        &self,
        simd: S,
        image: Image,
        found: [Option<Line>; 3],
        columns: Range<usize>,
        ending: Ending,
        to: &mut [f32],
    ) {
        match found {
            [Some(a), Some(b), Some(c)] => {
                self.slide::<S, RELU, 3, V, PART>(simd, image, [a, b, c], columns, ending, to)
            }
            [Some(a), Some(b), None] => {
                self.slide::<S, RELU, 2, V, PART>(simd, image, [a, b], columns, ending, to)
            }
            [Some(a), ..] => {
                self.slide::<S, RELU, 1, V, PART>(simd, image, [a], columns, ending, to)
            }
            _ => self.slide::<S, RELU, 0, V, PART>(simd, image, [], columns, ending, to),
        }
    }

    /// Convolves with `N` rows of the window. Each column of the input is read once, for the three windows that it is in.
    #[inline(always)]
    fn slide<S: Simd, const RELU: bool, const N: usize, const V: usize, const PART: bool>(
        &self,
        simd: S,
        image: Image,
        lines: [Line; N],
        columns: Range<usize>,
        ending: Ending,
        to: &mut [f32],
    ) {
        let channels = self.channels;
        let lanes = S::F32_LANES;
        let Image {
            values: input,
            width,
        } = image;
        let rows = lines.map(|line| &input[line.start..][..width * channels]);
        let weights = self.weights.as_slice();
        let zero = simd.splat_f32s(0.0);
        let mut channel = 0;
        loop {
            let mut taps = [[[zero; 3]; N]; V];
            for (v, taps) in taps.iter_mut().enumerate() {
                for (taps, line) in taps.iter_mut().zip(lines) {
                    for (j, weight) in taps.iter_mut().enumerate() {
                        let tap = (line.kernel_row * 3 + j) * channels + channel + v * lanes;
                        *weight = load_channels::<S, PART>(simd, &weights[tap..], channels);
                    }
                }
            }
            let starts: [S::f32s; V] = std::array::from_fn(
                #[inline(always)]
                |v| load_channels::<S, PART>(simd, &self.bias[channel + v * lanes..], channels),
            );
            // The sums of the window at hand and of the next one.
            let (mut sums, mut next) = (starts, starts);
            for v in 0..V {
                let channel = channel + v * lanes;
                let read = Read::<RELU, PART> { channels, channel };
                // With two or more columns of padding on the right a window's center may lie beyond
                // the row.
                let before = columns.start.checked_sub(1);
                if let Some(before) = before.filter(|&x| x < width) {
                    let values = read.column(simd, &rows, before);
                    sums[v] = add(simd, sums[v], &values, &taps[v], 0);
                }
                if columns.start < width {
                    let first = read.column(simd, &rows, columns.start);
                    sums[v] = add(simd, sums[v], &first, &taps[v], 1);
                    next[v] = add(simd, next[v], &first, &taps[v], 0);
                }
            }
            let pixels = columns.clone().zip(to.chunks_exact_mut(channels));
            for (index, (x, to)) in pixels.enumerate() {
                if let Some(line) = lines.last() {
                    // The row that the next row of the output reads besides.
                    let next = line.start + (width + x) * channels + channel;
                    prefetch_line(input.as_ptr().wrapping_add(next).cast());
                }
                for v in 0..V {
                    let channel = channel + v * lanes;
                    let mut after = starts[v];
                    if x + 1 < width {
                        let read = Read::<RELU, PART> { channels, channel };
                        let values = read.column(simd, &rows, x + 1);
                        sums[v] = add(simd, sums[v], &values, &taps[v], 2);
                        next[v] = add(simd, next[v], &values, &taps[v], 1);
                        after = add(simd, after, &values, &taps[v], 0);
                    }
                    let at = index * channels + channel;
                    let sum = ending.apply::<S, PART>(simd, sums[v], at, channels);
                    store_channels::<S, PART>(simd, &mut to[channel..], channels, sum);
                    (sums[v], next[v]) = (next[v], after);
                }
            }
            if PART || channel + V * lanes == channels {
                return;
            }
            // The last vectors may overlap those before.
            channel = (channel + V * lanes).min(channels - V * lanes);
        }
    }
}

/// What follows the sums.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending<'a> {
    /// What is added to them.
    pub(super) residual: Option<&'a [f32]>,
    pub(super) rectify: Rectify,
}

impl Ending<'_> {
    /// Finishes the sums of the elements from `first` on.
    #[inline(always)]
    fn apply<S: Simd, const PART: bool>(
        &self,
        simd: S,
        mut sums: S::f32s,
        first: usize,
        channels: usize,
    ) -> S::f32s {
        if let Some(residual) = self.residual {
            let residual = load_channels::<S, PART>(simd, &residual[first..], channels);
            sums = simd.add_f32s(sums, residual);
        }
        self.rectify.apply(simd, sums)
    }
}

/// A reader of one vector of a pixel's channels, or of `PART` of one, rectified if `RELU` is set.
struct Read<const RELU: bool, const PART: bool> {
    channels: usize,
    /// The vector's first channel.
    channel: usize,
}

impl<const RELU: bool, const PART: bool> Read<RELU, PART> {
    /// Reads a column, in each row.
    #[inline(always)]
    fn column<S: Simd, const N: usize>(
        &self,
        simd: S,
        rows: &[&[f32]; N],
        x: usize,
    ) -> [S::f32s; N] {
        let at = x * self.channels + self.channel;
        let mut values = [simd.splat_f32s(0.0); N];
        for (values, row) in values.iter_mut().zip(rows) {
            *values = load_channels::<S, PART>(simd, &row[at..], self.channels);
            if RELU {
                *values = rectify(simd, *values);
            }
        }
        values
    }
}

/// Reads a vector of channels from the start of a slice, or all channels if they are `PART` of a vector.
#[inline(always)]
fn load_channels<S: Simd, const PART: bool>(simd: S, values: &[f32], channels: usize) -> S::f32s {
    if !PART {
        return load::<S>(values);
    }
    let mask = simd.mask_between_m32s(0, channels as u32);
    // SAFETY: the mask selects the elements of the slice.
    unsafe { simd.mask_load_ptr_f32s(mask, values[..channels].as_ptr()) }
}

/// Writes a vector of channels to the start of a slice, or all channels if they are `PART` of a vector.
#[inline(always)]
fn store_channels<S: Simd, const PART: bool>(
    simd: S,
    to: &mut [f32],
    channels: usize,
    vector: S::f32s,
) {
    if !PART {
        return store::<S>(to, vector);
    }
    let mask = simd.mask_between_m32s(0, channels as u32);
    // SAFETY: the mask selects the elements of the slice.
    unsafe { simd.mask_store_ptr_f32s(mask, to[..channels].as_mut_ptr(), vector) };
}

/// Adds the products of a column with column `j` of the window.
#[inline(always)]
fn add<S: Simd, const N: usize>(
    simd: S,
    mut sum: S::f32s,
    values: &[S::f32s; N],
    taps: &[[S::f32s; 3]; N],
    j: usize,
) -> S::f32s {
    for (value, taps) in values.iter().zip(taps) {
        sum = simd.mul_add_e_f32s(taps[j], *value, sum);
    }
    sum
}
