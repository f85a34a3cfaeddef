//! The layouts of planes in which each tap of a window lies at one distance from every position.

use pulp::Simd;

use super::super::MAX_LANES;
use super::super::copy::write;
use super::super::flat::{Column, FlatLayout};
use super::super::output::{Unwritten, write_parts};
use super::super::plane::PlaneLayout;
use super::direct::{Block, Operands, RESULTS, Taps};
use crate::Geometry;

/// A convolution as sums over distances, from sources to results that are both planes.
///
/// The output is the result of the inputs, and the input's gradient that of the outputs' gradients.
#[derive(Debug, Clone)]
pub(super) struct Lattice {
    layout: Layout,
    /// Parts of a result, by which they are computed.
    passes: Vec<Pass>,
}

#[derive(Debug, Clone)]
enum Layout {
    /// Sources between guards, results as they are.
    Flat(FlatLayout),
    /// Inputs in phases, outputs a pitch apart.
    Forward(PlaneLayout),
    /// Outputs' gradients a pitch apart, inputs' gradients in phases.
    Backward(PlaneLayout),
}

/// Positions of a result that have the same taps.
#[derive(Debug, Clone)]
struct Pass {
    taps: Taps,
    /// The first position in a buffer of the result.
    first: usize,
    length: usize,
}

impl Lattice {
    /// Returns the lattice of the output, for planes of these heights and widths.
    pub(super) fn forward(geometry: Geometry, input: [usize; 2], output: [usize; 2]) -> Self {
        if let Some(layout) = FlatLayout::new(&geometry, input, output) {
            return Self::flat(layout);
        }
        let layout = PlaneLayout::new(geometry, input, output);
        let pass = Pass {
            taps: Taps::new(&[Column {
                mask: None,
                taps: layout.distances().into_iter().enumerate().collect(),
            }]),
            first: 0,
            length: layout.outputs().max(MAX_LANES),
        };
        Self {
            passes: vec![pass],
            layout: Layout::Forward(layout),
        }
    }

    /// Returns the lattice of the input's gradient, for planes of these heights and widths.
    pub(super) fn backward(geometry: Geometry, input: [usize; 2], output: [usize; 2]) -> Self {
        if let Some(layout) = FlatLayout::of_gradient(&geometry, input, output) {
            return Self::flat(layout);
        }
        let layout = PlaneLayout::new(geometry, input, output);
        let (taps, span) = (layout.taps(), layout.phase_span());
        let passes = (0..layout.phases()).map(|phase| {
            let own = taps.iter().enumerate();
            let own = own.filter(|(_, (of, _))| *of == phase);
            Pass {
                taps: Taps::new(&[Column {
                    mask: None,
                    // Gathered from behind: pixel `i` gets from output `i - distance`.
                    taps: own
                        .map(|(index, (_, distance))| (index, layout.guard() - distance))
                        .collect(),
                }]),
                first: phase * span,
                length: span.max(MAX_LANES),
            }
        });
        Self {
            passes: passes.collect(),
            layout: Layout::Backward(layout),
        }
    }

    fn flat(layout: FlatLayout) -> Self {
        let pass = Pass {
            taps: Taps::new(layout.columns()),
            first: 0,
            length: layout.pixels().max(MAX_LANES),
        };
        Self {
            layout: Layout::Flat(layout),
            passes: vec![pass],
        }
    }

    /// Returns the elements of a buffer for a source, which must be zero at first.
    pub(super) fn source_length(&self) -> usize {
        match &self.layout {
            Layout::Flat(layout) => layout.length(),
            Layout::Forward(layout) => layout.length(),
            Layout::Backward(layout) => layout.gradient_length(),
        }
    }

    /// Returns the elements of the buffers that a block of results needs.
    pub(super) fn buffers(&self) -> usize {
        RESULTS * self.result_length()
    }

    /// Returns the elements of a buffer for a result; none are needed where results are written as they are.
    fn result_length(&self) -> usize {
        match &self.layout {
            Layout::Flat(layout) if layout.pixels() >= MAX_LANES => 0,
            Layout::Flat(_) => MAX_LANES,
            Layout::Forward(layout) => layout.output_length(),
            Layout::Backward(layout) => layout.length(),
        }
    }

    /// Writes a source's plane into its buffer.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(&self, simd: S, plane: &[f32], buffer: &mut [f32]) {
        match &self.layout {
            Layout::Flat(layout) => layout.fill(simd, plane, buffer),
            Layout::Forward(layout) => layout.fill(simd, plane, buffer),
            Layout::Backward(layout) => layout.fill_gradient(simd, plane, buffer),
        }
    }

    /// Writes the planes of a block of results, as many as there are starts of their sums. `buffers` is as long as
    /// [`buffers`](Self::buffers) says.
    ///
    /// # Panics
    ///
    /// If sources, filters or buffers are too short, or there are more results than a block has.
    #[inline(always)]
    pub(super) fn convolve<'a, S: Simd>(
        &self,
        simd: S,
        operands: &Operands,
        buffers: &mut [f32],
        to: &'a mut Unwritten,
    ) -> &'a mut [f32] {
        let results = operands.starts.len();
        let plane = to.len() / results;
        let pitch = self.result_length();
        let buffers = &mut buffers[..results * pitch];
        let (target, pitch) = match pitch {
            0 => (to.as_mut_ptr().cast(), plane),
            _ => (buffers.as_mut_ptr(), pitch),
        };
        for (index, pass) in self.passes.iter().enumerate() {
            assert!(pass.first + pass.length <= pitch);
            let ahead = if index == 0 { operands.ahead } else { &[] };
            let block = Block {
                operands: Operands { ahead, ..*operands },
                taps: &pass.taps,
                length: pass.length,
            };
            // SAFETY: the target has a plane or a buffer for each result, in which the pass has its positions.
            unsafe { block.convolve(simd, target.add(pass.first), pitch) };
        }
        if self.result_length() == 0 {
            // SAFETY: without buffers the results' planes follow each other, and the only pass has written a value for
            // each of their pixels.
            return unsafe { to.assume_init_mut() };
        }
        let pitch = self.result_length();
        write_parts(
            to,
            plane,
            #[inline(always)]
            |index, to| {
                let buffer = &buffers[index * pitch..][..pitch];
                match &self.layout {
                    Layout::Flat(_) => write::<S>(&buffer[..plane], to),
                    Layout::Forward(layout) => layout.emit(simd, buffer, to),
                    Layout::Backward(layout) => layout.emit_gradient(simd, buffer, to),
                }
            },
        )
    }
}
