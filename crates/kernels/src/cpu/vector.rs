//! Vectors in memory: the first elements of a slice, which must have that many.

use std::mem::MaybeUninit;

use pulp::Simd;

use super::output::Unwritten;

/// Reads a vector from the start of a slice.
#[inline(always)]
pub(super) fn load<S: Simd>(values: &[f32]) -> S::f32s {
    S::as_simd_f32s(&values[..S::F32_LANES]).0[0]
}

/// Reads a vector of integers from the start of a slice.
#[inline(always)]
pub(super) fn load_integers<S: Simd>(values: &[u32]) -> S::u32s {
    S::as_simd_u32s(&values[..S::U32_LANES]).0[0]
}

/// Writes a vector to the start of a slice.
#[inline(always)]
pub(super) fn store<S: Simd>(to: &mut [f32], vector: S::f32s) {
    S::as_mut_simd_f32s(&mut to[..S::F32_LANES]).0[0] = vector;
}

/// Writes a vector of integers to the start of a slice.
#[inline(always)]
pub(super) fn store_integers<S: Simd>(to: &mut [u32], vector: S::u32s) {
    S::as_mut_simd_u32s(&mut to[..S::U32_LANES]).0[0] = vector;
}

/// Writes a vector to the start of unwritten memory.
#[inline(always)]
pub(super) fn write<S: Simd>(to: &mut Unwritten, vector: S::f32s) {
    S::as_uninit_mut_simd_f32s(&mut to[..S::F32_LANES]).0[0] = MaybeUninit::new(vector);
}

/// Writes the first elements of a vector to unwritten memory, as many as it has.
///
/// # Panics
///
/// If it has more elements than a vector.
#[inline(always)]
pub(super) fn write_first<S: Simd>(simd: S, to: &mut Unwritten, vector: S::f32s) -> &mut [f32] {
    assert!(to.len() <= S::F32_LANES);
    let mask = simd.mask_between_m32s(0, to.len() as u32);
    // SAFETY: the mask selects the elements of the slice, which are all written.
    unsafe {
        simd.mask_store_ptr_f32s(mask, to.as_mut_ptr().cast(), vector);
        to.assume_init_mut()
    }
}
