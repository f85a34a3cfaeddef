//! Results in memory that is written once, without being zeroed first.
//!
//! A function that writes unwritten memory returns it as `&mut [f32]`. The functions here assemble
//! such slices into a whole result and check that no part is missing, so that their callers need no
//! unsafe code to prove that every element was written.

mod interleaved;
mod shared;

use std::mem::MaybeUninit;

use rayon::prelude::*;

pub(super) use self::interleaved::{Interleaved, Written, written_interleaved};
pub(super) use self::shared::SharedOutput;
use super::divided::Divided;

/// Memory of a result that is not written yet.
pub(super) type Unwritten = [MaybeUninit<f32>];

/// A position in memory and a length, by which two slices can be compared.
fn extent<T>(slice: &[T]) -> (usize, usize) {
    (slice.as_ptr().addr(), slice.len())
}

/// Returns a vector of `length` values that is written in parts of `part` values, in parallel.
///
/// `write` gets an item of `tasks` and the part of the same index, and returns the part written.
/// The last part may be shorter than the others.
///
/// # Panics
///
/// If there are fewer tasks than parts, or `write` returns anything but its part.
pub(super) fn written_in_parts<T: Send>(
    length: usize,
    part: usize,
    tasks: impl IndexedParallelIterator<Item = T>,
    write: impl for<'a> Fn(T, &'a mut Unwritten) -> &'a mut [f32] + Sync,
) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    let unwritten = &mut values.spare_capacity_mut()[..length];
    let parts = unwritten.par_chunks_mut(part).zip(tasks).divided();
    let written: usize = parts
        .map(|(part, task)| {
            let expected = extent(part);
            let written = write(task, part);
            assert_eq!(extent(written), expected, "a part of a result, written");
            expected.1
        })
        .sum();
    assert_eq!(written, length, "elements of a result");
    // SAFETY: the capacity is at least `length`. The parts don't overlap and have `length` elements
    // together; each was returned as a slice of `f32`, which can't be had before it is written.
    unsafe { values.set_len(length) };
    values
}

/// Returns a vector that is written in parts of these lengths, in parallel; `write` gets the index of each.
///
/// # Panics
///
/// If `write` returns anything but its part.
pub(super) fn written_in_lengths(
    lengths: &[usize],
    write: impl for<'a> Fn(usize, &'a mut Unwritten) -> &'a mut [f32] + Sync,
) -> Vec<f32> {
    let length = lengths.iter().sum();
    let mut values = Vec::with_capacity(length);
    let mut rest = &mut values.spare_capacity_mut()[..length];
    let mut parts = Vec::with_capacity(lengths.len());
    for &length in lengths {
        let (part, others) = rest.split_at_mut(length);
        parts.push(part);
        rest = others;
    }
    let written: usize = parts
        .into_par_iter()
        .enumerate()
        .with_max_len(1)
        .divided()
        .map(|(index, part)| {
            let expected = extent(part);
            let written = write(index, part);
            assert_eq!(extent(written), expected, "a part of a result, written");
            expected.1
        })
        .sum();
    assert_eq!(written, length, "elements of a result");
    // SAFETY: the capacity is at least `length`. The parts don't overlap and have `length` elements
    // together; each was returned as a slice of `f32`, which can't be had before it is written.
    unsafe { values.set_len(length) };
    values
}

/// Returns vectors of these lengths, each written in parts of so many values, `count` of them and in parallel. Also returns
/// what `write` returns for each index beside the parts written.
///
/// # Panics
///
/// If there are more parts than `count`, or `write` returns anything but its parts.
pub(super) fn written_together<const N: usize, R: Send>(
    lengths: [usize; N],
    parts: [usize; N],
    count: usize,
    write: impl for<'a> Fn(usize, [&'a mut Unwritten; N]) -> ([&'a mut [f32]; N], R) + Sync,
) -> ([Vec<f32>; N], Vec<R>) {
    let mut values: [Vec<f32>; N] = lengths.map(Vec::with_capacity);
    let sizes = lengths.into_iter().zip(parts);
    let mut chunks: Vec<_> = values
        .iter_mut()
        .zip(sizes)
        .map(|(values, (length, part))| values.spare_capacity_mut()[..length].chunks_mut(part))
        .collect();
    let tasks = (0..count).map(|_| std::array::from_fn(|n| chunks[n].next().unwrap_or_default()));
    let tasks: Vec<[&mut Unwritten; N]> = tasks.collect();
    let mut results = Vec::new();
    tasks
        .into_par_iter()
        .enumerate()
        .divided()
        .map(|(index, parts)| {
            let expected = parts.each_ref().map(|part| extent(part));
            let (written, result) = write(index, parts);
            let found = written.map(|part| extent(part));
            assert_eq!(found, expected, "parts of results, written");
            (expected.map(|(_, length)| length), result)
        })
        .collect_into_vec(&mut results);
    let mut written = [0; N];
    let mut returned = Vec::with_capacity(count);
    for (lengths, result) in results {
        for (written, length) in written.iter_mut().zip(lengths) {
            *written += length;
        }
        returned.push(result);
    }
    assert_eq!(written, lengths, "elements of results");
    for (values, length) in values.iter_mut().zip(lengths) {
        // SAFETY: the capacity is at least `length`. The parts don't overlap and have `length` elements
        // together; each was returned as a slice of `f32`, which can't be had before it is written.
        unsafe { values.set_len(length) };
    }
    (values, returned)
}

/// Memory that is written from its start to its end, piece by piece.
pub(super) struct Filling<'a> {
    memory: &'a mut Unwritten,
    /// Elements that are written.
    filled: usize,
}

impl<'a> Filling<'a> {
    /// Wraps memory of which nothing is written.
    #[inline(always)]
    pub(super) fn new(memory: &'a mut Unwritten) -> Self {
        Self { memory, filled: 0 }
    }

    /// Has `write` write the next `length` elements, which it returns.
    ///
    /// # Panics
    ///
    /// If there are fewer elements, or `write` returns anything else.
    #[inline(always)]
    pub(super) fn push(
        &mut self,
        length: usize,
        write: impl for<'b> FnOnce(&'b mut Unwritten) -> &'b mut [f32],
    ) {
        let piece = &mut self.memory[self.filled..][..length];
        let expected = extent(piece);
        let written = write(piece);
        assert!(extent(written) == expected, "a piece of a result, written");
        self.filled += length;
    }

    /// Returns the memory.
    ///
    /// # Panics
    ///
    /// If a part of it is not written.
    #[inline(always)]
    pub(super) fn finish(self) -> &'a mut [f32] {
        assert!(self.filled == self.memory.len(), "all of a result");
        // SAFETY: `push` counts what was returned to it as a slice of `f32`, which can't be had before
        // it is written, and these pieces follow each other without a gap.
        unsafe { self.memory.assume_init_mut() }
    }
}

/// Writes memory in parts of `part` values, one after the other; `write` gets the index of each.
///
/// # Panics
///
/// If `write` returns anything but its part.
#[inline(always)]
pub(super) fn write_parts(
    to: &mut Unwritten,
    part: usize,
    mut write: impl for<'a> FnMut(usize, &'a mut Unwritten) -> &'a mut [f32],
) -> &mut [f32] {
    let (length, mut index) = (to.len(), 0);
    let mut filling = Filling::new(to);
    while filling.filled < length {
        let part = part.min(length - filling.filled);
        filling.push(
            part,
            #[inline(always)]
            |to| write(index, to),
        );
        index += 1;
    }
    filling.finish()
}

/// Writes values to memory until it is full.
///
/// # Panics
///
/// If there are too few values.
#[inline(always)]
pub(super) fn write_values(
    to: &mut Unwritten,
    values: impl IntoIterator<Item = f32>,
) -> &mut [f32] {
    let mut written = 0;
    for (to, value) in to.iter_mut().zip(values) {
        to.write(value);
        written += 1;
    }
    assert!(written == to.len(), "a value for each element");
    // SAFETY: the loop has written as many elements as there are, each once.
    unsafe { to.assume_init_mut() }
}

/// Returns a closure as it is, which may return a slice that it has captured.
///
/// The compiler takes a closure for one that is called once only where a bound says so, which `pulp`'s
/// dispatch has not.
#[inline(always)]
pub(super) fn called_once<R, F: FnOnce() -> R>(closure: F) -> F {
    closure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_index(index: usize, to: &mut Unwritten) -> &mut [f32] {
        write_values(to, std::iter::repeat(index as f32))
    }

    #[test]
    fn parts_follow_each_other() {
        let tasks = (0..3).into_par_iter();
        let found = written_in_parts(5, 2, tasks, write_index);
        assert_eq!(found, [0.0, 0.0, 1.0, 1.0, 2.0]);
        let found = written_in_parts(5, 5, (0..1).into_par_iter(), |_, to| {
            write_parts(to, 2, write_index)
        });
        assert_eq!(found, [0.0, 0.0, 1.0, 1.0, 2.0]);
    }

    #[test]
    fn several_results_are_written_together() {
        let ([first, second], results) = written_together([5, 3], [2, 1], 3, |index, parts| {
            (parts.map(|part| write_index(index, part)), index)
        });
        assert_eq!(first, [0.0, 0.0, 1.0, 1.0, 2.0]);
        assert_eq!(second, [0.0, 1.0, 2.0]);
        assert_eq!(results, [0, 1, 2]);
    }

    #[test]
    #[should_panic(expected = "elements of results")]
    fn parts_without_a_task_are_refused() {
        written_together([5, 3], [2, 1], 2, |index, parts| {
            (parts.map(|part| write_index(index, part)), ())
        });
    }

    #[test]
    #[should_panic(expected = "parts of results, written")]
    fn a_task_that_returns_other_slices_is_refused() {
        written_together([4], [2], 2, |_, _| ([&mut []], ()));
    }

    #[test]
    #[should_panic(expected = "elements of a result")]
    fn a_part_without_a_task_is_refused() {
        written_in_parts(5, 2, (0..2).into_par_iter(), write_index);
    }

    #[test]
    #[should_panic(expected = "a part of a result, written")]
    fn a_task_that_returns_another_slice_is_refused() {
        written_in_parts(5, 2, (0..3).into_par_iter(), |_, _| &mut []);
    }

    #[test]
    #[should_panic(expected = "a piece of a result, written")]
    fn a_piece_that_is_another_slice_is_refused() {
        write_parts(&mut [MaybeUninit::uninit(); 4], 2, |_, _| &mut []);
    }

    #[test]
    #[should_panic(expected = "all of a result")]
    fn a_result_that_ends_early_is_refused() {
        let mut memory = [MaybeUninit::uninit(); 4];
        let mut filling = Filling::new(&mut memory);
        filling.push(3, |to| write_index(0, to));
        filling.finish();
    }

    #[test]
    #[should_panic(expected = "a value for each element")]
    fn too_few_values_are_refused() {
        write_values(&mut [MaybeUninit::uninit(); 4], [1.0; 3]);
    }
}
