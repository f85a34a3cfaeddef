//! Memory that is brought into the cache before it is needed.

use super::aligned::LINE;

/// Requests the cache lines of a slice.
#[inline(always)]
pub(super) fn prefetch(values: &[f32]) {
    for line in values.chunks(LINE) {
        prefetch_line(line.as_ptr().cast());
    }
}

/// Elements at the beginning of a plane that are requested while the one before it is used. The processor itself requests what
/// follows in a plane, but not the next plane of a channel, which lies elsewhere.
const BEGINNING: usize = 2048;

/// Requests the beginning of a plane that is to be read.
#[inline(always)]
pub(super) fn prefetch_plane(plane: &[f32]) {
    prefetch(&plane[..plane.len().min(BEGINNING)]);
}

/// Requests the beginning of a plane that is to be written.
#[inline(always)]
pub(super) fn prefetch_to_write(plane: *const f32, length: usize) {
    for index in (0..length.min(BEGINNING)).step_by(LINE) {
        prefetch_line_to_write(plane.wrapping_add(index).cast());
    }
}

/// Requests the cache line of an address to write to it, where the processor has an instruction for it.
#[inline(always)]
fn prefetch_line_to_write(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        // SAFETY: a hint, which may be given for any address, and which does nothing on processors that don't know it.
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Requests the cache line of an address, where the processor has an instruction for it.
#[inline(always)]
pub(super) fn prefetch_line(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint, which may be given for any address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
