//! The inner loops of depthwise convolution, on planes laid out so that each tap of the kernel is one
//! distance in memory; see [`PlaneLayout`](super::plane::PlaneLayout).

use pulp::Simd;

use super::MAX_LANES;
use super::vector::{load, store};

/// Vectors computed side by side, to hide the latency of multiply-add.
const BLOCK: usize = 4;
/// The number of taps with a loop of its own: 3x3.
const NINE: usize = 9;

/// One tap of a kernel: the distance from the window's origin, and the weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tap {
    pub(super) distance: usize,
    pub(super) weight: f32,
}

/// The start of a sum of taps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Start {
    /// This value.
    Value(f32),
    /// The value that is in the output.
    Output,
}

/// Writes `output[i] = start + sum over taps of tap.weight * input[tap.distance + i]` for `i` below
/// `length`, and unspecified values up to the next multiple of [`MAX_LANES`].
#[inline(always)]
pub(super) fn gather<S: Simd>(
    simd: S,
    input: &[f32],
    taps: &[Tap],
    output: &mut [f32],
    length: usize,
    start: Start,
) {
    let end = length.next_multiple_of(MAX_LANES);
    let reach = taps.iter().map(|tap| tap.distance).max().unwrap_or(0);
    assert!(output.len() >= end && input.len() >= reach + end);
    let (input, output) = (input.as_ptr(), output.as_mut_ptr());
    // SAFETY: the loops access `output[i]` and `input[distance + i]` for `i` below `end`, in whole
    // vectors, which divide `end`; the assertion above keeps both in their slices.
    unsafe {
        match <&[Tap; NINE]>::try_from(taps) {
            Ok(taps) => gather_all(simd, input, taps, output, end, start),
            Err(_) => gather_all(simd, input, taps, output, end, start),
        }
    }
}

/// Gathers in blocks of vectors.
///
/// # Safety
///
/// `output` and `input`, the latter from each tap's distance on, must be valid for `end` values, and
/// `end` a multiple of [`MAX_LANES`].
#[inline(always)]
unsafe fn gather_all<'a, S: Simd>(
    simd: S,
    input: *const f32,
    taps: impl IntoIterator<Item = &'a Tap> + Copy,
    output: *mut f32,
    end: usize,
    start: Start,
) {
    let mut i = 0;
    // SAFETY: `i + BLOCK * lanes <= end` and `i + lanes <= end` hold where they are used.
    unsafe {
        while i + BLOCK * S::F32_LANES <= end {
            gather_block::<S, BLOCK>(simd, input.add(i), taps, output.add(i), start);
            i += BLOCK * S::F32_LANES;
        }
        while i < end {
            gather_block::<S, 1>(simd, input.add(i), taps, output.add(i), start);
            i += S::F32_LANES;
        }
    }
}

/// Gathers `N` vectors.
///
/// # Safety
///
/// `output` and `input`, the latter from each tap's distance on, must be valid for `N` vectors.
#[inline(always)]
unsafe fn gather_block<'a, S: Simd, const N: usize>(
    simd: S,
    input: *const f32,
    taps: impl IntoIterator<Item = &'a Tap>,
    output: *mut f32,
    start: Start,
) {
    let output = output.cast::<S::f32s>();
    let mut sums = [simd.splat_f32s(0.0); N];
    // SAFETY: as the caller promises, `output` and `input`, from each distance on, have `N` vectors.
    unsafe {
        for (n, sum) in sums.iter_mut().enumerate() {
            *sum = match start {
                Start::Value(value) => simd.splat_f32s(value),
                Start::Output => output.add(n).read_unaligned(),
            };
        }
        for tap in taps {
            let weight = simd.splat_f32s(tap.weight);
            let vectors = input.add(tap.distance).cast::<S::f32s>();
            for (n, sum) in sums.iter_mut().enumerate() {
                *sum = simd.mul_add_e_f32s(weight, vectors.add(n).read_unaligned(), *sum);
            }
        }
        for (n, sum) in sums.into_iter().enumerate() {
            output.add(n).write_unaligned(sum);
        }
    }
}

/// Partial sums of one tap's gradient, one a lane.
pub(super) type Lanes = [f32; MAX_LANES];

/// Adds `input[distances[t] + i] * gradient[i]`, for `i` below `length`, to the lanes of each tap `t`.
///
/// `gradient` must be zero from `length` to the next multiple of [`MAX_LANES`].
#[inline(always)]
pub(super) fn correlate<S: Simd>(
    simd: S,
    input: &[f32],
    distances: &[usize],
    gradient: &[f32],
    length: usize,
    sums: &mut [Lanes],
) {
    let end = length.next_multiple_of(MAX_LANES);
    let reach = distances.iter().copied().max().unwrap_or(0);
    assert!(gradient.len() >= end && input.len() >= reach + end && sums.len() == distances.len());
    let (nines, rest) = distances.as_chunks::<NINE>();
    let (nine_sums, rest_sums) = sums.as_chunks_mut::<NINE>();
    let (input, gradient) = (input.as_ptr(), gradient.as_ptr());
    // SAFETY: `gradient[i]` and `input[distance + i]` are read for `i` below `end`, in whole vectors,
    // which divide `end`; the assertion above keeps both in their slices.
    unsafe {
        for (distances, sums) in nines.iter().zip(nine_sums) {
            correlate_some(simd, input, distances, gradient, end, sums);
        }
        for (&distance, sums) in rest.iter().zip(rest_sums) {
            let sums = std::array::from_mut(sums);
            correlate_some(simd, input, &[distance], gradient, end, sums);
        }
    }
}

/// Correlates some taps at a time, whose sums stay in registers.
///
/// # Safety
///
/// `gradient` and `input`, the latter from each distance on, must be valid for `end` values, and
/// `end` a multiple of [`MAX_LANES`].
#[inline(always)]
unsafe fn correlate_some<S: Simd, const TAPS: usize>(
    simd: S,
    input: *const f32,
    distances: &[usize; TAPS],
    gradient: *const f32,
    end: usize,
    lanes: &mut [Lanes; TAPS],
) {
    let mut sums = [simd.splat_f32s(0.0); TAPS];
    for (sum, lanes) in sums.iter_mut().zip(lanes.iter()) {
        *sum = load::<S>(lanes);
    }
    let mut i = 0;
    while i < end {
        // SAFETY: `i + lanes <= end`, for which the caller promises gradients and inputs.
        unsafe {
            let gradient = gradient.add(i).cast::<S::f32s>().read_unaligned();
            for (sum, &distance) in sums.iter_mut().zip(distances) {
                let values = input.add(distance + i).cast::<S::f32s>().read_unaligned();
                *sum = simd.mul_add_e_f32s(values, gradient, *sum);
            }
        }
        i += S::F32_LANES;
    }
    for (sum, lanes) in sums.into_iter().zip(lanes) {
        store::<S>(lanes, sum);
    }
}
