//! Memory that is brought into the cache before it is needed.

use super::aligned::LINE;

/// Requests the cache lines of a slice.
#[inline(always)]
pub(super) fn prefetch(values: &[f32]) {
    for line in values.chunks(LINE) {
        prefetch_line(line.as_ptr().cast());
    }
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
