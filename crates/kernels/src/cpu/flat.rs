//! Small planes at stride 1 whose output is as large as their input: the inner loops of their convolution.
//!
//! A plane is copied as it is, between two guards of zeros, so that a tap lies at one distance from
//! every output. What a tap reads across the left or right border of its row is masked out; above and
//! below it meets the guards. Against the padded layout of [`PlaneLayout`](super::plane::PlaneLayout) no row is
//! handled by itself, which counts where rows are shorter than vectors.

use std::mem::MaybeUninit;

use pulp::Simd;

use super::MAX_LANES;
use super::copy::copy;
use super::output::Unwritten;
use super::taps::Lanes;
use crate::Geometry;

/// Planes with more pixels than this gain nothing: the masks would take the cache from them.
const PIXELS: usize = 1024;
/// Vectors computed side by side, to hide the latency of multiply-add.
const BLOCK: usize = 4;

/// Taps of one column of the kernel, and the outputs that they serve.
#[derive(Debug, Clone)]
struct Column {
    /// For each output all bits where the column lies on the input, else none; `None` where it does
    /// everywhere.
    mask: Option<Vec<u32>>,
    /// The kernel's index and the distance in the buffer of each tap.
    taps: Vec<(usize, usize)>,
}

/// Where the taps of a convolution lie in a plane without padding.
#[derive(Debug, Clone)]
pub(super) struct FlatLayout {
    /// Pixels of a plane.
    pixels: usize,
    /// Zeros before and after the plane.
    guard: usize,
    columns: Vec<Column>,
}

impl FlatLayout {
    /// The layout of a convolution, where it is one for this kernel.
    pub(super) fn new(geometry: &Geometry, input: [usize; 2], output: [usize; 2]) -> Option<Self> {
        let pixels = input[0] * input[1];
        if geometry.stride != [1, 1] || input != output || pixels > PIXELS {
            return None;
        }
        Some(Self::towards(geometry, input, 1))
    }

    /// The layout of the input's gradient: every tap in the opposite direction.
    pub(super) fn of_gradient(
        geometry: &Geometry,
        input: [usize; 2],
        output: [usize; 2],
    ) -> Option<Self> {
        Self::new(geometry, input, output).map(|_| Self::towards(geometry, input, -1))
    }

    fn towards(geometry: &Geometry, [height, width]: [usize; 2], direction: isize) -> Self {
        let Geometry {
            kernel,
            dilation,
            padding,
            ..
        } = *geometry;
        let shift = |index: usize, dilation: usize, before: usize| {
            direction * ((index * dilation) as isize - before as isize)
        };
        let row = |i: usize| shift(i, dilation[0], padding.top);
        let column = |j: usize| shift(j, dilation[1], padding.left);
        let distance = |i: usize, j: usize| row(i) * width as isize + column(j);
        let farthest = (0..kernel[0])
            .flat_map(|i| (0..kernel[1]).map(move |j| distance(i, j).unsigned_abs()))
            .max();
        let guard = farthest.unwrap_or(0);
        let pixels = height * width;
        let columns = (0..kernel[1]).map(|j| {
            let inside = |x: usize| (0..width as isize).contains(&(x as isize + column(j)));
            let everywhere = (0..width).all(inside);
            let mask = || {
                let bits = (0..pixels).map(|i| if inside(i % width) { u32::MAX } else { 0 });
                // Room for a whole vector where there are fewer pixels.
                let rest = MAX_LANES.saturating_sub(pixels);
                bits.chain(std::iter::repeat_n(0, rest)).collect()
            };
            Column {
                mask: (!everywhere).then(mask),
                taps: (0..kernel[0])
                    .map(|i| {
                        let place = guard as isize + distance(i, j);
                        (i * kernel[1] + j, place.unsigned_abs()) // not negative: `guard` is the farthest
                    })
                    .collect(),
            }
        });
        Self {
            pixels,
            guard,
            columns: columns.collect(),
        }
    }

    /// Elements of a buffer for a plane between its guards, with room for whole vectors.
    pub(super) fn length(&self) -> usize {
        2 * self.guard + self.pixels.next_multiple_of(MAX_LANES)
    }

    /// Elements of a buffer for a plane that ends in zeros.
    pub(super) fn padded(&self) -> usize {
        self.pixels.next_multiple_of(MAX_LANES)
    }

    /// Writes a plane between the guards of a buffer that is zero there.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(&self, _simd: S, plane: &[f32], buffer: &mut [f32]) {
        copy::<S>(plane, &mut buffer[self.guard..][..self.pixels]);
    }

    /// Writes a plane at the start of a buffer that is zero after it.
    #[inline(always)]
    pub(super) fn fill_padded<S: Simd>(&self, _simd: S, plane: &[f32], buffer: &mut [f32]) {
        copy::<S>(plane, &mut buffer[..self.pixels]);
    }

    /// `output[i] = start + sum over taps of filter[tap] * buffer[i + distance]`, without the taps beyond the
    /// borders; what `start` gives is a value, or the output itself where it is `None`.
    #[inline(always)]
    pub(super) fn gather<S: Simd>(
        &self,
        simd: S,
        buffer: &[f32],
        filter: &[f32],
        output: &mut Unwritten,
        start: Option<f32>,
    ) {
        assert!(buffer.len() >= self.length() && output.len() == self.pixels);
        let (lanes, pixels) = (S::F32_LANES, self.pixels);
        let to: *mut f32 = output.as_mut_ptr().cast();
        if pixels < lanes {
            let mut few = [0.0; MAX_LANES];
            if start.is_none() {
                for (few, value) in few.iter_mut().zip(&*output) {
                    // SAFETY: the caller wants what was written there before.
                    *few = unsafe { value.assume_init() };
                }
            }
            // SAFETY: a vector fits into `few`, and the buffer and the masks have room for it.
            unsafe { self.block::<S, 1>(simd, buffer, filter, 0, few.as_mut_ptr(), start) };
            for (value, few) in output.iter_mut().zip(few) {
                *value = MaybeUninit::new(few);
            }
            return;
        }
        let mut last = None;
        if start.is_none() && pixels % lanes > 0 {
            // The last vector overlaps the one before, which must not be added to twice.
            let mut values = [0.0; MAX_LANES];
            for (value, from) in values.iter_mut().zip(&output[pixels - lanes..]) {
                // SAFETY: as above.
                *value = unsafe { from.assume_init() };
            }
            last = Some(values);
        }
        let mut i = 0;
        // SAFETY: each block ends at or before the last pixel.
        unsafe {
            while i + BLOCK * lanes <= pixels {
                self.block::<S, BLOCK>(simd, buffer, filter, i, to.add(i), start);
                i += BLOCK * lanes;
            }
            match (pixels - i) / lanes {
                3 => self.block::<S, 3>(simd, buffer, filter, i, to.add(i), start),
                2 => self.block::<S, 2>(simd, buffer, filter, i, to.add(i), start),
                1 => self.block::<S, 1>(simd, buffer, filter, i, to.add(i), start),
                _ => {}
            }
            if pixels % lanes > 0 {
                let first = pixels - lanes;
                match last {
                    None => self.block::<S, 1>(simd, buffer, filter, first, to.add(first), start),
                    Some(mut values) => {
                        let few = values.as_mut_ptr();
                        self.block::<S, 1>(simd, buffer, filter, first, few, None);
                        to.add(first).copy_from_nonoverlapping(few, lanes);
                    }
                }
            }
        }
    }

    /// Computes `N` vectors of outputs from output `i` on, into `to`.
    ///
    /// # Safety
    ///
    /// `to` must be valid for `N` vectors, which hold values where `start` is `None`; outputs up to the
    /// last lane must be pixels, or else lie within the first vector.
    #[inline(always)]
    unsafe fn block<S: Simd, const N: usize>(
        &self,
        simd: S,
        buffer: &[f32],
        filter: &[f32],
        i: usize,
        to: *mut f32,
        start: Option<f32>,
    ) {
        let to = to.cast::<S::f32s>();
        let mut sums = [simd.splat_f32s(start.unwrap_or(0.0)); N];
        if start.is_none() {
            for (n, sum) in sums.iter_mut().enumerate() {
                // SAFETY: as the caller promises.
                *sum = unsafe { to.add(n).read_unaligned() };
            }
        }
        for column in &self.columns {
            let mut of_column = [simd.splat_f32s(0.0); N];
            for &(tap, distance) in &column.taps {
                let weight = simd.splat_f32s(filter[tap]);
                // SAFETY: `distance` is at most twice the guard, and the buffer goes that far beyond
                // the last lane.
                let from = unsafe { buffer.as_ptr().add(distance + i) }.cast::<S::f32s>();
                for (n, sum) in of_column.iter_mut().enumerate() {
                    // SAFETY: as above.
                    let values = unsafe { from.add(n).read_unaligned() };
                    *sum = simd.mul_add_e_f32s(weight, values, *sum);
                }
            }
            if let Some(mask) = &column.mask {
                // SAFETY: the mask has a value for each pixel, and at least a vector of them.
                let mask = unsafe { mask.as_ptr().add(i) }.cast::<S::u32s>();
                for (n, sum) in of_column.iter_mut().enumerate() {
                    // SAFETY: as above.
                    let mask = unsafe { mask.add(n).read_unaligned() };
                    let bits = simd.and_u32s(simd.transmute_u32s_f32s(*sum), mask);
                    *sum = simd.transmute_f32s_u32s(bits);
                }
            }
            for (sum, of_column) in sums.iter_mut().zip(of_column) {
                *sum = simd.add_f32s(*sum, of_column);
            }
        }
        for (n, sum) in sums.into_iter().enumerate() {
            // SAFETY: as the caller promises.
            unsafe { to.add(n).write_unaligned(sum) };
        }
    }

    /// Adds `buffer[i + distance] * gradient[i]` over the pixels to the lanes of each tap, without those beyond
    /// the borders; `gradient` ends in zeros, see [`padded`](Self::padded).
    #[inline(always)]
    pub(super) fn correlate<S: Simd>(
        &self,
        simd: S,
        buffer: &[f32],
        gradient: &[f32],
        sums: &mut [Lanes],
    ) {
        let end = self.pixels.next_multiple_of(S::F32_LANES);
        assert!(buffer.len() >= self.length() && gradient.len() >= self.padded());
        for column in &self.columns {
            let (threes, rest) = column.taps.as_chunks::<3>();
            for taps in threes {
                // SAFETY: the assertion above.
                unsafe { self.correlate_some(simd, buffer, gradient, end, (taps, column), sums) };
            }
            for tap in rest {
                let taps = std::array::from_ref(tap);
                // SAFETY: as above.
                unsafe { self.correlate_some(simd, buffer, gradient, end, (taps, column), sums) };
            }
        }
    }

    /// # Safety
    ///
    /// The buffers must be as long as [`length`](Self::length) and [`padded`](Self::padded) say.
    #[inline(always)]
    unsafe fn correlate_some<S: Simd, const TAPS: usize>(
        &self,
        simd: S,
        buffer: &[f32],
        gradient: &[f32],
        end: usize,
        (taps, column): (&[(usize, usize); TAPS], &Column),
        lanes: &mut [Lanes],
    ) {
        let mut sums = taps.map(|(tap, _)| {
            // SAFETY: a vector is no longer than `Lanes`.
            unsafe { lanes[tap].as_ptr().cast::<S::f32s>().read_unaligned() }
        });
        let whole = self.pixels.max(MAX_LANES);
        let mut i = 0;
        while i < end {
            // SAFETY: `i + lanes <= end`.
            let mut dy = unsafe { gradient.as_ptr().add(i).cast::<S::f32s>().read_unaligned() };
            if let Some(mask) = &column.mask {
                let mask = match i + S::F32_LANES <= whole {
                    // SAFETY: a mask has that many values.
                    true => unsafe { mask.as_ptr().add(i).cast::<S::u32s>().read_unaligned() },
                    false => simd.partial_load_u32s(&mask[i..]),
                };
                dy = simd.transmute_f32s_u32s(simd.and_u32s(simd.transmute_u32s_f32s(dy), mask));
            }
            for (sum, &(_, distance)) in sums.iter_mut().zip(taps) {
                // SAFETY: `distance` is at most twice the guard, and `i + lanes` at most what lies
                // between the guards.
                let from = unsafe { buffer.as_ptr().add(distance + i) }.cast::<S::f32s>();
                // SAFETY: as above.
                *sum = simd.mul_add_e_f32s(unsafe { from.read_unaligned() }, dy, *sum);
            }
            i += S::F32_LANES;
        }
        for ((tap, _), sum) in taps.iter().zip(sums) {
            // SAFETY: a vector is no longer than `Lanes`.
            unsafe {
                lanes[*tap]
                    .as_mut_ptr()
                    .cast::<S::f32s>()
                    .write_unaligned(sum)
            };
        }
    }
}
