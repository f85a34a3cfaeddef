//! The inner loops of the weight's gradient: correlations of sources with the gradients of several results at a time,
//! with their sums in registers.
//!
//! A *pair* is a source and a tap. Each vector that is read of a gradient is multiplied by the values of some pairs,
//! and each vector of a pair by the gradients of all results of a block.

use pulp::Simd;

use super::super::flat::{Column, FlatLayout};
use super::super::plane::PlaneLayout;
use super::direct::RESULTS;
use crate::Geometry;

/// Sources whose columns are correlated one after the other, so that they stay in the first-level cache.
const NEAR: usize = 8;

/// The layouts of sources and gradients in which each tap is one distance from a gradient to its source.
#[derive(Debug, Clone)]
pub(super) struct CorrelationLattice {
    layout: Layout,
    columns: Vec<Column>,
    /// Positions, a multiple of [`MAX_LANES`].
    length: usize,
}

#[derive(Debug, Clone)]
enum Layout {
    /// Sources between guards.
    Flat(FlatLayout),
    /// Sources in phases, gradients a pitch apart.
    Planes(PlaneLayout),
}

impl CorrelationLattice {
    /// Returns the lattice for planes of these heights and widths.
    pub(super) fn new(geometry: Geometry, input: [usize; 2], output: [usize; 2]) -> Self {
        if let Some(layout) = FlatLayout::new(&geometry, input, output) {
            return Self {
                columns: layout.columns().to_vec(),
                length: layout.padded(),
                layout: Layout::Flat(layout),
            };
        }
        let layout = PlaneLayout::new(geometry, input, output);
        let column = Column {
            mask: None,
            taps: layout.distances().into_iter().enumerate().collect(),
        };
        Self {
            columns: vec![column],
            length: layout.output_length(),
            layout: Layout::Planes(layout),
        }
    }

    /// Returns the elements of a buffer for a source, which must be zero at first.
    pub(super) fn source_length(&self) -> usize {
        match &self.layout {
            Layout::Flat(layout) => layout.length(),
            Layout::Planes(layout) => layout.length(),
        }
    }

    /// Returns the elements of a buffer for a gradient, which must be zero at first.
    pub(super) fn gradient_length(&self) -> usize {
        match &self.layout {
            Layout::Flat(layout) => layout.padded(),
            Layout::Planes(layout) => layout.gradient_length(),
        }
    }

    /// Returns the positions.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Writes a source's plane into its buffer.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(&self, simd: S, plane: &[f32], buffer: &mut [f32]) {
        match &self.layout {
            Layout::Flat(layout) => layout.fill(simd, plane, buffer),
            Layout::Planes(layout) => layout.fill(simd, plane, buffer),
        }
    }

    /// Writes a gradient's plane into its buffer.
    #[inline(always)]
    pub(super) fn fill_gradient<S: Simd>(&self, simd: S, plane: &[f32], buffer: &mut [f32]) {
        match &self.layout {
            Layout::Flat(layout) => layout.fill_padded(simd, plane, buffer),
            Layout::Planes(layout) => layout.fill_gradient(simd, plane, buffer),
        }
    }

    /// Adds the products of the positions of some images to the lanes of each result, source and tap.
    ///
    /// # Panics
    ///
    /// If there are no results or more than [`RESULTS`], or operands or lanes are too short.
    #[inline(always)]
    pub(super) fn correlate<S: Simd>(&self, simd: S, operands: &Operands, lanes: &mut [f32]) {
        let guard = match &self.layout {
            Layout::Flat(_) => 0,
            Layout::Planes(layout) => layout.guard(),
        };
        let Operands {
            images,
            sources,
            gradients,
        } = *operands;
        let taps = || self.columns.iter().flat_map(|column| &column.taps);
        let count = taps().count();
        let reach = taps().map(|&(_, distance)| distance).max().unwrap_or(0);
        assert!(images > 0 && sources.count > 0 && gradients.count > 0);
        assert!(reach + self.length <= sources.pitch && guard + self.length <= gradients.pitch);
        assert!(sources.image >= sources.count * sources.pitch);
        assert!(gradients.image >= gradients.count * gradients.pitch);
        assert!(sources.values.len() >= images * sources.image);
        assert!(gradients.values.len() >= images * gradients.image);
        assert!(lanes.len() >= gradients.count * sources.count * count * S::F32_LANES);
        assert!(taps().all(|&(index, _)| index < count));
        let masks = self
            .columns
            .iter()
            .filter_map(|column| column.mask.as_ref());
        assert!(masks.map(Vec::len).all(|mask| mask >= self.length));
        let run = Run {
            columns: &self.columns,
            taps: count,
            images,
            sources,
            gradients: Planes {
                values: &gradients.values[guard..],
                ..gradients
            },
            length: self.length,
        };
        let lanes = lanes.as_mut_ptr();
        // SAFETY: the assertions keep operands, masks and lanes in their slices.
        unsafe {
            match gradients.count {
                1 => run.rows::<S, 1>(simd, lanes),
                2 => run.rows::<S, 2>(simd, lanes),
                3 => run.rows::<S, 3>(simd, lanes),
                4 => run.rows::<S, 4>(simd, lanes),
                5 => run.rows::<S, 5>(simd, lanes),
                RESULTS => run.rows::<S, RESULTS>(simd, lanes),
                _ => unreachable_block(),
            }
        }
    }
}

#[expect(clippy::panic, reason = "documented")]
fn unreachable_block() {
    panic!("more results than a block has");
}

/// Planes of several images.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planes<'a> {
    pub(super) values: &'a [f32],
    /// Planes of an image.
    pub(super) count: usize,
    /// From a plane to the next.
    pub(super) pitch: usize,
    /// From an image to the next.
    pub(super) image: usize,
}

/// What is correlated: all sources of a group with the gradients of a block of results.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operands<'a> {
    pub(super) images: usize,
    pub(super) sources: Planes<'a>,
    pub(super) gradients: Planes<'a>,
}

/// A correlation, whose lanes are of `[results, sources, taps]`.
struct Run<'a> {
    columns: &'a [Column],
    taps: usize,
    images: usize,
    sources: Planes<'a>,
    gradients: Planes<'a>,
    length: usize,
}

/// Returns the pairs whose sums are computed side by side, with those of so many results.
const fn pairs<S: Simd>(results: usize) -> usize {
    match S::REGISTER_COUNT {
        32 => [6, 6, 6, 6, 3, 3][results - 1],
        _ => [6, 6, 3, 2, 2, 2][results - 1],
    }
}

/// A pair: the distance of its values from the position in the first source, and its index.
type Pair = (usize, usize);

impl Run<'_> {
    /// Correlates with `M` results.
    ///
    /// # Safety
    ///
    /// There must be as many gradients. Sources, from the distance of each tap on, gradients and masks must be valid
    /// for all positions, and `lanes` for a vector for each result, source and tap.
    #[inline(always)]
    unsafe fn rows<S: Simd, const M: usize>(&self, simd: S, lanes: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe {
            match const { pairs::<S>(M) } {
                2 => self.pairs::<S, M, 2>(simd, lanes),
                3 => self.pairs::<S, M, 3>(simd, lanes),
                _ => self.pairs::<S, M, 6>(simd, lanes),
            }
        }
    }

    /// Correlates with `M` results, `L` pairs at a time.
    ///
    /// # Safety
    ///
    /// As for [`rows`](Self::rows).
    #[inline(always)]
    unsafe fn pairs<S: Simd, const M: usize, const L: usize>(&self, simd: S, lanes: *mut f32) {
        let mut pairs: Vec<Pair> = Vec::with_capacity(NEAR * self.taps);
        for first in (0..self.sources.count).step_by(NEAR) {
            let sources = first..(first + NEAR).min(self.sources.count);
            for column in self.columns {
                pairs.clear();
                for source in sources.clone() {
                    let of_a_source = column.taps.iter().map(|&(index, distance)| {
                        (
                            source * self.sources.pitch + distance,
                            source * self.taps + index,
                        )
                    });
                    pairs.extend(of_a_source);
                }
                let mask = match &column.mask {
                    Some(mask) => mask.as_ptr(),
                    None => std::ptr::null(),
                };
                let (some, mut rest) = pairs.as_chunks::<L>();
                // SAFETY: the caller's promise, for these pairs.
                unsafe {
                    for pairs in some {
                        self.some::<S, M, L>(simd, pairs, mask, lanes);
                    }
                    if const { L > 3 }
                        && let Some((pairs, after)) = rest.split_first_chunk::<3>()
                    {
                        self.some::<S, M, 3>(simd, pairs, mask, lanes);
                        rest = after;
                    }
                    for pair in rest {
                        self.some::<S, M, 1>(simd, std::array::from_ref(pair), mask, lanes);
                    }
                }
            }
        }
    }

    /// Correlates `L` pairs with `M` results.
    ///
    /// # Safety
    ///
    /// As for [`rows`](Self::rows). `mask` is null where there is none.
    #[inline(always)]
    unsafe fn some<S: Simd, const M: usize, const L: usize>(
        &self,
        simd: S,
        pairs: &[Pair; L],
        mask: *const u32,
        lanes: *mut f32,
    ) {
        let row = self.sources.count * self.taps;
        let mut sums = [[simd.splat_f32s(0.0); L]; M];
        // SAFETY: the caller's promise.
        unsafe {
            for (m, sums) in sums.iter_mut().enumerate() {
                for (sum, pair) in sums.iter_mut().zip(pairs) {
                    let lanes = lanes.add((m * row + pair.1) * S::F32_LANES);
                    *sum = lanes.cast::<S::f32s>().read_unaligned();
                }
            }
            sums = match mask.is_null() {
                true => self.add::<S, M, L, false>(simd, pairs, mask, sums),
                false => self.add::<S, M, L, true>(simd, pairs, mask, sums),
            };
            for (m, sums) in sums.into_iter().enumerate() {
                for (sum, pair) in sums.into_iter().zip(pairs) {
                    let lanes = lanes.add((m * row + pair.1) * S::F32_LANES);
                    lanes.cast::<S::f32s>().write_unaligned(sum);
                }
            }
        }
    }

    /// Adds the products of `L` pairs and `M` results to the sums.
    ///
    /// # Safety
    ///
    /// As for [`some`](Self::some); there is a mask if `MASKED`.
    #[inline(always)]
    unsafe fn add<S: Simd, const M: usize, const L: usize, const MASKED: bool>(
        &self,
        simd: S,
        pairs: &[Pair; L],
        mask: *const u32,
        mut sums: [[S::f32s; L]; M],
    ) -> [[S::f32s; L]; M] {
        for image in 0..self.images {
            let sources = self.sources.values[image * self.sources.image..].as_ptr();
            let gradients = self.gradients.values[image * self.gradients.image..].as_ptr();
            let sources = pairs.map(
                #[inline(always)]
                |(distance, _)| sources.wrapping_add(distance),
            );
            let gradients: [*const f32; M] = std::array::from_fn(
                #[inline(always)]
                |m| gradients.wrapping_add(m * self.gradients.pitch),
            );
            for i in (0..self.length).step_by(S::F32_LANES) {
                // SAFETY: `i` and a vector are at most the positions, for which the caller promises all of these.
                // The smaller number of factors is masked and kept in registers, the others are read one by one.
                unsafe {
                    if const { M <= L } {
                        let gradients = gradients.map(
                            #[inline(always)]
                            |from| masked::<S, MASKED>(simd, from.add(i), mask.wrapping_add(i)),
                        );
                        for l in 0..L {
                            let value = sources[l].add(i).cast::<S::f32s>().read_unaligned();
                            for m in 0..M {
                                sums[m][l] = simd.mul_add_e_f32s(gradients[m], value, sums[m][l]);
                            }
                        }
                    } else {
                        let values = sources.map(
                            #[inline(always)]
                            |from| masked::<S, MASKED>(simd, from.add(i), mask.wrapping_add(i)),
                        );
                        for (from, sums) in gradients.into_iter().zip(&mut sums) {
                            let gradient = from.add(i).cast::<S::f32s>().read_unaligned();
                            for (sum, value) in sums.iter_mut().zip(values) {
                                *sum = simd.mul_add_e_f32s(gradient, value, *sum);
                            }
                        }
                    }
                }
            }
        }
        sums
    }
}

/// Reads a vector, with zeros at the positions that a mask excludes.
///
/// # Safety
///
/// `from` must be valid for a vector, and so must `mask` if `MASKED`.
#[inline(always)]
unsafe fn masked<S: Simd, const MASKED: bool>(
    simd: S,
    from: *const f32,
    mask: *const u32,
) -> S::f32s {
    // SAFETY: the caller's promise.
    unsafe {
        let vector = from.cast::<S::f32s>().read_unaligned();
        if !MASKED {
            return vector;
        }
        let mask = mask.cast::<S::u32s>().read_unaligned();
        let bits = simd.and_u32s(simd.transmute_u32s_f32s(vector), mask);
        simd.transmute_f32s_u32s(bits)
    }
}
