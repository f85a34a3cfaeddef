//! The inner loops of direct convolution: the planes of several results at a time, with their sums in registers.
//!
//! Each vector that is read of a source is multiplied by the weights of all results of a block, so that reading takes
//! less time than multiplying from two results on. Nothing is packed: weights are read where they lie.

use std::ops::Range;

use pulp::Simd;

use super::super::flat::Column;
use super::super::prefetch::prefetch;
use super::super::product::portion;

/// Results of a block at most.
pub(super) const RESULTS: usize = 6;

/// A tap: its index in a filter, and its distance from the position.
type Tap = (usize, usize);

/// The taps of a window.
#[derive(Debug, Clone)]
pub(super) struct Taps {
    /// Taps that lie on all sources.
    plain: Vec<Tap>,
    /// The columns of the other taps.
    masked: Vec<Masked>,
    /// Positions that all masks have.
    positions: usize,
    /// The greatest distance.
    reach: usize,
    /// The greatest index.
    last: usize,
}

/// The taps of a column with a mask.
#[derive(Debug, Clone)]
struct Masked {
    mask: Vec<u32>,
    taps: Vec<Tap>,
}

impl Taps {
    /// Returns the taps of these columns.
    pub(super) fn new(columns: &[Column]) -> Self {
        let taps = || columns.iter().flat_map(|column| &column.taps);
        let mut found = Self {
            plain: Vec::new(),
            masked: Vec::new(),
            positions: usize::MAX,
            reach: taps().map(|&(_, distance)| distance).max().unwrap_or(0),
            last: taps().map(|&(index, _)| index).max().unwrap_or(0),
        };
        for column in columns {
            let Some(mask) = &column.mask else {
                found.plain.extend(&column.taps);
                continue;
            };
            found.masked.push(Masked {
                mask: mask.clone(),
                taps: column.taps.clone(),
            });
            found.positions = found.positions.min(mask.len());
        }
        found
    }
}

/// Planes that are read, laid out so that a tap lies at one distance from all positions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) values: &'a [f32],
    /// From a plane to the next.
    pub(super) pitch: usize,
    pub(super) count: usize,
}

/// The filters of a block of results. The weight of a tap is found `row` elements on for each result, `next` for each
/// source, and by the tap's index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filters<'a> {
    pub(super) values: &'a [f32],
    pub(super) row: usize,
    pub(super) next: usize,
}

/// What a block of results is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operands<'a> {
    pub(super) sources: Sources<'a>,
    pub(super) filters: Filters<'a>,
    /// The starts of the sums, one for each result.
    pub(super) starts: &'a [f32],
    /// Memory to bring into the cache meanwhile.
    pub(super) ahead: &'a [f32],
}

/// The convolution of all sources to a block of results.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) operands: Operands<'a>,
    pub(super) taps: &'a Taps,
    /// Positions of a result.
    pub(super) length: usize,
}

/// Returns the vectors that are computed side by side for so many results: with these as many sums as hide the latency
/// of multiply-add and fit the registers together with what they are made of.
const fn vectors<S: Simd>(results: usize) -> usize {
    match (S::F32_LANES, S::REGISTER_COUNT) {
        (1, _) => 4, // which compilers put together
        (_, 32) => [6, 6, 4, 4, 2, 2][results - 1],
        _ => [6, 4, 4, 2, 2, 2][results - 1],
    }
}

impl Block<'_> {
    /// Writes all positions of the results, whose planes lie `pitch` elements apart, as many results as there are
    /// starts.
    ///
    /// # Safety
    ///
    /// `to` must be valid for reads and writes of [`length`](Self::length) elements of each result's plane.
    ///
    /// # Panics
    ///
    /// If there are no results or more than [`RESULTS`], or fewer positions than a vector has lanes; if sources,
    /// weights or masks are too short.
    #[inline(always)]
    pub(super) unsafe fn convolve<S: Simd>(&self, simd: S, to: *mut f32, pitch: usize) {
        let Self {
            operands,
            taps,
            length,
        } = *self;
        let Operands {
            sources, filters, ..
        } = operands;
        let results = operands.starts.len();
        let planes = (sources.count - 1) * sources.pitch + taps.reach + length;
        let weights = (results - 1) * filters.row + (sources.count - 1) * filters.next + taps.last;
        assert!((1..=RESULTS).contains(&results) && length >= S::F32_LANES);
        assert!(sources.values.len() >= planes && filters.values.len() > weights);
        assert!(taps.positions >= length);
        // SAFETY: the assertions keep sources, weights and masks in their slices for all positions; the caller promises
        // `to`.
        unsafe {
            match results {
                1 => self.rows::<S, 1>(simd, to, pitch),
                2 => self.rows::<S, 2>(simd, to, pitch),
                3 => self.rows::<S, 3>(simd, to, pitch),
                4 => self.rows::<S, 4>(simd, to, pitch),
                5 => self.rows::<S, 5>(simd, to, pitch),
                _ => self.rows::<S, RESULTS>(simd, to, pitch),
            }
        }
    }

    /// Computes `M` results.
    ///
    /// # Safety
    ///
    /// There must be as many results. Sources, from the distance of each tap on, weights, masks and the results must be
    /// valid for all positions, which are a vector at least.
    #[inline(always)]
    unsafe fn rows<S: Simd, const M: usize>(&self, simd: S, to: *mut f32, pitch: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match const { vectors::<S>(M) } {
                2 => self.vectors::<S, M, 2>(simd, to, pitch),
                4 => self.vectors::<S, M, 4>(simd, to, pitch),
                _ => self.vectors::<S, M, 6>(simd, to, pitch),
            }
        }
    }

    /// Computes `M` results, `N` vectors of positions at a time and fewer of what is left. The last vectors may overlap
    /// those before.
    ///
    /// # Safety
    ///
    /// As for [`rows`](Self::rows).
    #[inline(always)]
    unsafe fn vectors<S: Simd, const M: usize, const N: usize>(
        &self,
        simd: S,
        to: *mut f32,
        pitch: usize,
    ) {
        let (lanes, length) = (S::F32_LANES, self.length);
        let blocks = length.div_ceil(N * lanes);
        let ahead = self.operands.ahead;
        let mut ahead = ahead.chunks(ahead.len().div_ceil(blocks).max(1));
        let mut first = 0;
        // SAFETY: these are positions.
        unsafe {
            while first < length {
                prefetch(ahead.next().unwrap_or_default());
                let left = length - first;
                if left > 2 * lanes && length >= N * lanes {
                    first = first.min(length - N * lanes);
                    self.some::<S, M, N>(simd, first, to, pitch);
                    first += N * lanes;
                } else if left > lanes && length >= 2 * lanes {
                    first = first.min(length - 2 * lanes);
                    self.some::<S, M, 2>(simd, first, to, pitch);
                    first += 2 * lanes;
                } else {
                    first = first.min(length - lanes);
                    self.some::<S, M, 1>(simd, first, to, pitch);
                    first += lanes;
                }
            }
        }
    }

    /// Computes `N` vectors of `M` results from position `first` on.
    ///
    /// # Safety
    ///
    /// As for [`rows`](Self::rows); these must be positions.
    #[inline(always)]
    unsafe fn some<S: Simd, const M: usize, const N: usize>(
        &self,
        simd: S,
        first: usize,
        to: *mut f32,
        pitch: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match const { masks_values(M) } {
                true => self.with_masked_values::<S, M, N>(simd, first, to, pitch),
                false => self.with_masked_sums::<S, M, N>(simd, first, to, pitch),
            }
        }
    }

    /// Computes results from values of which each is masked as it is read.
    ///
    /// # Safety
    ///
    /// As for [`some`](Self::some).
    #[inline(always)]
    unsafe fn with_masked_values<S: Simd, const M: usize, const N: usize>(
        &self,
        simd: S,
        first: usize,
        to: *mut f32,
        pitch: usize,
    ) {
        let Operands {
            sources, filters, ..
        } = self.operands;
        let Taps { plain, masked, .. } = self.taps;
        let mut sums: [[S::f32s; N]; M] = std::array::from_fn(
            #[inline(always)]
            |m| [simd.splat_f32s(self.operands.starts[m]); N],
        );
        // Beyond the last source these point to nothing.
        let mut source = sources.values.as_ptr().wrapping_add(first);
        let mut weights = filters.values.as_ptr();
        // SAFETY: the caller promises sources, weights, masks and results for these positions.
        unsafe {
            for _ in 0..sources.count {
                for &(index, distance) in plain {
                    let tap = (source.add(distance), weights.add(index));
                    add_products(simd, &mut sums, tap, None, filters.row);
                }
                for Masked { mask, taps } in masked {
                    let mask = mask.as_ptr().add(first).cast::<[S::u32s; N]>();
                    let mask = mask.read_unaligned();
                    for &(index, distance) in taps {
                        let tap = (source.add(distance), weights.add(index));
                        add_products(simd, &mut sums, tap, Some(mask), filters.row);
                    }
                }
                source = source.wrapping_add(sources.pitch);
                weights = weights.wrapping_add(filters.next);
            }
            write(sums, to.add(first), pitch);
        }
    }

    /// Computes results of which the sums of each column with a mask are masked.
    ///
    /// # Safety
    ///
    /// As for [`some`](Self::some).
    #[inline(always)]
    unsafe fn with_masked_sums<S: Simd, const M: usize, const N: usize>(
        &self,
        simd: S,
        first: usize,
        to: *mut f32,
        pitch: usize,
    ) {
        let Taps { plain, masked, .. } = self.taps;
        let to = to.wrapping_add(first);
        // The sums of the columns before are kept in the results, and not in registers, which those of one column fill.
        for index in 0..masked.len().max(1) {
            // SAFETY: the caller's promise. The results are read after the first column has written them.
            unsafe {
                let mut sums: [[S::f32s; N]; M];
                if let Some(Masked { mask, taps }) = masked.get(index) {
                    sums = self.add(simd, taps, first, [[simd.splat_f32s(0.0); N]; M]);
                    let mask = mask.as_ptr().add(first).cast::<S::u32s>();
                    let before = self.before::<S, M, N>(simd, index, to, pitch);
                    for (sums, before) in sums.iter_mut().zip(before) {
                        for (n, (sum, before)) in sums.iter_mut().zip(before).enumerate() {
                            let mask = mask.add(n).read_unaligned();
                            *sum = simd.add_f32s(before, masked_by(simd, *sum, mask));
                        }
                    }
                } else {
                    sums = self.before(simd, index, to, pitch);
                }
                // These have the first column's sums in registers.
                let plain = if index == 0 { &plain[..] } else { &[] };
                sums = self.add(simd, plain, first, sums);
                write(sums, to, pitch);
            }
        }
    }

    /// Returns the sums of the columns before column `index`, which are in the results.
    ///
    /// # Safety
    ///
    /// If there are columns before, `to` must hold `N` vectors of each result.
    #[inline(always)]
    unsafe fn before<S: Simd, const M: usize, const N: usize>(
        &self,
        simd: S,
        index: usize,
        to: *const f32,
        pitch: usize,
    ) -> [[S::f32s; N]; M] {
        std::array::from_fn(
            #[inline(always)]
            |m| match index {
                0 => [simd.splat_f32s(self.operands.starts[m]); N],
                // SAFETY: the caller's promise.
                _ => unsafe { to.add(m * pitch).cast::<[S::f32s; N]>().read_unaligned() },
            },
        )
    }

    /// Adds the products of some taps of all sources to the sums.
    ///
    /// # Safety
    ///
    /// As for [`some`](Self::some).
    #[inline(always)]
    unsafe fn add<S: Simd, const M: usize, const N: usize>(
        &self,
        simd: S,
        taps: &[Tap],
        first: usize,
        mut sums: [[S::f32s; N]; M],
    ) -> [[S::f32s; N]; M] {
        let Operands {
            sources, filters, ..
        } = self.operands;
        // Beyond the last source these point to nothing.
        let mut source = sources.values.as_ptr().wrapping_add(first);
        let mut weights = filters.values.as_ptr();
        for _ in 0..sources.count {
            for &(index, distance) in taps {
                // SAFETY: the caller promises sources and weights.
                unsafe {
                    let tap = (source.add(distance), weights.add(index));
                    add_products(simd, &mut sums, tap, None, filters.row);
                }
            }
            source = source.wrapping_add(sources.pitch);
            weights = weights.wrapping_add(filters.next);
        }
        sums
    }
}

/// Returns whether for so many results the values are masked, whose masks fit the registers then, and not the sums.
/// Measured with AVX2 on 19 x 19 pixels, GFLOP/s of masked sums and masked values: 35 and 40 with 2 results, 48 and 35
/// with 3, 51 and 55 with 4, 73 and 68 with 5.
const fn masks_values(results: usize) -> bool {
    matches!(results, 1 | 2 | 4)
}

/// Returns a vector with zeros where a mask has no bits.
#[inline(always)]
fn masked_by<S: Simd>(simd: S, vector: S::f32s, mask: S::u32s) -> S::f32s {
    let bits = simd.and_u32s(simd.transmute_u32s_f32s(vector), mask);
    simd.transmute_f32s_u32s(bits)
}

/// Adds the products of some vectors of a source, masked or not, with a weight of each result, which lie `row` elements
/// apart.
///
/// # Safety
///
/// The source must be valid for reads of `N` vectors, and the first weight for reads of `M`.
#[inline(always)]
unsafe fn add_products<S: Simd, const M: usize, const N: usize>(
    simd: S,
    sums: &mut [[S::f32s; N]; M],
    (source, weight): (*const f32, *const f32),
    mask: Option<[S::u32s; N]>,
    row: usize,
) {
    let value = |n: usize| {
        // SAFETY: the caller's promise.
        let value = unsafe { source.cast::<S::f32s>().add(n).read_unaligned() };
        match mask {
            None => value,
            Some(mask) => masked_by(simd, value, mask[n]),
        }
    };
    // The smaller number of factors is kept in registers, the others are read one by one.
    // SAFETY: the caller's promise.
    unsafe {
        if const { N > M } {
            let weights: [S::f32s; M] = std::array::from_fn(
                #[inline(always)]
                |m| simd.splat_f32s(*weight.add(m * row)),
            );
            for n in 0..N {
                let value = value(n);
                for (sums, weight) in sums.iter_mut().zip(weights) {
                    sums[n] = simd.mul_add_e_f32s(weight, value, sums[n]);
                }
            }
        } else {
            let values: [S::f32s; N] = std::array::from_fn(value);
            for (m, sums) in sums.iter_mut().enumerate() {
                let weight = simd.splat_f32s(*weight.add(m * row));
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = simd.mul_add_e_f32s(weight, value, *sum);
                }
            }
        }
    }
}

/// Writes the sums of `M` results, which lie `pitch` elements apart.
///
/// # Safety
///
/// `to` must be valid for writes of `N` vectors of each.
#[inline(always)]
unsafe fn write<V, const M: usize, const N: usize>(sums: [[V; N]; M], to: *mut f32, pitch: usize) {
    for (m, sums) in sums.into_iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe { to.add(m * pitch).cast::<[V; N]>().write_unaligned(sums) };
    }
}

/// Divides the results of a group into blocks of about the same size, as few as possible.
pub(super) fn blocks(results: usize) -> impl ExactSizeIterator<Item = Range<usize>> + Clone {
    let count = results.div_ceil(RESULTS);
    (0..count).map(move |index| portion(index, count, results))
}
