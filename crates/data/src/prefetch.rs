//! Making items in background threads ahead of their use, in order.

use std::io;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

/// The items that each worker makes ahead, besides the one it is at.
const AHEAD: usize = 2;

/// Items `make(first)`, `make(first + 1)`, ... in this order, made by background threads.
///
/// Worker `w` of `n` makes every `n`-th item from `first + w` on and hands them over through a channel of its own, so
/// that reading the channels in turn gives the items in order. At most `n * (AHEAD + 1)` items are in memory. Dropping
/// this ends the threads: the closed channel is what a worker notices at its next item.
pub(crate) struct Prefetch<T> {
    workers: Vec<Worker<T>>,
    next: Range<usize>,
    turn: usize,
}

struct Worker<T> {
    items: Receiver<T>,
    thread: JoinHandle<()>,
}

/// No thread could be started.
#[derive(Debug)]
pub(crate) struct SpawnError {
    /// The worker's number, from 1.
    pub worker: usize,
    /// The operating system's error.
    pub source: io::Error,
}

impl<T: Send + 'static> Prefetch<T> {
    /// Starts `workers` threads (at least 1, and not more than there are items).
    pub(crate) fn new(
        range: Range<usize>,
        workers: usize,
        make: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Result<Self, SpawnError> {
        let count = workers.clamp(1, range.len().max(1));
        let make = Arc::new(make);
        let mut started = Self {
            workers: Vec::with_capacity(count),
            next: range.clone(),
            turn: 0,
        };
        for worker in 0..count {
            let (sender, items) = sync_channel(AHEAD);
            let make = Arc::clone(&make);
            let share = range.clone().skip(worker).step_by(count);
            let work = move || {
                for item in share {
                    if sender.send(make(item)).is_err() {
                        return; // nobody waits for it any more
                    }
                }
            };
            let thread = thread::Builder::new()
                .name(format!("data-{worker}"))
                .spawn(work)
                .map_err(|source| SpawnError {
                    worker: worker + 1,
                    source,
                })?;
            started.workers.push(Worker { items, thread });
        }
        Ok(started)
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = T;

    /// Returns the next item.
    ///
    /// # Panics
    ///
    /// With the worker's panic, where making the item panicked.
    fn next(&mut self) -> Option<T> {
        self.next.next()?;
        match self.workers[self.turn].items.recv() {
            Ok(item) => {
                self.turn = (self.turn + 1) % self.workers.len();
                Some(item)
            }
            Err(_) => {
                // A worker hangs up before its last item only by a panic.
                self.next = 0..0;
                let worker = self.workers.swap_remove(self.turn);
                match worker.thread.join() {
                    Err(panic) => resume_unwind(panic),
                    Ok(()) => unreachable!("a data worker ended before its last item"),
                }
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.next.size_hint()
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        let threads: Vec<_> = self.workers.drain(..).map(|worker| worker.thread).collect(); // hangs up on all of them
        for thread in threads {
            // A panic in an item that nobody asked for is of no consequence.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn items_come_in_order() {
        for workers in [1, 2, 3, 50] {
            let items: Vec<_> = Prefetch::new(5..25, workers, |item| item * 10)
                .unwrap()
                .collect();
            assert_eq!(items, (5..25).map(|item| item * 10).collect::<Vec<_>>());
        }
        assert_eq!(Prefetch::new(3..3, 2, |item| item).unwrap().count(), 0);
    }

    #[test]
    fn memory_is_bounded_and_dropping_ends_the_threads() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let mut items = Prefetch::new(0..1_000_000, 3, move |item| {
            counter.fetch_add(1, Ordering::SeqCst);
            item
        })
        .unwrap();
        assert_eq!(items.next(), Some(0));
        drop(items); // joins
        assert_eq!(Arc::strong_count(&made), 1);
        assert!(made.load(Ordering::SeqCst) <= 1 + 3 * (AHEAD + 1));
    }

    #[test]
    fn a_panic_reaches_the_reader() {
        let mut items = Prefetch::new(0..10, 2, |item| {
            assert_ne!(item, 4, "made-up failure");
            item
        })
        .unwrap();
        assert_eq!(items.by_ref().take(4).count(), 4);
        let panic = catch_unwind(AssertUnwindSafe(|| items.next())).unwrap_err();
        assert!(
            panic
                .downcast_ref::<String>()
                .unwrap()
                .contains("made-up failure")
        );
        assert_eq!(items.next(), None);
    }
}
