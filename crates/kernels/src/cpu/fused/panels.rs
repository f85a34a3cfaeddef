//! Weights in the order in which the micro-kernel reads them.

use std::ops::Range;

use pulp::Arch;

use super::super::aligned::Aligned;
use super::super::product::instruction_set::panel_width;

/// A matrix of weights for each group, `[outputs, length]`, divided into *panels*: some outputs each, of which the
/// weights of one input lie side by side. Outputs that fill up the last panel of a group have zeros.
#[derive(Debug)]
pub(super) struct Panels {
    values: Aligned,
    bias: Aligned,
    /// Number of groups.
    groups: usize,
    /// Outputs of a group.
    of_a_group: usize,
    /// Inputs of an output.
    pub(super) length: usize,
    /// Outputs of a panel.
    pub(super) width: usize,
}

impl Panels {
    /// Packs the weights that `weight` returns for each output and input of its group, of which there are these
    /// numbers.
    pub(super) fn new(
        arch: Arch,
        groups: usize,
        [outputs, length]: [usize; 2],
        bias: &[f32],
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let width = panel_width(arch);
        let mut panels = Self {
            values: Aligned::zeros(0),
            bias: Aligned::zeros(0),
            groups,
            of_a_group: outputs,
            length,
            width,
        };
        let count = panels.count();
        let (mut values, mut biases) = (
            Aligned::zeros(count * length * width),
            Aligned::zeros(count * width),
        );
        let rows = values.as_mut_slice().chunks_exact_mut(width);
        for (index, row) in rows.take(count * length).enumerate() {
            let (outputs, input) = (panels.outputs_of(index / length), index % length);
            for (output, to) in outputs.zip(row) {
                *to = weight(output, input);
            }
        }
        let rows = biases.as_mut_slice().chunks_exact_mut(width);
        for (index, row) in rows.take(count).enumerate() {
            for (output, to) in panels.outputs_of(index).zip(row) {
                *to = bias[output];
            }
        }
        (panels.values, panels.bias) = (values, biases);
        panels
    }

    /// Returns the number of outputs.
    pub(super) fn outputs(&self) -> usize {
        self.groups * self.of_a_group
    }

    /// Returns the number of panels.
    pub(super) fn count(&self) -> usize {
        self.groups * self.of_a_group.div_ceil(self.width)
    }

    /// Returns the group of a panel.
    pub(super) fn group(&self, index: usize) -> usize {
        index / self.of_a_group.div_ceil(self.width)
    }

    /// Returns the outputs of a panel.
    pub(super) fn outputs_of(&self, index: usize) -> Range<usize> {
        let first = index % self.of_a_group.div_ceil(self.width) * self.width;
        let end = (first + self.width).min(self.of_a_group);
        let group = self.group(index) * self.of_a_group;
        group + first..group + end
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
