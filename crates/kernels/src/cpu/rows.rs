//! Copies of the rows of planes, which are often no multiple of a vector long.

use pulp::Simd;

use super::MAX_LANES;
use super::copy::write;
use super::output::{Filling, Unwritten, write_values};
use super::vector::load_integers;

/// Copies rows of `width` values, which follow each other, to rows `pitch` elements apart. What follows a row there is
/// overwritten with zeros, up to the end of a vector.
///
/// # Panics
///
/// If there is no room for the rows.
#[inline(always)]
pub(super) fn spread<S: Simd>(simd: S, from: &[f32], width: usize, to: &mut [f32], pitch: usize) {
    let rows = from.len() / width;
    assert!(rows == 0 || (rows - 1) * pitch + width <= to.len());
    let lanes = S::F32_LANES;
    let (whole, rest) = (width / lanes * lanes, width % lanes);
    let mut bits = [0; MAX_LANES];
    bits[..rest].fill(u32::MAX);
    let mask = load_integers::<S>(&bits);
    for row in 0..rows {
        let (first, at) = (row * width, row * pitch);
        let vectors = from.len() - first >= whole + lanes && to.len() - at >= whole + lanes;
        // SAFETY: the rows lie in the slices, and where whole vectors are read and written, so does the last one.
        unsafe {
            let (from, to) = (from.as_ptr().add(first), to.as_mut_ptr().add(at));
            copy_vectors::<S>(from, to, whole);
            if rest > 0 && vectors {
                let last = from.add(whole).cast::<S::u32s>().read_unaligned();
                let last = simd.and_u32s(last, mask);
                to.add(whole).cast::<S::u32s>().write_unaligned(last);
            } else {
                for i in whole..width {
                    to.add(i).write(from.add(i).read());
                }
            }
        }
    }
}

/// Copies rows of `width` values, `pitch` elements apart, to rows that follow each other.
///
/// # Panics
///
/// If there are too few values.
#[inline(always)]
pub(super) fn join<'a, S: Simd>(
    _simd: S,
    from: &[f32],
    pitch: usize,
    to: &'a mut Unwritten,
    width: usize,
) -> &'a mut [f32] {
    let rows = to.len() / width;
    assert!(rows * width == to.len() && (rows - 1) * pitch + width <= from.len());
    let lanes = S::F32_LANES;
    let (whole, rest) = (width / lanes * lanes, width % lanes);
    for row in 0..rows {
        let (first, at) = (row * pitch, row * width);
        let vectors = from.len() - first >= whole + lanes && to.len() - at >= whole + lanes;
        // SAFETY: the rows lie in the slices, and where whole vectors are read and written, so does the last one. What
        // it writes beyond the row's end, the next rows overwrite.
        unsafe {
            let (from, to) = (
                from.as_ptr().add(first),
                to.as_mut_ptr().add(at).cast::<f32>(),
            );
            copy_vectors::<S>(from, to, whole);
            if rest > 0 && vectors {
                copy_vectors::<S>(from.add(whole), to.add(whole), lanes);
            } else {
                for i in whole..width {
                    to.add(i).write(from.add(i).read());
                }
            }
        }
    }
    // SAFETY: the loop has written all values of each row.
    unsafe { to.assume_init_mut() }
}

/// Writes the values of some slices of the same length in turns, beginning with value `first` of all, and zeros where they
/// end.
#[inline(always)]
pub(super) fn interleave<'a, 'b, S: Simd>(
    slice: impl Fn(usize) -> &'b [f32],
    count: usize,
    first: usize,
    to: &'a mut Unwritten,
) -> &'a mut [f32] {
    match count {
        1 => {
            let from = slice(0).get(first..).unwrap_or_default();
            let from = &from[..from.len().min(to.len())];
            let outside = to.len() - from.len();
            let mut filling = Filling::new(to);
            filling.push(
                from.len(),
                #[inline(always)]
                |to| write::<S>(from, to),
            );
            filling.push(outside, zeros);
            filling.finish()
        }
        2 => interleave_pairs(slice(0), slice(1), first, to),
        _ => {
            let values = (first..first + to.len()).map(
                #[inline(always)]
                |index| slice(index % count).get(index / count).copied(),
            );
            write_values(to, values.map(Option::unwrap_or_default))
        }
    }
}

/// Writes values of two slices in turns, beginning with value `first` of all, and zeros where they end.
#[inline(always)]
fn interleave_pairs<'a>(
    even: &[f32],
    odd: &[f32],
    first: usize,
    to: &'a mut Unwritten,
) -> &'a mut [f32] {
    let length = to.len().min((2 * even.len()).saturating_sub(first));
    let outside = to.len() - length;
    // A value by itself, so that pairs begin with an even one.
    let single = (first % 2).min(length);
    let pair = first / 2 + single;
    let (even, rest) = (&even[pair.min(even.len())..], &odd[pair.min(odd.len())..]);
    let mut filling = Filling::new(to);
    filling.push(
        single,
        #[inline(always)]
        |to| write_values(to, odd.get(first / 2).copied()),
    );
    filling.push(
        length - single,
        #[inline(always)]
        |to| {
            let (pairs, last) = to.as_chunks_mut::<2>();
            for (to, (even, odd)) in pairs.iter_mut().zip(even.iter().zip(rest)) {
                to[0].write(*even);
                to[1].write(*odd);
            }
            let count = pairs.len();
            for (to, even) in last.iter_mut().zip(&even[count..]) {
                to.write(*even);
            }
            assert!(count + last.len() <= even.len() && count <= rest.len());
            // SAFETY: there are as many pairs of values as of elements, and a last one where there is a last element.
            unsafe { to.assume_init_mut() }
        },
    );
    filling.push(outside, zeros);
    filling.finish()
}

/// Writes zeros.
#[inline(always)]
pub(super) fn zeros(to: &mut Unwritten) -> &mut [f32] {
    write_values(to, std::iter::repeat(0.0))
}

/// Copies so many values, a multiple of a vector's.
///
/// # Safety
///
/// `from` must be valid for reads of these, and `to` for writes.
#[inline(always)]
unsafe fn copy_vectors<S: Simd>(from: *const f32, to: *mut f32, length: usize) {
    let mut i = 0;
    while i < length {
        // SAFETY: the caller's promise.
        unsafe {
            let vector = from.add(i).cast::<S::f32s>().read_unaligned();
            to.add(i).cast::<S::f32s>().write_unaligned(vector);
        }
        i += S::F32_LANES;
    }
}
