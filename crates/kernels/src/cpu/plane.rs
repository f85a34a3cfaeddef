//! The layout of one channel's plane while a depthwise convolution works on it.

use std::ops::Range;

use pulp::Simd;

use super::MAX_LANES;
use super::copy::copy;
use super::output::{Unwritten, write_parts};
use super::rows::{interleave, join, spread, zeros};
use crate::Geometry;

/// The layout of a padded plane in which a window moves by one element for each output, whatever the
/// stride.
///
/// With a stride of `s` rows and `t` columns the padded plane is divided into `s * t` *phases*: phase
/// `(a, b)` holds the pixels whose row is `a` modulo `s` and whose column is `b` modulo `t`. In a phase
/// each tap of the kernel lies at one fixed distance from the window's origin, and the next output is
/// one element on. The outputs have rows of the same length as the phases, the *pitch*; what is
/// computed past an output row's end is ignored. At stride 1 the zeros before a row stand in for those after the row
/// above.
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
        let mut layout = Self {
            geometry,
            input,
            output,
            rows: extent(0),
            pitch: extent(1),
        };
        layout.pitch -= layout.shared();
        layout
    }

    /// Returns the columns after the input that those before it stand in for.
    fn shared(&self) -> usize {
        let before = self.geometry.padding.left;
        match self.geometry.stride[1] {
            1 => (self.pitch.saturating_sub(before + self.input[1]))
                .min(before)
                .min(self.reach()),
            _ => 0,
        }
    }

    /// Returns the columns that the last tap is from the window's origin.
    fn reach(&self) -> usize {
        (self.geometry.kernel[1] - 1) * self.geometry.dilation[1] / self.geometry.stride[1]
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
        self.phases() * self.phase_length() + self.reach() + MAX_LANES
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
        (self.rows - self.output[0]) * self.pitch + self.reach()
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
    fn on_input(&self, axis: usize, phase: usize) -> Range<usize> {
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
            if stride == [1, 1] && columns.len() == self.input[1] {
                let rows = self.on_input(0, 0);
                let first = rows.start - padding.top;
                let plane = &plane[first * columns.len()..][..rows.len() * columns.len()];
                let to = &mut phases[rows.start * self.pitch + columns.start..];
                return spread(simd, plane, columns.len(), to, self.pitch);
            }
            for row in self.on_input(0, a) {
                let start = phase * length + row * self.pitch;
                let to = &mut phases[start + columns.start..start + columns.end];
                let from = (row * stride[0] + a - padding.top) * self.input[1];
                let first = columns.start * stride[1] + b - padding.left;
                let from = &plane[from + first..];
                match stride[1] {
                    1 => copy::<S>(&from[..to.len()], to),
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
        join(simd, outputs, self.pitch, plane, self.output[1])
    }

    /// Writes the gradient of a plane of outputs into a buffer that is zero elsewhere.
    #[inline(always)]
    pub(super) fn fill_gradient<S: Simd>(&self, simd: S, plane: &[f32], gradient: &mut [f32]) {
        let gradient = &mut gradient[self.guard()..];
        spread(simd, plane, self.output[1], gradient, self.pitch);
    }

    /// Writes the gradient of the phases into that of an input plane.
    #[inline(always)]
    pub(super) fn emit_gradient<'a, S: Simd>(
        &self,
        simd: S,
        phases: &[f32],
        plane: &'a mut Unwritten,
    ) -> &'a mut [f32] {
        let (rows, columns) = (self.on_input(0, 0), self.on_input(1, 0));
        if self.geometry.stride == [1, 1] && [rows.len(), columns.len()] == self.input {
            let phases = &phases[rows.start * self.pitch + columns.start..];
            return join(simd, phases, self.pitch, plane, self.input[1]);
        }
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
        _simd: S,
        phases: &[f32],
        y: usize,
        to: &'a mut Unwritten,
    ) -> &'a mut [f32] {
        let Geometry {
            stride, padding, ..
        } = self.geometry;
        let (row, a) = ((y + padding.top) / stride[0], (y + padding.top) % stride[0]);
        if row >= self.rows {
            return zeros(to);
        }
        let phase = |phase: usize| {
            let start = (a * stride[1] + phase) * self.phase_length() + row * self.pitch;
            &phases[start..][..self.pitch]
        };
        interleave::<S>(phase, stride[1], padding.left, to)
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
