//! Pools with channels last.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::output::{Unwritten, written_by};
use super::convolution::Input;
use super::pixels::{Sizes, Window};
use crate::Geometry;

/// Elements that a task should write at least.
const TASK: usize = 16_384;

/// What a pool makes of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolKind {
    /// The largest value; what is padded never wins, and NaN always.
    Maximum,
    /// The mean; zeros from the padding count or not.
    Mean {
        /// Whether they count.
        counts_padding: bool,
    },
}

/// A pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pool {
    pub(crate) arch: Arch,
    pub(crate) kind: PoolKind,
    pub(crate) geometry: Geometry,
    pub(crate) channels: usize,
}

impl Pool {
    /// Whether each window reaches the input.
    pub(crate) fn serves(geometry: &Geometry) -> bool {
        let padding = geometry.padding.pairs();
        let reaches = |axis: usize| {
            let (before, after) = padding[axis];
            before < geometry.kernel[axis] && after < geometry.kernel[axis]
        };
        geometry.dilation == [1, 1] && reaches(0) && reaches(1)
    }

    /// The output, `[batch, height, width, channels]`.
    pub(crate) fn forward(&self, input: Input, output: [usize; 2]) -> Vec<f32> {
        let sizes = Sizes {
            batch: input.batch,
            input: input.size,
            output,
        };
        assert!(input.values.len() == input.batch * input.size[0] * input.size[1] * self.channels);
        let pixels = (TASK / self.channels).max(1);
        let write = |output: &mut Unwritten| {
            let tasks = output.par_chunks_mut(pixels * self.channels).enumerate();
            tasks.for_each(|(index, output)| {
                let first = index * pixels;
                self.arch.dispatch(Task {
                    pool: self,
                    sizes,
                    input: input.values,
                    pixels: first..first + output.len() / self.channels,
                    output,
                });
            });
        };
        // SAFETY: the tasks are all pixels, and each writes all of its own.
        unsafe { written_by(sizes.pixels() * self.channels, write) }
    }
}

struct Task<'a> {
    pool: &'a Pool,
    sizes: Sizes,
    input: &'a [f32],
    pixels: Range<usize>,
    output: &'a mut Unwritten,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Pool {
            kind,
            geometry,
            channels,
            ..
        } = *self.pool;
        let window = Window {
            geometry,
            sizes: self.sizes,
        };
        let taps = window.taps();
        let mut found: Vec<&[f32]> = Vec::with_capacity(taps.len());
        for (pixel, output) in self.pixels.zip(self.output.chunks_exact_mut(channels)) {
            let origin = window.origin(pixel);
            found.clear();
            found.extend(taps.iter().filter_map(|tap| {
                let pixel = window.input(origin, tap)?;
                Some(&self.input[pixel * channels..][..channels])
            }));
            match kind {
                PoolKind::Maximum => reduce(simd, &found, output, 1.0, maximum),
                PoolKind::Mean { counts_padding } => {
                    let count = if counts_padding {
                        taps.len()
                    } else {
                        found.len()
                    };
                    let scale = 1.0 / count as f32;
                    reduce(simd, &found, output, scale, |simd, sum, x| {
                        simd.add_f32s(sum, x)
                    });
                }
            }
        }
    }
}

/// Combines the values of each channel, and multiplies the result by `scale`.
#[inline(always)]
fn reduce<S: Simd>(
    simd: S,
    values: &[&[f32]],
    output: &mut Unwritten,
    scale: f32,
    combine: impl Fn(S, S::f32s, S::f32s) -> S::f32s,
) {
    let Some((first, others)) = values.split_first() else {
        return;
    };
    let scale = simd.splat_f32s(scale);
    for (index, to) in output.chunks_mut(S::F32_LANES).enumerate() {
        let at = index * S::F32_LANES..index * S::F32_LANES + to.len();
        let start = simd.partial_load_f32s(&first[at.clone()]);
        let result = others.iter().fold(start, |result, values| {
            combine(simd, result, simd.partial_load_f32s(&values[at.clone()]))
        });
        let result = simd.mul_f32s(result, scale);
        // SAFETY: a store writes all of a slice and reads none of it.
        let to = unsafe { std::slice::from_raw_parts_mut(to.as_mut_ptr().cast(), to.len()) };
        simd.partial_store_f32s(to, result);
    }
}

/// The larger value; NaN where one is.
#[inline(always)]
fn maximum<S: Simd>(simd: S, best: S::f32s, x: S::f32s) -> S::f32s {
    // True where neither is NaN and `best` is larger, and where `best` is NaN.
    let stays = simd.greater_than_or_equal_f32s(best, x);
    let ordered = simd.equal_f32s(best, best);
    let larger = simd.select_f32s(stays, best, x);
    simd.select_f32s(ordered, larger, best)
}
