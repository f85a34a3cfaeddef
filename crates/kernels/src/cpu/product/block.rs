//! The inner loop: some pixels times a panel of weights, with everything that follows while the sums
//! are in registers.

use std::slice::{from_raw_parts, from_raw_parts_mut};

use pulp::Simd;

/// Pixels of a block at most.
pub(in crate::cpu) const ROWS: usize = 6;

/// A stretch of a block's sums: where the values of each pixel lie, and where the weights do.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Step {
    /// The values of each pixel; beyond the block's pixels unused.
    pub(in crate::cpu) rows: [*const f32; ROWS],
    /// The stretch's first row in a panel.
    pub(in crate::cpu) first: usize,
}

/// The sums of a block.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Sums<'a> {
    pub(in crate::cpu) steps: &'a [Step],
    /// Values of a pixel in a step.
    pub(in crate::cpu) length: usize,
    /// The weights, a row for each value.
    pub(in crate::cpu) panel: &'a [f32],
    /// What the sums start from, `[panel width]`.
    pub(in crate::cpu) bias: &'a [f32],
    /// What to bring into the cache meanwhile.
    pub(in crate::cpu) ahead: Ahead,
}

/// Weights that are needed next: while they come from memory, the block at hand is computed.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Ahead {
    /// The next one.
    next: *const u8,
    /// Bytes for each product.
    step: usize,
}

impl Ahead {
    /// Part `index` of `parts` of a panel; a part is fetched with `length` products.
    pub(in crate::cpu) fn new(panel: &[f32], index: usize, parts: usize, length: usize) -> Self {
        let step = size_of_val(panel).div_ceil(parts * length);
        Self {
            next: panel
                .as_ptr()
                .cast::<u8>()
                .wrapping_add(index * length * step),
            step,
        }
    }

    /// Nothing.
    pub(in crate::cpu) fn nothing() -> Self {
        Self {
            next: std::ptr::null(),
            step: 0,
        }
    }

    #[inline(always)]
    fn fetch(&mut self) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
            // SAFETY: a hint, which may be given for any address.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(self.next.cast()) };
        }
        self.next = self.next.wrapping_add(self.step);
    }
}

/// Where the results of a block go.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Target {
    /// The first pixel's first channel of the panel.
    pub(in crate::cpu) output: *mut f32,
    /// The same in what is added, or null.
    pub(in crate::cpu) residual: *const f32,
    /// Elements from a pixel to the next, in both.
    pub(in crate::cpu) pitch: usize,
    /// Channels of the panel that there are; the others are not written.
    pub(in crate::cpu) channels: usize,
    /// The activation of the results.
    pub(in crate::cpu) rectify: Rectify,
}

/// Computes a block of up to [`ROWS`] pixels with the first `N` vectors of a panel whose rows have `W`.
///
/// # Safety
///
/// Each step's first `pixels` rows must be valid for reads of `length` values, and the target for
/// `channels` values at each pixel, written by nobody else meanwhile.
#[inline(always)]
pub(in crate::cpu) unsafe fn block<S: Simd, const N: usize, const W: usize>(
    simd: S,
    pixels: usize,
    sums: Sums,
    target: Target,
) {
    // SAFETY: as the caller promises.
    unsafe {
        match pixels {
            1 => rows::<S, 1, N, W>(simd, sums, target),
            2 => rows::<S, 2, N, W>(simd, sums, target),
            3 => rows::<S, 3, N, W>(simd, sums, target),
            4 => rows::<S, 4, N, W>(simd, sums, target),
            5 => rows::<S, 5, N, W>(simd, sums, target),
            _ => rows::<S, ROWS, N, W>(simd, sums, target),
        }
    }
}

/// # Safety
///
/// As [`block`], for `M` pixels.
#[inline(always)]
unsafe fn rows<S: Simd, const M: usize, const N: usize, const W: usize>(
    simd: S,
    sums: Sums,
    target: Target,
) {
    let width = const { W * S::F32_LANES };
    assert!(N <= W && sums.bias.len() >= N * S::F32_LANES);
    let bias = sums.bias.as_ptr().cast::<S::f32s>();
    // SAFETY: the assertion above.
    let bias: [S::f32s; N] = std::array::from_fn(|n| unsafe { bias.add(n).read_unaligned() });
    let mut totals = [bias; M];
    let mut ahead = sums.ahead;
    for step in sums.steps {
        assert!(sums.panel.len() >= (step.first + sums.length) * width);
        // SAFETY: the step's rows of the panel lie in it, and each pixel has `length` values.
        unsafe {
            let weights = sums.panel.as_ptr().add(step.first * width);
            add_products::<S, M, N, W>(
                simd,
                step,
                sums.length,
                weights.cast(),
                &mut totals,
                &mut ahead,
            );
        }
    }
    for (m, total) in totals.into_iter().enumerate() {
        // SAFETY: the target has `channels` values at each of the block's pixels.
        unsafe {
            let at = m * target.pitch;
            let output = target.output.add(at);
            let residual = match target.residual.is_null() {
                true => None,
                false => Some(target.residual.add(at)),
            };
            match target.channels == N * S::F32_LANES {
                true => finish(simd, total, output, residual, target.rectify),
                false => finish_part(simd, total, output, residual, &target),
            }
        }
    }
}

/// Adds a step's products to the sums.
///
/// # Safety
///
/// The step's first `M` rows must be valid for `length` values, `weights` for as many rows of `W`
/// vectors.
#[inline(always)]
unsafe fn add_products<S: Simd, const M: usize, const N: usize, const W: usize>(
    simd: S,
    step: &Step,
    length: usize,
    mut weights: *const S::f32s,
    totals: &mut [[S::f32s; N]; M],
    ahead: &mut Ahead,
) {
    let pixels: [*const f32; M] = std::array::from_fn(|m| step.rows[m]);
    let mut sums = *totals;
    let mut fetch = *ahead;
    for k in 0..length {
        fetch.fetch();
        // SAFETY: `k` is below `length`, and `weights` has advanced by a row for each `k`.
        unsafe {
            let row: [S::f32s; N] = std::array::from_fn(|n| weights.add(n).read_unaligned());
            for (sums, pixel) in sums.iter_mut().zip(pixels) {
                let value = simd.splat_f32s(*pixel.add(k));
                for (sum, weight) in sums.iter_mut().zip(row) {
                    *sum = simd.mul_add_e_f32s(value, weight, *sum);
                }
            }
            weights = weights.add(W);
        }
    }
    *totals = sums;
    *ahead = fetch;
}

/// Adds the residual, rectifies and writes the sums of one pixel.
///
/// # Safety
///
/// `output` and `residual` must be valid for `N` vectors.
#[inline(always)]
unsafe fn finish<S: Simd, const N: usize>(
    simd: S,
    mut sums: [S::f32s; N],
    output: *mut f32,
    residual: Option<*const f32>,
    activation: Rectify,
) {
    if let Some(residual) = residual {
        for (n, sum) in sums.iter_mut().enumerate() {
            // SAFETY: as the caller promises.
            let residual = unsafe { residual.cast::<S::f32s>().add(n).read_unaligned() };
            *sum = simd.add_f32s(*sum, residual);
        }
    }
    if activation != Rectify::No {
        for sum in sums.iter_mut() {
            *sum = activation.apply(simd, *sum);
        }
    }
    for (n, sum) in sums.into_iter().enumerate() {
        // SAFETY: as the caller promises.
        unsafe { output.cast::<S::f32s>().add(n).write_unaligned(sum) };
    }
}

/// As [`finish`], where the panel has fewer channels than its vectors.
///
/// # Safety
///
/// `output` and `residual` must be valid for the target's channels.
#[inline(always)]
unsafe fn finish_part<S: Simd, const N: usize>(
    simd: S,
    sums: [S::f32s; N],
    output: *mut f32,
    residual: Option<*const f32>,
    target: &Target,
) {
    for (n, mut sum) in sums.into_iter().enumerate() {
        let first = n * S::F32_LANES;
        if first >= target.channels {
            return;
        }
        let count = (target.channels - first).min(S::F32_LANES);
        if let Some(residual) = residual {
            // SAFETY: as the caller promises.
            let residual = unsafe { from_raw_parts(residual.add(first), count) };
            sum = simd.add_f32s(sum, simd.partial_load_f32s(residual));
        }
        sum = target.rectify.apply(simd, sum);
        // SAFETY: as the caller promises; a store writes all of a slice and reads none of it.
        let output = unsafe { from_raw_parts_mut(output.add(first), count) };
        simd.partial_store_f32s(output, sum);
    }
}

/// An activation that is computed in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rectify {
    /// None.
    No,
    /// `max(0, x)`.
    Relu,
    /// `min(max(0, x), 6)`.
    Relu6,
}

impl Rectify {
    /// Applies the activation; NaN stays NaN.
    #[inline(always)]
    pub(in crate::cpu) fn apply<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        match self {
            Self::No => x,
            Self::Relu => rectify(simd, x),
            Self::Relu6 => {
                let six = simd.splat_f32s(6.0);
                let x = rectify(simd, x);
                simd.select_f32s(simd.greater_than_f32s(x, six), six, x)
            }
        }
    }
}

/// `max(0, x)`, NaN for NaN.
#[inline(always)]
pub(in crate::cpu) fn rectify<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_f32s(x, zero), zero, x)
}
