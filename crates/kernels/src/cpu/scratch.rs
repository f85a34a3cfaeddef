//! Memory that a thread keeps for intermediate results.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use super::aligned::Aligned;

/// Calls over which the greatest length is taken, more than a step of training makes on a thread.
const WINDOW: usize = 16_384;
/// A buffer is kept if it is at most so many times as long as what one of the recent calls asked for.
const EXCESS: usize = 2;
/// Buffers that a thread keeps at most. A call that runs inside of another one takes a further buffer.
const BUFFERS: usize = 8;

thread_local! {
    static KEPT: RefCell<Kept> = const { RefCell::new(Kept::new()) };
}

/// The buffers of a thread that are not in use.
///
/// They stay mapped from call to call, but not longer than they are of use: what is much greater than
/// all that this window of calls and the one before asked for, is returned to the system.
struct Kept {
    buffers: Vec<Aligned>,
    /// Calls in this window.
    calls: usize,
    /// The greatest length that was asked for in this window, and in the one before.
    greatest: [usize; 2],
}

impl Kept {
    const fn new() -> Self {
        Self {
            buffers: Vec::new(),
            calls: 0,
            greatest: [0; 2],
        }
    }

    /// Takes a buffer of at least this length.
    fn take(&mut self, length: usize) -> Aligned {
        if self.calls == WINDOW {
            self.greatest = [0, self.greatest[0]];
            self.calls = 0;
        }
        self.calls += 1;
        self.greatest[0] = self.greatest[0].max(length);
        if self.calls == 1 {
            let most = self.most();
            self.buffers.retain(|buffer| buffer.length() <= most);
        }
        match self.buffers.pop() {
            Some(buffer) if buffer.length() >= length => buffer,
            _ => Aligned::zeros(length),
        }
    }

    /// Takes a buffer back.
    fn put(&mut self, buffer: Aligned) {
        if self.buffers.len() < BUFFERS && buffer.length() <= self.most() {
            self.buffers.push(buffer);
        }
    }

    /// Returns the greatest length of a buffer that is kept.
    fn most(&self) -> usize {
        EXCESS * self.greatest[0].max(self.greatest[1])
    }
}

/// Memory with unspecified content, that starts at a cache line.
///
/// It comes from the thread and goes back to it, so that its pages stay mapped.
pub(super) struct Scratch {
    /// `None` while it is dropped.
    buffer: Option<Aligned>,
    length: usize,
}

impl Scratch {
    /// Returns memory for this many elements.
    pub(super) fn new(length: usize) -> Self {
        Self {
            buffer: Some(KEPT.with_borrow_mut(|kept| kept.take(length))),
            length,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            KEPT.with_borrow_mut(|kept| kept.put(buffer));
        }
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        let values = self.buffer.as_ref().map_or(&[][..], Aligned::as_slice);
        &values[..self.length]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        let values = self
            .buffer
            .as_mut()
            .map_or(&mut [][..], Aligned::as_mut_slice);
        &mut values[..self.length]
    }
}

/// Calls `work` with a buffer of this length and unspecified content. A call inside of `work` gets
/// another buffer.
///
/// `work` is compiled for any processor: a function that runs SIMD instructions takes a [`Scratch`].
pub(super) fn with_scratch<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    work(&mut Scratch::new(length))
}

/// Calls `work` with a buffer of zeros, as [`with_scratch`] does.
pub(super) fn with_zeros<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    with_scratch(length, |buffer| {
        buffer.fill(0.0);
        work(buffer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the buffers that this thread keeps.
    fn kept() -> Vec<usize> {
        KEPT.with_borrow(|kept| kept.buffers.iter().map(Aligned::length).collect())
    }

    /// Runs on a thread that has kept nothing yet.
    fn on_a_new_thread(work: impl FnOnce() + Send) {
        std::thread::scope(|scope| scope.spawn(work).join().unwrap());
    }

    #[test]
    fn a_buffer_that_is_used_again_and_again_stays() {
        on_a_new_thread(|| {
            let first = with_scratch(1000, |buffer| buffer.as_ptr().addr());
            for _ in 0..3 * WINDOW {
                let again = with_scratch(600, |buffer| buffer.as_ptr().addr());
                assert_eq!(again, first);
            }
            assert_eq!(kept(), [1000]);
        });
    }

    #[test]
    fn a_buffer_much_greater_than_what_is_needed_since_is_let_go() {
        on_a_new_thread(|| {
            with_scratch(1_000_000, |_| ());
            // A small call inside of a large one: two buffers.
            with_scratch(10, |_| with_scratch(10, |_| ()));
            for _ in 0..WINDOW {
                with_scratch(10, |_| ());
            }
            assert!(kept().contains(&1_000_000), "still recent");
            for _ in 0..2 * WINDOW {
                with_scratch(10, |_| ());
            }
            assert!(kept().iter().all(|&length| length <= 20), "{:?}", kept());
        });
    }

    #[test]
    fn a_great_buffer_below_small_ones_is_let_go() {
        on_a_new_thread(|| {
            let (great, small) = (Scratch::new(1_000_000), Scratch::new(10));
            drop(great);
            drop(small); // the next one to be taken
            for _ in 0..3 * WINDOW {
                with_scratch(10, |_| ());
            }
            assert_eq!(kept(), [10]);
        });
    }

    #[test]
    fn a_thread_keeps_a_few_buffers() {
        on_a_new_thread(|| {
            let all: Vec<Scratch> = (0..50).map(|_| Scratch::new(100)).collect();
            drop(all);
            assert_eq!(kept().len(), BUFFERS);
        });
    }

    #[test]
    fn a_call_inside_of_another_gets_other_memory() {
        with_zeros(100, |outer| {
            with_scratch(200, |inner| inner.fill(1.0));
            assert_eq!(outer, [0.0; 100]);
        });
    }
}
