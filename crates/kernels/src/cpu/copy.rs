//! Copies of planes that may be shorter than a vector, where a call to `memcpy` would cost more.

use std::mem::MaybeUninit;

use pulp::Simd;

use super::output::Unwritten;
use super::vector;

/// Copies a plane to a slice of the same length in whole vectors, the last of which overlaps the one
/// before.
#[inline(always)]
pub(super) fn copy<S: Simd>(from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), to.len());
    if from.len() < S::F32_LANES {
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
        return;
    }
    each_vector::<S>(
        from.len(),
        #[inline(always)]
        |i| vector::store::<S>(&mut to[i..], vector::load::<S>(&from[i..])),
    );
}

/// Copies a plane as [`copy`] does, to memory that is not written yet.
#[inline(always)]
pub(super) fn write<'a, S: Simd>(from: &[f32], to: &'a mut Unwritten) -> &'a mut [f32] {
    assert_eq!(from.len(), to.len());
    if from.len() < S::F32_LANES {
        return super::output::write_values(to, from.iter().copied());
    }
    each_vector::<S>(
        from.len(),
        #[inline(always)]
        |i| vector::write::<S>(&mut to[i..], vector::load::<S>(&from[i..])),
    );
    // SAFETY: the vectors cover all elements.
    unsafe { to.assume_init_mut() }
}

/// Calls `visit` with the start of each vector of at least one vector's elements; the last one overlaps
/// the one before where the length is no multiple of a vector's.
#[inline(always)]
fn each_vector<S: Simd>(length: usize, mut visit: impl FnMut(usize)) {
    let lanes = S::F32_LANES;
    let mut i = 0;
    while i + lanes <= length {
        visit(i);
        i += lanes;
    }
    if i < length {
        visit(length - lanes);
    }
}

/// Copies a few values, without a call.
#[inline(always)]
pub(super) fn copy_few(from: &[f32], to: &mut [f32]) {
    few(from, to, |value| value);
}

/// Copies a few values as [`copy_few`] does, to memory that is not written yet.
#[inline(always)]
pub(super) fn write_few(from: &[f32], to: &mut Unwritten) {
    few(from, to, MaybeUninit::new);
}

#[inline(always)]
fn few<T>(from: &[f32], to: &mut [T], element: impl Fn(f32) -> T + Copy) {
    let (chunks, rest) = from.as_chunks::<4>();
    let (to_chunks, to_rest) = to.as_chunks_mut::<4>();
    for (to, from) in to_chunks.iter_mut().zip(chunks) {
        *to = from.map(element);
    }
    for (to, from) in to_rest.iter_mut().zip(rest) {
        *to = element(*from);
    }
}
