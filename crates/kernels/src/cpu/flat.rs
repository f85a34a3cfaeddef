//! Small planes at stride 1 whose output is as large as their input: the inner loops of their convolution.
//!
//! A plane is copied as it is, between two guards of zeros, so that a tap lies at one distance from
//! every output. What a tap reads across the left or right border of its row is masked out; above and
//! below it meets the guards. Against the padded layout of [`PlaneLayout`](super::plane::PlaneLayout) no row is
//! handled by itself, which counts where rows are shorter than vectors.

use pulp::Simd;

use super::MAX_LANES;
use super::aligned::LINE;
use super::copy::copy;
use super::output::Unwritten;
use super::taps::Lanes;
use super::vector::{load, store};
use crate::Geometry;

/// Planes of a depthwise convolution with more pixels than this gain nothing: the masks would take the cache from them.
const PIXELS: usize = 1024;
/// Planes of this many times the zeros that are added to a guard have guards of whole cache lines.
const MOST_GUARD: usize = 16;
/// Vectors computed side by side, to hide the latency of multiply-add.
const BLOCK: usize = 4;

/// Taps of one column of the kernel, and the outputs that they serve.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// For each output all bits if the column lies on the input, else none; `None` if it always does. Ends in zeros that
    /// fill up a vector.
    pub(super) mask: Option<Vec<u32>>,
    /// The kernel's index and the distance in the buffer of each tap.
    pub(super) taps: Vec<(usize, usize)>,
}

/// The positions of a convolution's taps in a plane without padding.
#[derive(Debug, Clone)]
pub(super) struct FlatLayout {
    /// Pixels of a plane.
    pixels: usize,
    /// Zeros before and after the plane, at least as many as the farthest tap is apart.
    guard: usize,
    columns: Vec<Column>,
}

impl FlatLayout {
    /// Returns the layout of a convolution, or `None` if it is none for this kernel.
    pub(super) fn new(geometry: &Geometry, input: [usize; 2], output: [usize; 2]) -> Option<Self> {
        if geometry.stride != [1, 1] || input != output {
            return None;
        }
        Some(Self::with_direction(geometry, input, 1))
    }

    /// Returns the layout of the input's gradient, with every tap in the opposite direction, or `None` if
    /// the convolution is none for this kernel.
    pub(super) fn of_gradient(
        geometry: &Geometry,
        input: [usize; 2],
        output: [usize; 2],
    ) -> Option<Self> {
        if geometry.stride != [1, 1] || input != output {
            return None;
        }
        Some(Self::with_direction(geometry, input, -1))
    }

    /// Returns whether planes are so small that a depthwise convolution is faster in this layout.
    pub(super) fn is_small([height, width]: [usize; 2]) -> bool {
        height * width <= PIXELS
    }

    fn with_direction(geometry: &Geometry, [height, width]: [usize; 2], direction: isize) -> Self {
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
        let pixels = height * width;
        let guard = farthest.unwrap_or(0);
        // Then planes begin with a cache line, which the vectors of a tap straight above or below don't straddle.
        let aligned = guard.next_multiple_of(LINE);
        let guard = match pixels.is_multiple_of(LINE) && (aligned - guard) * MOST_GUARD <= pixels {
            true => aligned,
            false => guard,
        };
        let columns = (0..kernel[1]).map(|j| {
            let inside = |x: usize| (0..width as isize).contains(&(x as isize + column(j)));
            let everywhere = (0..width).all(inside);
            let mask = || {
                let row = (0..width).map(|x| if inside(x) { u32::MAX } else { 0 });
                let mut mask = row.collect::<Vec<u32>>().repeat(height);
                mask.resize(pixels.next_multiple_of(MAX_LANES), 0);
                mask
            };
            Column {
                mask: (!everywhere).then(mask),
                taps: (0..kernel[0])
                    .map(|i| {
                        let position = guard as isize + distance(i, j);
                        (i * kernel[1] + j, position.unsigned_abs()) // not negative: `guard` is no less than the farthest
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

    /// Returns the layout of some planes in one buffer, with a guard between each two that serves both.
    ///
    /// Outputs in the guards are unspecified, and gradients there must be zero.
    pub(super) fn joined(&self, planes: usize) -> Self {
        let pixels = (planes - 1) * self.pitch() + self.pixels;
        let columns = self.columns.iter().map(|column| Column {
            mask: column
                .mask
                .as_ref()
                .map(|mask| self.repeated(mask, planes, pixels)),
            taps: column.taps.clone(),
        });
        Self {
            pixels,
            guard: self.guard,
            columns: columns.collect(),
        }
    }

    /// Returns a mask that has all bits on the planes that are joined, and none in the guards between them.
    pub(super) fn on_joined(&self, planes: usize) -> Vec<u32> {
        let pixels = (planes - 1) * self.pitch() + self.pixels;
        self.repeated(&vec![u32::MAX; self.pixels], planes, pixels)
    }

    /// Repeats a plane's mask for planes that are joined.
    fn repeated(&self, mask: &[u32], planes: usize, pixels: usize) -> Vec<u32> {
        let mut joined = vec![0; pixels.next_multiple_of(MAX_LANES)];
        for to in joined.chunks_mut(self.pitch()).take(planes) {
            to[..self.pixels].copy_from_slice(&mask[..self.pixels]);
        }
        joined
    }

    /// Returns the elements from a plane to the next, where they are joined.
    pub(super) fn pitch(&self) -> usize {
        self.pixels + self.guard
    }

    /// Returns the zeros before the first plane of a buffer.
    pub(super) fn guard(&self) -> usize {
        self.guard
    }

    /// Returns the columns of the kernel.
    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the pixels of a plane.
    pub(super) fn pixels(&self) -> usize {
        self.pixels
    }

    /// Returns the elements of a buffer for a plane between its guards, with room for whole vectors.
    pub(super) fn length(&self) -> usize {
        2 * self.guard + self.pixels.next_multiple_of(MAX_LANES)
    }

    /// Returns the elements of a buffer for a plane that ends in zeros.
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

    /// Writes `output[i] = start + sum over taps of filter[tap] * buffer[i + distance]`, without the
    /// taps beyond the borders.
    #[inline(always)]
    pub(super) fn gather<'a, S: Simd>(
        &self,
        simd: S,
        buffer: &[f32],
        filter: &[f32],
        output: &'a mut Unwritten,
        start: f32,
    ) -> &'a mut [f32] {
        assert!(output.len() == self.pixels);
        // SAFETY: the output has an element for each pixel. With a value to start from nothing is
        // read from it, and afterwards all of it is written.
        unsafe {
            let to = output.as_mut_ptr().cast();
            self.gather_from(simd, buffer, filter, to, Some(start));
            output.assume_init_mut()
        }
    }

    /// Writes what [`gather`](Self::gather) does over values.
    #[inline(always)]
    pub(super) fn gather_over<S: Simd>(
        &self,
        simd: S,
        buffer: &[f32],
        filter: &[f32],
        output: &mut [f32],
    ) {
        assert!(output.len() == self.pixels);
        // SAFETY: the output has an element for each pixel.
        unsafe { self.gather_from(simd, buffer, filter, output.as_mut_ptr(), Some(0.0)) };
    }

    /// Adds what [`gather`](Self::gather) would write to what is in the output.
    #[inline(always)]
    pub(super) fn gather_more<S: Simd>(
        &self,
        simd: S,
        buffer: &[f32],
        filter: &[f32],
        output: &mut [f32],
    ) {
        assert!(output.len() == self.pixels);
        // SAFETY: the output has a value for each pixel.
        unsafe { self.gather_from(simd, buffer, filter, output.as_mut_ptr(), None) };
    }

    /// Writes all of an output; the sums start from a value, or from what is there.
    ///
    /// # Safety
    ///
    /// `to` must be valid for as many elements as a plane has pixels, and hold values where `start` is
    /// `None`.
    #[inline(always)]
    unsafe fn gather_from<S: Simd>(
        &self,
        simd: S,
        buffer: &[f32],
        filter: &[f32],
        to: *mut f32,
        start: Option<f32>,
    ) {
        assert!(buffer.len() >= self.length());
        let (lanes, pixels) = (S::F32_LANES, self.pixels);
        let mut last = [0.0; MAX_LANES];
        let mut i = 0;
        // SAFETY: `to` is accessed below `pixels`: each block ends at or before the last pixel, or has
        // `last` as its output, which has room for a vector. Values are read from it where the caller
        // promises them. For blocks of fewer pixels than a vector, buffer and masks have room.
        unsafe {
            if pixels < lanes {
                if start.is_none() {
                    for (i, last) in last.iter_mut().enumerate().take(pixels) {
                        *last = to.add(i).read();
                    }
                }
                self.block::<S, 1>(simd, buffer, filter, 0, last.as_mut_ptr(), start);
                for (i, last) in last.iter().enumerate().take(pixels) {
                    to.add(i).write(*last);
                }
                return;
            }
            let rest = pixels - lanes;
            if start.is_none() && pixels % lanes > 0 {
                // The last vector overlaps the one before, which must not be added to twice.
                store::<S>(&mut last, to.add(rest).cast::<S::f32s>().read_unaligned());
            }
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
                self.block::<S, 1>(simd, buffer, filter, rest, last.as_mut_ptr(), start);
                let last = load::<S>(&last);
                to.add(rest).cast::<S::f32s>().write_unaligned(last);
            }
        }
    }

    /// Computes `N` vectors of outputs from output `i` on, into `to`.
    ///
    /// # Safety
    ///
    /// `buffer` must have [`length`](Self::length) elements. `to` must be valid for `N` vectors, which
    /// hold values where `start` is `None`. The outputs must be pixels, or lie in the first vector.
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
        // SAFETY: `to` has `N` vectors, which are read where they hold values. A distance is at most
        // twice the guard, so that the buffer goes on beyond the last lane of any pixel and of the first
        // vector. A mask has a value for each pixel and goes on to a whole vector.
        unsafe {
            if start.is_none() {
                for (n, sum) in sums.iter_mut().enumerate() {
                    *sum = to.add(n).read_unaligned();
                }
            }
            for column in &self.columns {
                let mut of_column = [simd.splat_f32s(0.0); N];
                for &(tap, distance) in &column.taps {
                    let weight = simd.splat_f32s(filter[tap]);
                    let from = buffer.as_ptr().add(distance + i).cast::<S::f32s>();
                    for (n, sum) in of_column.iter_mut().enumerate() {
                        *sum = simd.mul_add_e_f32s(weight, from.add(n).read_unaligned(), *sum);
                    }
                }
                if let Some(mask) = &column.mask {
                    let mask = mask.as_ptr().add(i).cast::<S::u32s>();
                    for (n, sum) in of_column.iter_mut().enumerate() {
                        let bits = simd.transmute_u32s_f32s(*sum);
                        let bits = simd.and_u32s(bits, mask.add(n).read_unaligned());
                        *sum = simd.transmute_f32s_u32s(bits);
                    }
                }
                for (sum, of_column) in sums.iter_mut().zip(of_column) {
                    *sum = simd.add_f32s(*sum, of_column);
                }
            }
            for (n, sum) in sums.into_iter().enumerate() {
                to.add(n).write_unaligned(sum);
            }
        }
    }

    /// Adds `buffer[i + distance] * gradient[i]` over the pixels to the lanes of each tap, without those
    /// beyond the borders; `gradient` ends in zeros, see [`padded`](Self::padded).
    #[inline(always)]
    pub(super) fn correlate<S: Simd>(
        &self,
        simd: S,
        buffer: &[f32],
        gradient: &[f32],
        sums: &mut [Lanes],
    ) {
        for column in &self.columns {
            let (threes, rest) = column.taps.as_chunks::<3>();
            for taps in threes {
                self.correlate_some(simd, buffer, gradient, (taps, column), sums);
            }
            for tap in rest {
                let taps = std::array::from_ref(tap);
                self.correlate_some(simd, buffer, gradient, (taps, column), sums);
            }
        }
    }

    /// Correlates some taps of one column.
    #[inline(always)]
    fn correlate_some<S: Simd, const TAPS: usize>(
        &self,
        simd: S,
        buffer: &[f32],
        gradient: &[f32],
        (taps, column): (&[(usize, usize); TAPS], &Column),
        lanes: &mut [Lanes],
    ) {
        assert!(buffer.len() >= self.length() && gradient.len() >= self.padded());
        let mut sums = taps.map(
            #[inline(always)]
            |(tap, _)| load::<S>(&lanes[tap]),
        );
        let end = self.pixels.next_multiple_of(S::F32_LANES);
        let mut i = 0;
        while i < end {
            // SAFETY: `i` and a vector are at most `end`, which is at most the length of the gradient and of a
            // mask. A distance is at most twice the guard, so that the buffer goes on for a vector from
            // `distance + i`.
            unsafe {
                let mut dy = gradient.as_ptr().add(i).cast::<S::f32s>().read_unaligned();
                if let Some(mask) = &column.mask {
                    let mask = mask.as_ptr().add(i).cast::<S::u32s>().read_unaligned();
                    let bits = simd.and_u32s(simd.transmute_u32s_f32s(dy), mask);
                    dy = simd.transmute_f32s_u32s(bits);
                }
                for (sum, &(_, distance)) in sums.iter_mut().zip(taps) {
                    let from = buffer.as_ptr().add(distance + i).cast::<S::f32s>();
                    *sum = simd.mul_add_e_f32s(from.read_unaligned(), dy, *sum);
                }
            }
            i += S::F32_LANES;
        }
        for ((tap, _), sum) in taps.iter().zip(sums) {
            store::<S>(&mut lanes[*tap], sum);
        }
    }
}
