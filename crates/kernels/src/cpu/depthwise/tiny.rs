//! The convolutions of planes so small that vectors along their rows are mostly border: here the lanes of a vector are
//! the planes of consecutive channels, which lie one after the other in memory.
//!
//! Some planes are transposed, so that each pixel is a vector of them; a tap is then a vector of weights, and taps beyond
//! the border are left out, without masks or padding. The results are transposed back.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::MAX_LANES;
use super::super::output::{Unwritten, write_parts, written_in_parts};
use super::super::product::{transpose, transpose_to};
use super::super::scratch::Scratch;
use super::super::vector::{load, store};
use super::{Depthwise, TASK};
use crate::Geometry;

/// The most rows and columns of a plane: larger ones gain nothing, and the sums of a row of pixels stay in registers.
const SIDE: usize = 8;
/// Taps of the one kernel that this serves, 3x3.
const TAPS: usize = 9;

impl Depthwise {
    /// Returns whether the convolution is one of tiny planes: 3x3 at stride 1 with an output as large as its input.
    pub(super) fn has_tiny_planes(&self) -> bool {
        self.multiplier == 1
            && self.geometry == Geometry::same(3)
            && self.input[0].max(self.input[1]) <= SIDE
    }

    /// Computes the output, or the input's gradient if the taps are in reverse.
    pub(super) fn tiny_forward(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        reverse: bool,
    ) -> Vec<f32> {
        let (plane, count) = (self.input_plane(), self.batch * self.channels);
        let weights = LaneWeights::new(self.channels, weight, bias, reverse);
        // Whole groups of planes, so that only the last group has fewer than a vector has lanes.
        let planes = (TASK / plane).next_multiple_of(MAX_LANES);
        let arch = Arch::new();
        let tasks = (0..count.div_ceil(planes)).into_par_iter();
        written_in_parts(count * plane, planes * plane, tasks, |task, output| {
            arch.dispatch(Forward {
                sizes: self,
                weights: &weights,
                first: task * planes,
                input,
                output,
            })
        })
    }

    /// Computes the gradient of the weight.
    pub(super) fn tiny_weight_gradient(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        let arch = Arch::new();
        let mut result = vec![0.0; self.channels * TAPS];
        let groups = result.par_chunks_mut(MAX_LANES * TAPS).enumerate();
        let at_least = TASK / (self.batch * self.input_plane() * MAX_LANES);
        groups
            .with_min_len(at_least.max(1))
            .for_each(|(group, result)| {
                arch.dispatch(WeightGradient {
                    sizes: self,
                    channel: group * MAX_LANES,
                    input,
                    gradient,
                    result,
                });
            });
        result
    }
}

/// Filters and biases as vectors of consecutive channels, beginning with any of them.
struct LaneWeights {
    /// The channels, and as many more as a vector has lanes, counted from the first again.
    length: usize,
    /// The weights of each tap, then the biases.
    values: Vec<f32>,
}

impl LaneWeights {
    fn new(channels: usize, weight: &[f32], bias: Option<&[f32]>, reverse: bool) -> Self {
        let length = channels + MAX_LANES;
        let mut values = Vec::with_capacity((TAPS + 1) * length);
        for tap in 0..TAPS {
            let tap = if reverse { TAPS - 1 - tap } else { tap };
            values.extend((0..length).map(|lane| weight[lane % channels * TAPS + tap]));
        }
        values.extend((0..length).map(|lane| bias.map_or(0.0, |bias| bias[lane % channels])));
        Self { length, values }
    }

    /// Returns the weights of a tap, or with `TAPS` the biases, from a channel on.
    #[inline(always)]
    fn of<S: Simd>(&self, tap: usize, channel: usize) -> S::f32s {
        load::<S>(&self.values[tap * self.length + channel..])
    }
}

/// One task of [`Depthwise::tiny_forward`]: some output planes.
struct Forward<'a, 'o> {
    sizes: &'a Depthwise,
    weights: &'a LaneWeights,
    /// The first plane.
    first: usize,
    input: &'a [f32],
    output: &'o mut Unwritten,
}

impl<'o> WithSimd for Forward<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        match self.sizes.input[1] {
            1 => self.planes::<S, 1>(simd),
            2 => self.planes::<S, 2>(simd),
            3 => self.planes::<S, 3>(simd),
            4 => self.planes::<S, 4>(simd),
            5 => self.planes::<S, 5>(simd),
            6 => self.planes::<S, 6>(simd),
            7 => self.planes::<S, 7>(simd),
            _ => self.planes::<S, SIDE>(simd),
        }
    }
}

impl<'o> Forward<'_, 'o> {
    /// Writes planes of `N` columns.
    #[inline(always)]
    fn planes<S: Simd, const N: usize>(self, simd: S) -> &'o mut [f32] {
        let Self {
            sizes,
            weights,
            first,
            input,
            output,
        } = self;
        let (lanes, pixels) = (S::F32_LANES, sizes.input_plane());
        let mut scratch = Scratch::new(2 * pixels * lanes);
        let (from, to) = scratch.split_at_mut(pixels * lanes);
        write_parts(
            output,
            lanes * pixels,
            #[inline(always)]
            |group, output| {
                let first = first + group * lanes;
                let planes = output.len() / pixels;
                let input = &input[first * pixels..][..output.len()];
                transpose(input, pixels, [planes, pixels], from, lanes);
                let channel = first % sizes.channels;
                let rows = to.chunks_exact_mut(N * lanes).enumerate();
                for (row, to) in rows.take(sizes.input[0]) {
                    weights.convolve_row::<S, N>(simd, from, row, channel, to);
                }
                transpose_to(to, lanes, [pixels, planes], output)
            },
        )
    }
}

impl LaneWeights {
    /// Computes a row of `N` pixels of some planes from their transposed input.
    #[inline(always)]
    fn convolve_row<S: Simd, const N: usize>(
        &self,
        simd: S,
        from: &[f32],
        row: usize,
        channel: usize,
        to: &mut [f32],
    ) {
        let mut sums = [self.of::<S>(TAPS, channel); N];
        let rows = from.chunks_exact(N * S::F32_LANES);
        // The kernel's rows that lie on the plane, with the rows of the input that they meet.
        let skipped = 1 - row.min(1);
        for (i, from) in (skipped..3).zip(rows.skip((row + skipped) - 1)) {
            let pixels: [S::f32s; N] = std::array::from_fn(
                #[inline(always)]
                |n| load::<S>(&from[n * S::F32_LANES..]),
            );
            let weights: [S::f32s; 3] = std::array::from_fn(
                #[inline(always)]
                |j| self.of::<S>(3 * i + j, channel),
            );
            for n in 0..N {
                if n > 0 {
                    sums[n] = simd.mul_add_e_f32s(weights[0], pixels[n - 1], sums[n]);
                }
                sums[n] = simd.mul_add_e_f32s(weights[1], pixels[n], sums[n]);
                if n + 1 < N {
                    sums[n] = simd.mul_add_e_f32s(weights[2], pixels[n + 1], sums[n]);
                }
            }
        }
        for (n, sum) in sums.into_iter().enumerate() {
            store::<S>(&mut to[n * S::F32_LANES..], sum);
        }
    }
}

/// One task of [`Depthwise::tiny_weight_gradient`]: the filters of at most [`MAX_LANES`] channels.
struct WeightGradient<'a> {
    sizes: &'a Depthwise,
    /// The first channel.
    channel: usize,
    input: &'a [f32],
    gradient: &'a [f32],
    result: &'a mut [f32],
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (lanes, pixels) = (S::F32_LANES, self.sizes.input_plane());
        let [height, width] = self.sizes.input;
        let mut scratch = Scratch::new(2 * pixels * lanes + TAPS * lanes);
        let (from, rest) = scratch.split_at_mut(pixels * lanes);
        let (of_output, filters) = rest.split_at_mut(pixels * lanes);
        for (group, result) in self.result.chunks_mut(lanes * TAPS).enumerate() {
            let channels = result.len() / TAPS;
            let first = self.channel + group * lanes;
            let mut sums = [simd.splat_f32s(0.0); TAPS];
            for image in 0..self.sizes.batch {
                let plane = (image * self.sizes.channels + first) * pixels;
                let size = [channels, pixels];
                transpose(&self.input[plane..], pixels, size, from, lanes);
                transpose(&self.gradient[plane..], pixels, size, of_output, lanes);
                for y in 0..height {
                    let rows = [y > 0, true, y + 1 < height];
                    let at = y * width * lanes;
                    let (from, of_output) = (&*from, &of_output[at..][..width * lanes]);
                    match width {
                        1 => pixel::<S, false, false>(
                            simd, from, of_output, at, width, rows, &mut sums,
                        ),
                        _ => {
                            pixel::<S, false, true>(
                                simd, from, of_output, at, width, rows, &mut sums,
                            );
                            for x in 1..width - 1 {
                                let of_output = &of_output[x * lanes..];
                                let at = at + x * lanes;
                                pixel::<S, true, true>(
                                    simd, from, of_output, at, width, rows, &mut sums,
                                );
                            }
                            let x = (width - 1) * lanes;
                            let of_output = &of_output[x..];
                            pixel::<S, true, false>(
                                simd,
                                from,
                                of_output,
                                at + x,
                                width,
                                rows,
                                &mut sums,
                            );
                        }
                    }
                }
            }
            for (tap, sum) in sums.into_iter().enumerate() {
                store::<S>(&mut filters[tap * lanes..], sum);
            }
            transpose(filters, lanes, [TAPS, channels], result, TAPS);
        }
    }
}

/// Adds what one pixel of the output's gradient gives to the taps; `at` is the pixel's index in the transposed planes, and
/// `rows` says which rows of the kernel lie on the plane.
#[inline(always)]
fn pixel<S: Simd, const LEFT: bool, const RIGHT: bool>(
    simd: S,
    from: &[f32],
    of_output: &[f32],
    at: usize,
    width: usize,
    rows: [bool; 3],
    sums: &mut [S::f32s; TAPS],
) {
    let lanes = S::F32_LANES;
    let gradient = load::<S>(of_output);
    for i in 0..3 {
        if !rows[i] {
            continue;
        }
        let at = at + i * width * lanes - width * lanes;
        if LEFT {
            sums[3 * i] =
                simd.mul_add_e_f32s(load::<S>(&from[at - lanes..]), gradient, sums[3 * i]);
        }
        sums[3 * i + 1] = simd.mul_add_e_f32s(load::<S>(&from[at..]), gradient, sums[3 * i + 1]);
        if RIGHT {
            sums[3 * i + 2] =
                simd.mul_add_e_f32s(load::<S>(&from[at + lanes..]), gradient, sums[3 * i + 2]);
        }
    }
}
