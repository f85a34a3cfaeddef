//! Copies of planes that may be shorter than a vector, where a call to `memcpy` would cost more.

use std::mem::MaybeUninit;

use pulp::Simd;

use super::output::Unwritten;

/// Copies a plane in whole vectors, the last of which overlaps the one before.
#[inline(always)]
pub(super) fn copy<S: Simd>(from: &[f32], to: &mut [f32]) {
    // SAFETY: an initialized value is a valid `MaybeUninit`, and `write` writes none that isn't.
    let to = unsafe { std::slice::from_raw_parts_mut(to.as_mut_ptr().cast(), to.len()) };
    write::<S>(from, to);
}

/// As [`copy`], to memory that is not written yet.
#[inline(always)]
pub(super) fn write<S: Simd>(from: &[f32], to: &mut Unwritten) {
    let (lanes, length) = (S::F32_LANES, from.len());
    assert_eq!(length, to.len());
    if length < lanes {
        for (to, from) in to.iter_mut().zip(from) {
            *to = MaybeUninit::new(*from);
        }
        return;
    }
    let mut vector = |i: usize| {
        let (from, to) = (&from[i..i + lanes], &mut to[i..i + lanes]);
        let to = to.as_mut_ptr().cast::<S::f32s>();
        // SAFETY: both slices have a vector.
        unsafe { to.write_unaligned(from.as_ptr().cast::<S::f32s>().read_unaligned()) };
    };
    let mut i = 0;
    while i + lanes <= length {
        vector(i);
        i += lanes;
    }
    if i < length {
        vector(length - lanes);
    }
}

/// Copies a few values, without a call.
#[inline(always)]
pub(super) fn few(from: &[f32], to: &mut [f32]) {
    let (chunks, rest) = from.as_chunks::<4>();
    let (to_chunks, to_rest) = to.as_chunks_mut::<4>();
    for (to, from) in to_chunks.iter_mut().zip(chunks) {
        *to = *from;
    }
    for (to, from) in to_rest.iter_mut().zip(rest) {
        *to = *from;
    }
}
