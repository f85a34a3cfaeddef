//! Results of which each of several tasks writes every n-th part.

use std::marker::PhantomData;

use rayon::prelude::*;

use super::super::divided::Divided;
use super::super::prefetch::prefetch_to_write;
use super::{SharedOutput, Unwritten, extent};

/// The parts of a result that one of several tasks writes: every n-th.
pub(in crate::cpu) struct Interleaved<'a> {
    output: SharedOutput<'a>,
    /// Elements of a part.
    part: usize,
    /// Parts from one of the task's to the next, which is the number of tasks.
    tasks: usize,
    /// The next part.
    next: usize,
    /// Parts of the whole result.
    count: usize,
}

/// A proof that a task has written its parts.
pub(in crate::cpu) struct Written<'a>(PhantomData<&'a mut Unwritten>);

impl<'a> Interleaved<'a> {
    /// Writes the task's parts, one after the other.
    ///
    /// # Panics
    ///
    /// If `write` returns anything but its part.
    #[inline(always)]
    pub(in crate::cpu) fn write(
        self,
        mut write: impl for<'b> FnMut(&'b mut Unwritten) -> &'b mut [f32],
    ) -> Written<'a> {
        let mut next = self.next;
        while next < self.count {
            let following = next + self.tasks;
            if following < self.count {
                let start = self.output.start.wrapping_add(following * self.part);
                prefetch_to_write(start.cast(), self.part);
            }
            // SAFETY: `count` parts are the whole result; those that differ by a multiple of `tasks` are this
            // task's alone, which has one at a time.
            let part = unsafe {
                let start = self.output.start.add(next * self.part);
                std::slice::from_raw_parts_mut(start, self.part)
            };
            let expected = extent(part);
            let written = write(part);
            assert!(extent(written) == expected, "a part of a result, written");
            next = following;
        }
        Written(PhantomData)
    }
}

/// Returns a vector of `length` values that is written in parts of `part` values by `tasks` tasks in
/// parallel, at least `at_least` of them on one thread: part `i` by task `i % tasks`. Also returns
/// what each task returns beside the proof that its parts are written.
///
/// # Panics
///
/// If `length` is not a multiple of `part`.
pub(in crate::cpu) fn written_interleaved<R: Send>(
    length: usize,
    part: usize,
    tasks: usize,
    at_least: usize,
    write: impl for<'a> Fn(usize, Interleaved<'a>) -> (Written<'a>, R) + Sync,
) -> (Vec<f32>, Vec<R>) {
    let count = length / part;
    assert_eq!(count * part, length, "whole parts");
    let mut values: Vec<f32> = Vec::with_capacity(length);
    let shared = SharedOutput::new(&mut values.spare_capacity_mut()[..length]);
    let mut results = Vec::new();
    (0..tasks)
        .into_par_iter()
        .with_min_len(at_least)
        .divided()
        .map(|task| {
            let parts = Interleaved {
                output: shared,
                part,
                tasks,
                next: task,
                count,
            };
            write(task, parts).1
        })
        .collect_into_vec(&mut results);
    // SAFETY: the capacity is at least `length`. The tasks' parts are all parts, and each task has
    // returned the proof, which only `Interleaved::write` gives, that its own are written.
    unsafe { values.set_len(length) };
    (values, results)
}

#[cfg(test)]
mod tests {
    use super::super::write_values;
    use super::*;

    #[test]
    fn every_nth_part_is_a_tasks() {
        let (found, results) = written_interleaved(10, 2, 2, 1, |task, parts| {
            let mut count = 0;
            let written = parts.write(|to| {
                count += 1;
                write_values(to, std::iter::repeat(task as f32))
            });
            (written, count)
        });
        assert_eq!(found, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(results, [3, 2]);
    }

    #[test]
    #[should_panic(expected = "a part of a result, written")]
    fn an_interleaved_part_that_is_another_slice_is_refused() {
        written_interleaved(4, 2, 1, 1, |_, parts| (parts.write(|_| &mut []), ()));
    }
}
