//! Weights in the order in which the micro-kernel reads them.

use pulp::Arch;

use super::super::aligned::Aligned;
use super::super::product::instruction_set::panel_width;

/// A matrix of weights, `[outputs, length]`, divided into *panels*: some outputs each, of which the
/// weights of one input lie side by side. Outputs that fill up the last panel have zeros.
#[derive(Debug)]
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
    /// Packs the weights that `weight` returns for each output and input.
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

    /// Returns the number of panels.
    pub(super) fn count(&self) -> usize {
        self.outputs.div_ceil(self.width)
    }

    /// Returns the weights of a panel, `[length, width]`.
    pub(super) fn panel(&self, index: usize) -> &[f32] {
        let size = self.length * self.width;
        &self.values.as_slice()[index * size..][..size]
    }

    /// Returns the bias of a panel.
    pub(super) fn bias(&self, index: usize) -> &[f32] {
        &self.bias.as_slice()[index * self.width..][..self.width]
    }
}
