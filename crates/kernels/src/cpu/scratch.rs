//! Memory that a thread keeps for intermediate results.

use std::cell::RefCell;

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `work` with a buffer of this length and unspecified content.
///
/// The buffer comes from the thread and goes back to it, so that its pages stay mapped. A call
/// inside of `work` gets another buffer.
pub(super) fn with_scratch<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    let result = work(&mut buffer[..length]);
    BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    result
}

/// As [`with_scratch`], with zeros.
pub(super) fn with_zeros<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    with_scratch(length, |buffer| {
        buffer.fill(0.0);
        work(buffer)
    })
}
