//! The gradients of one channel.

use pulp::{Simd, WithSimd};

use super::super::activation::rectify_gradient;
use super::super::output::{Interleaved, Written, write_values};
use super::super::sums::pair_of_sums_of_pairs;
use super::{Affine, BatchNorm};

/// One channel of [`BatchNorm::backward`], which returns the gradients of gamma and beta.
pub(super) struct BackwardChannel<'a, 'o> {
    pub(super) sizes: &'a BatchNorm,
    pub(super) channel: usize,
    pub(super) input: &'a [f32],
    pub(super) gradient: &'a [f32],
    pub(super) affine: Affine,
    /// One by the deviation.
    pub(super) inverse: f32,
    pub(super) planes: Interleaved<'o>,
    pub(super) scratch: &'a mut [f32],
}

impl<'o> WithSimd for BackwardChannel<'_, 'o> {
    type Output = (Written<'o>, (f32, f32));

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Self::Output {
        let affine = self.affine;
        if self.sizes.relu {
            self.run::<S>(
                #[inline(always)]
                |x, dy| rectify_gradient(affine.of(x), dy),
            )
        } else {
            self.run::<S>(
                #[inline(always)]
                |_, dy| dy,
            )
        }
    }
}

impl<'o> BackwardChannel<'_, 'o> {
    /// Computes the channel; `of` returns the gradient that reaches the normalization, from an input and the
    /// output's gradient.
    #[inline(always)]
    fn run<S: Simd>(self, of: impl Fn(f32, f32) -> f32) -> (Written<'o>, (f32, f32)) {
        let Self {
            sizes,
            channel,
            input,
            gradient,
            affine,
            inverse,
            planes,
            scratch,
        } = self;
        if scratch.is_empty() {
            let pair = |plane| (sizes.plane(input, plane), sizes.plane(gradient, plane));
            let pairs = [input, gradient].map(
                #[inline(always)]
                |values| sizes.planes_from_memory(values, channel),
            );
            let [x, dy] = pairs;
            let slopes = Slopes::new(sizes, affine, inverse, x.zip(dy), &of);
            let mut of_channel = sizes.planes(channel).map(pair);
            let written = planes.write(
                #[inline(always)]
                |to| {
                    let (x, dy) = of_channel.next().unwrap_or_default();
                    let values = x.iter().zip(dy).map(
                        #[inline(always)]
                        |(&x, &dy)| slopes.of(affine, x, of(x, dy)),
                    );
                    write_values(to, values)
                },
            );
            return (written, slopes.sums);
        }
        let (x, dy) = scratch.split_at_mut(sizes.gathered());
        sizes.gather::<S>(input, channel, x);
        sizes.gather::<S>(gradient, channel, dy);
        let pairs = std::iter::once((&*x, &*dy));
        let slopes = Slopes::new(sizes, affine, inverse, pairs, &of);
        for (x, &dy) in x.iter_mut().zip(&*dy) {
            *x = slopes.of(affine, *x, of(*x, dy));
        }
        (sizes.scatter::<S>(x, planes), slopes.sums)
    }
}

/// The coefficients by which a channel's input gradient follows from that of its output.
pub(in crate::cpu) struct Slopes {
    /// The gradients of gamma and beta.
    sums: (f32, f32),
    mean_gradient: f32,
    slope: f32,
}

impl Slopes {
    #[inline(always)]
    fn new<'a>(
        sizes: &BatchNorm,
        affine: Affine,
        inverse: f32,
        pairs: impl Iterator<Item = (&'a [f32], &'a [f32])>,
        of: &impl Fn(f32, f32) -> f32,
    ) -> Self {
        let sums = pair_of_sums_of_pairs(
            pairs,
            #[inline(always)]
            |x, dy| {
                let dy = of(x, dy);
                [dy, dy * (x - affine.mean)]
            },
        );
        Self::of_sums(sizes, inverse, sums)
    }

    /// Returns the coefficients from the sums of the gradients that reach the normalization, and of their products with
    /// the inputs' distances from the mean.
    pub(in crate::cpu) fn of_sums(
        sizes: &BatchNorm,
        inverse: f32,
        [beta, gamma]: [f64; 2],
    ) -> Self {
        let gamma = gamma * f64::from(inverse);
        Self {
            sums: (gamma as f32, beta as f32),
            mean_gradient: (beta / sizes.samples()) as f32,
            slope: (gamma / sizes.samples()) as f32 * inverse,
        }
    }

    /// Returns the gradients of gamma and beta.
    pub(in crate::cpu) fn sums(&self) -> (f32, f32) {
        self.sums
    }

    /// Returns the gradient of an input from the one that reaches the normalization.
    #[inline(always)]
    pub(in crate::cpu) fn of(&self, affine: Affine, x: f32, dy: f32) -> f32 {
        let centered = dy - self.mean_gradient;
        affine.scale * (centered - (x - affine.mean) * self.slope)
    }
}
