//! Sums in a fixed order.

use super::MAX_LANES;

/// Partial sums kept apart, so that a processor with any width of vectors adds them side by side.
const PARTS: usize = 4 * MAX_LANES;

/// Elements after which the partial sums of short slices are added up in double precision, at least. To do so after each slice
/// would take longer than the sums themselves.
const SINGLE: usize = 4096;

/// Partial sums of each of two, so that those of both stay in registers.
const PAIR_PARTS: usize = 2 * MAX_LANES;

/// Returns two sums over the elements of some slices; `terms` returns what an element adds.
#[inline(always)]
pub(super) fn pair_of_sums_of_slices<'a>(
    slices: impl Iterator<Item = &'a [f32]>,
    terms: impl Fn(f32) -> [f32; 2],
) -> [f64; 2] {
    let pairs = slices.map(
        #[inline(always)]
        |values| (values, values),
    );
    pair_of_sums_of_pairs(
        pairs,
        #[inline(always)]
        |value, _| terms(value),
    )
}

/// Returns two sums over the elements of two slices of equal length; `terms` returns what an element adds.
#[inline(always)]
pub(super) fn pair_of_sums(
    first: &[f32],
    second: &[f32],
    terms: impl Fn(f32, f32) -> [f32; 2],
) -> [f64; 2] {
    pair_of_sums_of_pairs(std::iter::once((first, second)), terms)
}

/// Returns two sums over the elements of pairs of slices, each two of equal length.
#[inline(always)]
pub(super) fn pair_of_sums_of_pairs<'a>(
    slices: impl Iterator<Item = (&'a [f32], &'a [f32])>,
    terms: impl Fn(f32, f32) -> [f32; 2],
) -> [f64; 2] {
    let mut totals = [0.0; 2];
    let (mut one, mut two) = ([0f32; PAIR_PARTS], [0f32; PAIR_PARTS]);
    let mut count = 0;
    // The elements that are no whole vector have sums of their own: an array with an index that the compiler doesn't know
    // isn't kept in registers.
    let mut rests = [[0f32; MAX_LANES]; 2];
    for (first, second) in slices {
        let (chunks, rest) = first.as_chunks::<PAIR_PARTS>();
        let (other_chunks, other_rest) = second.as_chunks::<PAIR_PARTS>();
        for (chunk, other) in chunks.iter().zip(other_chunks) {
            for part in 0..PAIR_PARTS {
                let [a, b] = terms(chunk[part], other[part]);
                one[part] += a;
                two[part] += b;
            }
        }
        let (chunks, rest) = rest.as_chunks::<MAX_LANES>();
        let (other_chunks, other_rest) = other_rest.as_chunks::<MAX_LANES>();
        for (chunk, other) in chunks.iter().zip(other_chunks) {
            for part in 0..MAX_LANES {
                let [a, b] = terms(chunk[part], other[part]);
                one[part] += a;
                two[part] += b;
            }
        }
        for (part, (value, other)) in rest.iter().zip(other_rest).enumerate() {
            let [a, b] = terms(*value, *other);
            rests[0][part] += a;
            rests[1][part] += b;
        }
        count += first.len();
        if count >= SINGLE {
            totals[0] += total(&one);
            totals[1] += total(&two);
            (one, two, count) = ([0.0; PAIR_PARTS], [0.0; PAIR_PARTS], 0);
        }
    }
    let [rest_one, rest_two] = rests.map(|rest| total(&rest));
    [
        totals[0] + total(&one) + rest_one,
        totals[1] + total(&two) + rest_two,
    ]
}

/// Returns the sum over the elements of a slice; `term` returns what an element adds.
#[inline(always)]
pub(super) fn sum(values: &[f32], term: impl Fn(f32) -> f32) -> f64 {
    sum_of_slices(std::iter::once(values), term)
}

/// Returns the sum over the elements of some slices.
#[inline(always)]
pub(super) fn sum_of_slices<'a>(
    slices: impl Iterator<Item = &'a [f32]>,
    term: impl Fn(f32) -> f32,
) -> f64 {
    let mut all = 0.0;
    let mut sums = [0f32; PARTS];
    let mut rest_sums = [0f32; MAX_LANES]; // apart, as those of pairs
    let mut count = 0;
    for values in slices {
        let (chunks, rest) = values.as_chunks::<PARTS>();
        for chunk in chunks {
            for part in 0..PARTS {
                sums[part] += term(chunk[part]);
            }
        }
        let (chunks, rest) = rest.as_chunks::<MAX_LANES>();
        for chunk in chunks {
            for part in 0..MAX_LANES {
                sums[part] += term(chunk[part]);
            }
        }
        for (part, value) in rest.iter().enumerate() {
            rest_sums[part] += term(*value);
        }
        count += values.len();
        if count >= SINGLE {
            all += total(&sums);
            (sums, count) = ([0.0; PARTS], 0);
        }
    }
    all + total(&sums) + total(&rest_sums)
}

/// Returns the sum of the parts, of which the first steps are in whole vectors.
#[inline(always)]
fn total<const N: usize>(parts: &[f32; N]) -> f64 {
    let mut lanes = [0f32; MAX_LANES];
    for parts in parts.as_chunks::<MAX_LANES>().0 {
        for (lane, part) in lanes.iter_mut().zip(parts) {
            *lane += part;
        }
    }
    lanes.iter().map(|&lane| f64::from(lane)).sum()
}

/// Returns the sum of each channel of `[batch, channels, pixels]` over images and pixels.
pub(crate) fn sums_of_channels(values: &[f32], channels: usize, pixels: usize) -> Vec<f32> {
    let mut sums = vec![0f64; channels];
    for image in values.chunks_exact(channels * pixels) {
        for (total, plane) in sums.iter_mut().zip(image.chunks_exact(pixels)) {
            *total += sum(plane, |value| value);
        }
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}
