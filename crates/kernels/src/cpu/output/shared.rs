//! Results whose elements are written by several tasks at once.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::super::prefetch::prefetch_line;
use super::Unwritten;

/// A result that several tasks write at the same time, each its own elements.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct SharedOutput<'a> {
    pub(super) start: *mut MaybeUninit<f32>,
    length: usize,
    result: PhantomData<&'a mut Unwritten>,
}

// SAFETY: what is written or read through the pointer, is so by callers of `slice` and of unsafe
// functions that take a pointer, who keep tasks apart; `f32` can be written from any thread.
unsafe impl Send for SharedOutput<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedOutput<'_> {}

impl<'a> SharedOutput<'a> {
    /// Requests the cache line of an element.
    #[inline(always)]
    pub(in crate::cpu) fn prefetch(&self, index: usize) {
        prefetch_line(self.start.wrapping_add(index).cast());
    }

    /// Shares memory that is not written yet.
    pub(in crate::cpu) fn new(output: &'a mut Unwritten) -> Self {
        Self {
            start: output.as_mut_ptr(),
            length: output.len(),
            result: PhantomData,
        }
    }

    /// Shares memory that has values, which are overwritten.
    pub(in crate::cpu) fn over(values: &'a mut [f32]) -> Self {
        Self {
            start: values.as_mut_ptr().cast(),
            length: values.len(),
            result: PhantomData,
        }
    }

    /// Returns the address of some elements.
    ///
    /// # Panics
    ///
    /// If they don't lie in the result.
    #[inline(always)]
    pub(in crate::cpu) fn pointer(self, first: usize, length: usize) -> *mut f32 {
        assert!(
            first <= self.length && length <= self.length - first,
            "elements in the result"
        );
        self.start.wrapping_add(first).cast()
    }

    /// Returns some elements.
    ///
    /// # Safety
    ///
    /// Nobody else may use these elements while the slice is in use, and what is written there must
    /// be values.
    ///
    /// # Panics
    ///
    /// If they don't lie in the result.
    #[inline(always)]
    pub(in crate::cpu) unsafe fn slice(self, first: usize, length: usize) -> &'a mut Unwritten {
        let start = self.pointer(first, length).cast();
        // SAFETY: the elements lie in the result, which is borrowed for `'a`, and are the caller's alone.
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "elements in the result")]
    fn elements_outside_of_a_result_have_no_address() {
        SharedOutput::over(&mut [0.0; 4]).pointer(2, 3);
    }
}
