//! Results in memory that is written once, without being zeroed first.

use std::mem::MaybeUninit;

/// Memory of a result that is not written yet.
pub(super) type Unwritten = [MaybeUninit<f32>];

/// A vector of this length, written by `write`.
///
/// # Safety
///
/// `write` must write every element.
pub(super) unsafe fn written_by(length: usize, write: impl FnOnce(&mut Unwritten)) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    write(&mut values.spare_capacity_mut()[..length]);
    // SAFETY: the capacity is at least `length`, and the caller promises that all of it is written.
    unsafe { values.set_len(length) };
    values
}
