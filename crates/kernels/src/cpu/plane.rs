//! The layout of one channel's plane while a depthwise convolution works on it.

use pulp::Simd;

use super::MAX_LANES;
use super::output::{Filling, Unwritten, write_parts, write_values};
use super::vector::{write_first, write_vectors};
use crate::Geometry;

/// The layout of a padded plane in which a window moves by one element for each output, whatever the
/// stride.
///
/// With a stride of `s` rows and `t` columns the padded plane is divided into `s * t` *phases*: phase
/// `(a, b)` holds the pixels whose row is `a` modulo `s` and whose column is `b` modulo `t`. In a phase
/// each tap of the kernel lies at one fixed distance from the window's origin, and the next output is
/// one element on. The outputs have rows of the same length as the phases, the *pitch*; what is
/// computed past an output row's end is ignored.
#[derive(Debug, Clone)]
pub(super) struct PlaneLayout {
    geometry: Geometry,
    input: [usize; 2],
    output: [usize; 2],
    /// Rows of a phase.
    rows: usize,
    /// Columns of a phase.
    pitch: usize,
}

impl PlaneLayout {
    /// Returns the layout for planes of this height and width; `output` is that of the convolution.
    pub(super) fn new(geometry: Geometry, input: [usize; 2], output: [usize; 2]) -> Self {
        let extent = |axis: usize| {
            let last_tap = (geometry.kernel[axis] - 1) * geometry.dilation[axis];
            output[axis] + last_tap / geometry.stride[axis]
        };
        Self {
            geometry,
            input,
            output,
            rows: extent(0),
            pitch: extent(1),
        }
    }

    /// Returns the elements of one phase.
    fn phase_length(&self) -> usize {
        self.rows * self.pitch
    }

    /// Returns the number of phases.
    pub(super) fn phases(&self) -> usize {
        self.geometry.stride[0] * self.geometry.stride[1]
    }

    /// Returns the elements of a buffer for all phases, with room for whole vectors.
    pub(super) fn length(&self) -> usize {
        self.phases() * self.phase_length() + MAX_LANES
    }

    /// Returns the elements of a buffer for the outputs, with room for whole vectors.
    pub(super) fn output_length(&self) -> usize {
        self.outputs().next_multiple_of(MAX_LANES)
    }

    /// Returns the elements from the first to the last output.
    pub(super) fn outputs(&self) -> usize {
        (self.output[0] - 1) * self.pitch + self.output[1]
    }

    /// Returns the number of zeros before the first output's gradient in a buffer of
    /// [`gradient_length`](Self::gradient_length): no tap lies farther from the window's origin.
    pub(super) fn guard(&self) -> usize {
        self.phase_length() - self.outputs()
    }

    /// Returns the elements of a buffer for the outputs' gradient, with zeros around it.
    pub(super) fn gradient_length(&self) -> usize {
        self.guard() + self.phase_length() + MAX_LANES
    }

    /// Returns the elements of one phase that hold a part of the input's gradient.
    pub(super) fn phase_span(&self) -> usize {
        self.phase_length()
    }

    /// Returns the phase of each tap and the distance in it, in the kernel's order.
    pub(super) fn taps(&self) -> Vec<(usize, usize)> {
        let Geometry {
            kernel,
            stride,
            dilation,
            ..
        } = self.geometry;
        let mut taps = Vec::with_capacity(kernel[0] * kernel[1]);
        for i in 0..kernel[0] {
            for j in 0..kernel[1] {
                let (row, column) = (i * dilation[0], j * dilation[1]);
                let phase = row % stride[0] * stride[1] + column % stride[1];
                taps.push((phase, row / stride[0] * self.pitch + column / stride[1]));
            }
        }
        taps
    }

    /// Returns the distance of each tap in the buffer of all phases.
    pub(super) fn distances(&self) -> Vec<usize> {
        let length = self.phase_length();
        let taps = self.taps().into_iter();
        taps.map(|(phase, distance)| phase * length + distance)
            .collect()
    }

    /// Returns the positions along an axis, in one phase, that lie on the input.
    fn on_input(&self, axis: usize, phase: usize) -> std::ops::Range<usize> {
        let (before, _) = self.geometry.padding.pairs()[axis];
        let stride = self.geometry.stride[axis];
        let extent = [self.rows, self.pitch][axis];
        let first = before.saturating_sub(phase).div_ceil(stride);
        let end = (self.input[axis] + before).saturating_sub(phase);
        let end = end.div_ceil(stride).min(extent);
        first.min(end)..end
    }

    /// Writes a plane of the input into the phases; the padding stays as it is.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(&self, simd: S, plane: &[f32], phases: &mut [f32]) {
        let Geometry {
            stride, padding, ..
        } = self.geometry;
        let length = self.phase_length();
        for phase in 0..self.phases() {
            let (a, b) = (phase / stride[1], phase % stride[1]);
            let columns = self.on_input(1, b);
            if columns.is_empty() {
                continue; // the phase lies in the padding
            }
            for row in self.on_input(0, a) {
                let start = phase * length + row * self.pitch;
                let to = &mut phases[start + columns.start..start + columns.end];
                let from = (row * stride[0] + a - padding.top) * self.input[1];
                let first = columns.start * stride[1] + b - padding.left;
                let from = &plane[from + first..];
                match stride[1] {
                    1 => copy(simd, &from[..to.len()], to),
                    2 => every_second(from, to),
                    stride => {
                        for (to, from) in to.iter_mut().zip(from.iter().step_by(stride)) {
                            *to = *from;
                        }
                    }
                }
            }
        }
    }

    /// Writes the outputs, whose rows lie [`pitch`](Self::pitch) apart, into a plane.
    #[inline(always)]
    pub(super) fn emit<'a, S: Simd>(
        &self,
        simd: S,
        outputs: &[f32],
        plane: &'a mut Unwritten,
    ) -> &'a mut [f32] {
        let width = self.output[1];
        write_parts(
            plane,
            width,
            #[inline(always)]
            |row, to| write(simd, &outputs[row * self.pitch..][..width], to),
        )
    }

    /// Writes the gradient of a plane of outputs into a buffer that is zero elsewhere.
    #[inline(always)]
    pub(super) fn fill_gradient<S: Simd>(&self, simd: S, plane: &[f32], gradient: &mut [f32]) {
        let rows = gradient[self.guard()..].chunks_mut(self.pitch);
        for (to, from) in rows.zip(plane.chunks_exact(self.output[1])) {
            copy(simd, from, &mut to[..self.output[1]]);
        }
    }

    /// Writes the gradient of the phases into that of an input plane.
    #[inline(always)]
    pub(super) fn emit_gradient<'a, S: Simd>(
        &self,
        simd: S,
        phases: &[f32],
        plane: &'a mut Unwritten,
    ) -> &'a mut [f32] {
        write_parts(
            plane,
            self.input[1],
            #[inline(always)]
            |y, to| self.emit_gradient_row(simd, phases, y, to),
        )
    }

    /// Writes row `y` of the input's gradient.
    #[inline(always)]
    fn emit_gradient_row<'a, S: Simd>(
        &self,
        simd: S,
        phases: &[f32],
        y: usize,
        to: &'a mut Unwritten,
    ) -> &'a mut [f32] {
        let Geometry {
            stride, padding, ..
        } = self.geometry;
        let length = self.phase_length();
        let (row, a) = ((y + padding.top) / stride[0], (y + padding.top) % stride[0]);
        if row >= self.rows {
            return zeros(to);
        }
        let start = row * self.pitch;
        if stride[1] == 1 {
            let columns = self.on_input(1, 0);
            let outside = to.len() - columns.len();
            let from = &phases[a * length + start..][columns];
            let mut filling = Filling::new(to);
            filling.push(
                from.len(),
                #[inline(always)]
                |to| write(simd, from, to),
            );
            filling.push(outside, zeros);
            return filling.finish();
        }
        let phase = |phase: usize| {
            let phase = a * stride[1] + phase;
            &phases[phase * length + start..][..self.pitch]
        };
        let columns = padding.left..padding.left + to.len();
        if stride[1] == 2 {
            return interleave(phase(0), phase(1), padding.left, to);
        }
        let values = columns.map(
            #[inline(always)]
            |x| {
                let value = phase(x % stride[1]).get(x / stride[1]);
                value.copied().unwrap_or(0.0)
            },
        );
        write_values(to, values)
    }
}

/// Copies every second value, from the first on, as many as there is room for.
#[inline(always)]
fn every_second(from: &[f32], to: &mut [f32]) {
    // In pairs, of which compilers make vectors.
    let Some((last, to)) = to.split_last_mut() else {
        return;
    };
    for (to, [value, _]) in to.iter_mut().zip(from.as_chunks::<2>().0) {
        *to = *value;
    }
    *last = from[2 * to.len()];
}

/// Writes values of two slices in turns, beginning with value `first` of all, and zeros where they end.
#[inline(always)]
fn interleave<'a>(even: &[f32], odd: &[f32], first: usize, to: &'a mut Unwritten) -> &'a mut [f32] {
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

/// Copies a row. Rows are often shorter than a vector, where a call to `memcpy` would cost more.
#[inline(always)]
fn copy<S: Simd>(simd: S, from: &[f32], to: &mut [f32]) {
    let (vectors, rest) = S::as_simd_f32s(from);
    let (to_vectors, to_rest) = S::as_mut_simd_f32s(to);
    for (to, from) in to_vectors.iter_mut().zip(vectors) {
        *to = *from;
    }
    simd.partial_store_f32s(to_rest, simd.partial_load_f32s(rest));
}

/// Copies a row into unwritten memory of the same length.
#[inline(always)]
fn write<'a, S: Simd>(simd: S, from: &[f32], to: &'a mut Unwritten) -> &'a mut [f32] {
    let (vectors, rest) = S::as_simd_f32s(from);
    let mut filling = Filling::new(to);
    filling.push(
        from.len() - rest.len(),
        #[inline(always)]
        |to| write_vectors::<S>(vectors, to),
    );
    filling.push(
        rest.len(),
        #[inline(always)]
        |to| write_first(simd, to, simd.partial_load_f32s(rest)),
    );
    filling.finish()
}

/// Writes zeros.
#[inline(always)]
fn zeros(to: &mut Unwritten) -> &mut [f32] {
    write_values(to, std::iter::repeat(0.0))
}
