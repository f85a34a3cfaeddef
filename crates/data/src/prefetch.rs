//! Making items in background threads ahead of their use, in order.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The items that are made ahead, besides one for each worker.
const AHEAD: usize = 2;

/// Items `make(first)`, `make(first + 1)`, ... in this order, made by background threads.
///
/// One worker makes them at first. Whenever an item is asked for that isn't there yet, another worker joins, until there are as
/// many as allowed: so there are as many as help, whatever an item costs and whatever else the machine does. At most
/// `workers + AHEAD` items are in memory, made or in the making. Dropping this ends the threads.
pub(crate) struct Prefetch<T> {
    queue: Arc<Queue<T>>,
    make: Arc<dyn Fn(usize) -> T + Send + Sync>,
    threads: Vec<JoinHandle<()>>,
    most_workers: usize,
    first: usize,
    next: Range<usize>,
    waited: Duration,
}

/// What the workers and the reader share.
struct Queue<T> {
    state: Mutex<State<T>>,
    /// Told when an item is ready.
    ready: Condvar,
    /// Told when an item may be begun.
    room: Condvar,
}

struct State<T> {
    /// Items that nobody has begun.
    left: Range<usize>,
    /// Items that were made and not yet taken, or what their making panicked with.
    ready: BTreeMap<usize, thread::Result<T>>,
    /// The item that is taken next.
    wanted: usize,
    workers: usize,
    /// Whether nobody wants items any more.
    is_closed: bool,
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until an item may be begun, and returns it; `None` where there is nothing left to do.
    fn begin(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            let bound = state.wanted + state.workers + AHEAD;
            match state.left.start {
                start if start < bound => return state.left.next(),
                _ if state.left.is_empty() => return None,
                _ => {
                    state = self
                        .room
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn finish(&self, item: usize, made: thread::Result<T>) {
        self.lock().ready.insert(item, made);
        self.ready.notify_one();
    }

    /// Waits for an item; the second value is whether it wasn't there.
    fn take(&self, item: usize) -> (thread::Result<T>, bool) {
        let mut state = self.lock();
        let mut has_waited = false;
        loop {
            if let Some(made) = state.ready.remove(&item) {
                state.wanted = item + 1;
                self.room.notify_all();
                return (made, has_waited);
            }
            has_waited = true;
            state = self
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.room.notify_all();
    }
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
    /// Starts the first of at most `most_workers` threads (at least 1).
    pub(crate) fn new(
        range: Range<usize>,
        most_workers: usize,
        make: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Result<Self, SpawnError> {
        let mut started = Self {
            queue: Arc::new(Queue {
                state: Mutex::new(State {
                    left: range.clone(),
                    ready: BTreeMap::new(),
                    wanted: range.start,
                    workers: 0,
                    is_closed: false,
                }),
                ready: Condvar::new(),
                room: Condvar::new(),
            }),
            make: Arc::new(make),
            threads: Vec::new(),
            most_workers: most_workers.clamp(1, range.len().max(1)),
            first: range.start,
            next: range,
            waited: Duration::ZERO,
        };
        started.add_worker()?;
        Ok(started)
    }

    fn add_worker(&mut self) -> Result<(), SpawnError> {
        let (queue, make) = (Arc::clone(&self.queue), Arc::clone(&self.make));
        let work = move || {
            while let Some(item) = queue.begin() {
                // The panic goes on in the reader's thread; what the item is made of isn't used again.
                let made = catch_unwind(AssertUnwindSafe(|| make(item)));
                queue.finish(item, made);
            }
        };
        let worker = self.threads.len();
        let thread = thread::Builder::new()
            .name(format!("data-{worker}"))
            .spawn(work)
            .map_err(|source| SpawnError {
                worker: worker + 1,
                source,
            })?;
        self.threads.push(thread);
        self.queue.lock().workers = self.threads.len();
        self.queue.room.notify_all();
        Ok(())
    }
}

impl<T> Prefetch<T> {
    /// Returns the time that `next` has waited for items.
    pub(crate) fn waited(&self) -> Duration {
        self.waited
    }

    /// Returns the number of workers.
    pub(crate) fn workers(&self) -> usize {
        self.threads.len()
    }
}

impl<T: Send + 'static> Iterator for Prefetch<T> {
    type Item = T;

    /// Returns the next item.
    ///
    /// # Panics
    ///
    /// With the worker's panic, where making the item panicked.
    fn next(&mut self) -> Option<T> {
        let item = self.next.next()?;
        let start = Instant::now();
        let (made, has_waited) = self.queue.take(item);
        self.waited += start.elapsed();
        // The first item can't be there yet. The workers that there are do without one that can't be started.
        if has_waited && item > self.first && self.threads.len() < self.most_workers {
            let _ = self.add_worker();
        }
        match made {
            Ok(item) => Some(item),
            Err(panic) => {
                self.next = 0..0;
                self.queue.close();
                resume_unwind(panic)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.next.size_hint()
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join(); // a worker doesn't panic itself
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn items_come_in_order() {
        for workers in [1, 2, 3, 50] {
            let make = |item: usize| {
                thread::sleep(Duration::from_micros(500 * (item as u64 % 4)));
                item * 10
            };
            let items: Vec<_> = Prefetch::new(5..25, workers, make).unwrap().collect();
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
        thread::sleep(Duration::from_millis(20));
        drop(items); // joins
        assert_eq!(Arc::strong_count(&made), 1);
        assert!(made.load(Ordering::SeqCst) <= 1 + 3 + AHEAD);
    }

    #[test]
    fn workers_join_while_the_reader_waits() {
        let make = |item| {
            thread::sleep(Duration::from_millis(4));
            item
        };
        let mut items = Prefetch::new(0..40, 5, make).unwrap();
        let start = Instant::now();
        assert_eq!(items.by_ref().count(), 40);
        assert_eq!(items.workers(), 5);
        assert!(items.waited() > start.elapsed() / 2);
        // A reader that takes longer than the worker needs no other one.
        let mut items = Prefetch::new(0..10, 5, |item| item).unwrap();
        while items.next().is_some() {
            thread::sleep(Duration::from_millis(10));
        }
        assert!(items.workers() <= 2, "{}", items.workers());
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
