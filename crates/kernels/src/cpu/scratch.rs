//! Memory that a thread keeps for intermediate results.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Elements of a cache line.
const LINE: usize = 16;

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Memory with unspecified content, that starts at a cache line.
///
/// It comes from the thread and goes back to it, so that its pages stay mapped.
pub(super) struct Scratch {
    buffer: Vec<f32>,
    start: usize,
    length: usize,
}

impl Scratch {
    /// Memory for this many elements.
    pub(super) fn new(length: usize) -> Self {
        let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
        if buffer.len() < length + LINE {
            buffer.resize(length + LINE, 0.0);
        }
        let start = buffer.as_ptr().align_offset(LINE * size_of::<f32>());
        Self {
            buffer,
            start: start.min(LINE),
            length,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.buffer[self.start..][..self.length]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[self.start..][..self.length]
    }
}

/// Calls `work` with a buffer of this length and unspecified content. A call inside of `work` gets
/// another buffer.
///
/// `work` is compiled for any processor: what calls SIMD instructions takes a [`Scratch`].
pub(super) fn with_scratch<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    work(&mut Scratch::new(length))
}

/// As [`with_scratch`], with zeros.
pub(super) fn with_zeros<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    with_scratch(length, |buffer| {
        buffer.fill(0.0);
        work(buffer)
    })
}
