//! Pools of tensors with trailing channels.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::output::{Unwritten, write_parts, write_values, written_in_parts};
use super::super::vector::write_first;
use super::convolution::Input;
use super::pixels::{Sizes, Window};
use crate::Geometry;

/// Elements that a task should write at least.
const TASK: usize = 16_384;

/// The value that a pool computes from a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolKind {
    /// The largest value. Padding never is; a NaN is.
    Maximum,
    /// The mean.
    Mean {
        /// Whether the padding's zeros count as values.
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
    /// Returns whether each window reaches the input.
    pub(crate) fn serves(geometry: &Geometry) -> bool {
        let padding = geometry.padding.pairs();
        let reaches = |axis: usize| {
            let (before, after) = padding[axis];
            before < geometry.kernel[axis] && after < geometry.kernel[axis]
        };
        geometry.dilation == [1, 1] && reaches(0) && reaches(1)
    }

    /// Computes the output, `[batch, height, width, channels]`.
    pub(crate) fn forward(&self, input: Input, output: [usize; 2]) -> Vec<f32> {
        let sizes = Sizes {
            batch: input.batch,
            input: input.size,
            output,
        };
        assert!(input.values.len() == input.batch * input.size[0] * input.size[1] * self.channels);
        let pixels = (TASK / self.channels).max(1);
        let count = sizes.pixels();
        let tasks = (0..count.div_ceil(pixels)).into_par_iter();
        let (length, part) = (count * self.channels, pixels * self.channels);
        written_in_parts(length, part, tasks, |index, output| {
            self.arch.dispatch(Task {
                pool: self,
                sizes,
                input: input.values,
                first: index * pixels,
                output,
            })
        })
    }
}

/// Some pixels of the output.
struct Task<'a, 'o> {
    pool: &'a Pool,
    sizes: Sizes,
    input: &'a [f32],
    /// The first pixel.
    first: usize,
    output: &'o mut Unwritten,
}

impl<'o> WithSimd for Task<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
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
        write_parts(
            self.output,
            channels,
            #[inline(always)]
            |index, output| {
                let origin = window.origin(window.sizes.pixel(self.first + index));
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
                        reduce(
                            simd,
                            &found,
                            output,
                            scale,
                            #[inline(always)]
                            |simd, sum, x| simd.add_f32s(sum, x),
                        )
                    }
                }
            },
        )
    }
}

/// Combines the values of each channel, and multiplies the result by `scale`.
#[inline(always)]
fn reduce<'a, S: Simd>(
    simd: S,
    values: &[&[f32]],
    output: &'a mut Unwritten,
    scale: f32,
    combine: impl Fn(S, S::f32s, S::f32s) -> S::f32s,
) -> &'a mut [f32] {
    let Some((first, others)) = values.split_first() else {
        return write_values(output, std::iter::repeat(0.0)); // no window is like this, see `serves`
    };
    let scale = simd.splat_f32s(scale);
    write_parts(
        output,
        S::F32_LANES,
        #[inline(always)]
        |index, to| {
            let at = index * S::F32_LANES..index * S::F32_LANES + to.len();
            let mut result = simd.partial_load_f32s(&first[at.clone()]);
            for values in others {
                result = combine(simd, result, simd.partial_load_f32s(&values[at.clone()]));
            }
            write_first(simd, to, simd.mul_f32s(result, scale))
        },
    )
}

/// Returns the larger value, or NaN where one is.
#[inline(always)]
fn maximum<S: Simd>(simd: S, best: S::f32s, x: S::f32s) -> S::f32s {
    // True where neither is NaN and `best` is larger, and where `best` is NaN.
    let stays = simd.greater_than_or_equal_f32s(best, x);
    let ordered = simd.equal_f32s(best, best);
    let larger = simd.select_f32s(stays, best, x);
    simd.select_f32s(ordered, larger, best)
}
