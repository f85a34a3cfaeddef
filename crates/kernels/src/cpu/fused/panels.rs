//! Weights in the order in which the inner loop reads them.

use pulp::Arch;

use super::super::product::level::panel_width;

/// A cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code)] [f32; LINE]); // read through a pointer

/// Elements of a cache line.
pub(super) const LINE: usize = 16;

/// Values that start at a cache line, so that no vector crosses one.
#[derive(Debug, Clone)]
pub(super) struct Aligned(Vec<Line>);

impl Aligned {
    /// Zeros, `length` or a few more.
    pub(super) fn zeros(length: usize) -> Self {
        Self(vec![Line([0.0; LINE]); length.div_ceil(LINE)])
    }

    pub(super) fn as_slice(&self) -> &[f32] {
        // SAFETY: a line is `LINE` values without padding, as its size and alignment are both 64.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * LINE) }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * LINE) }
    }
}

/// A matrix of weights, `[outputs, length]`, divided into *panels*: some outputs each, of which the
/// weights of one input lie side by side. Outputs that fill up the last panel have zeros.
#[derive(Debug, Clone)]
pub(super) struct Panels {
    values: Aligned,
    bias: Aligned,
    /// Number of outputs.
    pub(super) outputs: usize,
    /// Inputs of an output.
    pub(super) length: usize,
    /// Outputs of a panel.
    pub(super) width: usize,
}

impl Panels {
    /// Packs the weights that `weight` gives for each output and input.
    pub(super) fn new(
        arch: Arch,
        [outputs, length]: [usize; 2],
        bias: &[f32],
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let width = panel_width(arch);
        let panels = outputs.div_ceil(width);
        let mut values = Aligned::zeros(panels * length * width);
        let rows = values.as_mut_slice().chunks_exact_mut(width);
        for (index, row) in rows.take(panels * length).enumerate() {
            let (first, input) = (index / length * width, index % length);
            for (output, to) in (first..outputs).zip(row) {
                *to = weight(output, input);
            }
        }
        let mut padded = Aligned::zeros(panels * width);
        padded.as_mut_slice()[..outputs].copy_from_slice(bias);
        Self {
            values,
            bias: padded,
            outputs,
            length,
            width,
        }
    }

    /// Number of panels.
    pub(super) fn count(&self) -> usize {
        self.outputs.div_ceil(self.width)
    }

    /// The weights of a panel, `[length, width]`.
    pub(super) fn panel(&self, index: usize) -> &[f32] {
        let size = self.length * self.width;
        &self.values.as_slice()[index * size..][..size]
    }

    /// The bias of a panel.
    pub(super) fn bias(&self, index: usize) -> &[f32] {
        &self.bias.as_slice()[index * self.width..][..self.width]
    }
}
