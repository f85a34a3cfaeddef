//! Convolutions in narrow groups: the outputs of a group, or of some whole groups, are the lanes of some vectors.
//!
//! A *unit* is the groups that share vectors. A task copies the rows that a strip of the output reads of a unit to the
//! thread's scratch memory, between zeros, so that the next pixel and each tap lie at one distance. There a value of a
//! pixel is what all lanes of a vector are multiplied by; where a unit has several groups, it is written for each lane
//! as the lane's group has it.

use std::ops::Range;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::MAX_LANES;
use super::super::aligned::Aligned;
use super::super::grouped::{TASK_PRODUCTS, TASKS};
use super::super::output::SharedOutput;
use super::super::product::instruction_set::lanes;
use super::super::product::micro_kernel::Rectify;
use super::super::product::portion;
use super::super::scratch::with_scratch;
use super::convolution::{Input, Weights};
use super::lane_ahead::{Ahead, Lines};
use super::lane_block::Block;
use super::lane_rows::UnitRows;
use crate::{Geometry, Padding2d};

/// Elements that a unit's copied rows may have: a share of the second-level cache, with which the first one keeps up.
const ROWS: usize = 16_384;
/// Elements of input and output that a task reads and writes unit by unit: a share of the second-level cache, in which the
/// lines that units share stay meanwhile.
const NEAR: usize = 98_304;
/// Units from the one that is computed to the one whose memory is fetched: a line may belong to two units.
const AHEAD: usize = 2;
/// Vectors of a unit at most.
const VECTORS: usize = 4;
/// Outputs of a group at most. Measured with AVX2, 26 x 26 channels on 19 x 19 pixels took panels 11.2 ms and lanes 8.1; a
/// panel has 16 outputs there.
const OUTPUTS: usize = 32;

/// A convolution in narrow groups.
#[derive(Debug, Clone)]
pub(crate) struct LaneConvolution {
    arch: Arch,
    pub(super) geometry: Geometry,
    groups: usize,
    /// Input channels of a group.
    inputs: usize,
    /// Output channels of a group.
    outputs: usize,
    /// Groups of a unit.
    of_a_unit: usize,
    /// Lanes of a vector.
    lanes: usize,
    /// Vectors of a unit.
    vectors: usize,
    /// `[units, taps, inputs, vectors, lanes]`.
    weights: Arc<Aligned>,
    /// `[units, vectors, lanes]`.
    bias: Arc<Aligned>,
}

impl LaneConvolution {
    /// Returns whether the outputs of a group fit a unit.
    pub(super) fn serves(arch: Arch, outputs: usize) -> bool {
        let lanes = lanes(arch);
        lanes > 1 && outputs <= OUTPUTS.min(VECTORS * lanes)
    }

    /// Packs a convolution in some groups, of so many input channels.
    pub(super) fn new(
        arch: Arch,
        weights: &Weights,
        channels: usize,
        groups: usize,
        geometry: Geometry,
    ) -> Self {
        let (inputs, outputs) = (channels / groups, weights.bias.len() / groups);
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let lanes = lanes(arch);
        // A group by itself where the copies of several would not be shuffles of a vector.
        let together = inputs == outputs && [2, 4, 8].contains(&outputs) && outputs < lanes;
        let mut convolution = Self {
            arch,
            geometry,
            groups,
            inputs,
            outputs,
            of_a_unit: if together { lanes / outputs } else { 1 },
            lanes,
            vectors: outputs.div_ceil(lanes),
            weights: Arc::new(Aligned::zeros(0)),
            bias: Arc::new(Aligned::zeros(0)),
        };
        let width = convolution.vectors * lanes;
        let units = convolution.units();
        let mut packed = Aligned::zeros(units * taps * inputs * width);
        let mut bias = Aligned::zeros(units * width);
        for output in 0..groups * outputs {
            let unit = output / (convolution.of_a_unit * outputs);
            let lane = output % (convolution.of_a_unit * outputs);
            bias.as_mut_slice()[unit * width + lane] = weights.bias[output];
            for tap in 0..taps {
                for input in 0..inputs {
                    let at = ((unit * taps + tap) * inputs + input) * width + lane;
                    let weight = weights.weight[(output * inputs + input) * taps + tap];
                    packed.as_mut_slice()[at] = weight;
                }
            }
        }
        (convolution.weights, convolution.bias) = (Arc::new(packed), Arc::new(bias));
        convolution
    }

    /// Changes the padding.
    pub(super) fn set_padding(&mut self, padding: Padding2d) {
        self.geometry.padding = padding;
    }

    /// Returns whether two convolutions have the same weights in the same memory.
    #[cfg(test)]
    pub(super) fn shares_weights_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.weights, &other.weights)
    }

    /// Returns the input channels.
    pub(super) fn channels(&self) -> usize {
        self.groups * self.inputs
    }

    /// Returns the output channels.
    pub(super) fn outputs(&self) -> usize {
        self.groups * self.outputs
    }

    fn units(&self) -> usize {
        self.groups.div_ceil(self.of_a_unit)
    }

    /// Returns the groups of a unit.
    fn groups_of(&self, unit: usize) -> Range<usize> {
        let first = unit * self.of_a_unit;
        first..(first + self.of_a_unit).min(self.groups)
    }

    /// Returns the channels of a group where each value is copied for all lanes of the group.
    fn spread(&self) -> Option<usize> {
        (self.of_a_unit > 1).then_some(self.inputs)
    }

    /// Returns the elements of a copied pixel.
    fn of_a_pixel(&self) -> usize {
        match self.spread() {
            None => self.inputs,
            Some(group) => group * self.lanes,
        }
    }

    /// Computes the output, `[batch, height, width, outputs]`, of this height and width.
    pub(super) fn forward(
        &self,
        input: Input,
        output: [usize; 2],
        residual: Option<&[f32]>,
        rectify: Rectify,
    ) -> Vec<f32> {
        let Geometry {
            kernel,
            stride,
            dilation,
            ..
        } = self.geometry;
        // Rows and columns that some outputs read.
        let read = |axis: usize, outputs: usize| {
            (outputs - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1
        };
        let row = read(1, output[1]) * self.of_a_pixel();
        let rows = (ROWS / row).saturating_sub(read(0, 1)) / stride[0] + 1;
        let rows = rows.min(output[0]);
        let strips = output[0].div_ceil(rows);
        let length = input.batch * output[0] * output[1] * self.outputs();
        let products = length * self.inputs * kernel[0] * kernel[1];
        let wanted = (products / TASK_PRODUCTS).clamp(1, TASKS);
        let near =
            rows * (stride[0] * input.size[1] * self.channels() + output[1] * self.outputs());
        let parts = wanted
            .div_ceil(input.batch * strips)
            .max(near.div_ceil(NEAR));
        let parts = parts.min(self.units());
        let mut values: Vec<f32> = Vec::with_capacity(length);
        let shared = SharedOutput::new(&mut values.spare_capacity_mut()[..length]);
        let tasks = (0..input.batch * strips * parts).into_par_iter();
        tasks.with_max_len(1).for_each(|task| {
            let (strip, part) = (task / parts, task % parts);
            let rows = portion(strip % strips, strips, output[0]);
            with_scratch(read(0, rows.len()) * row + MAX_LANES, |scratch| {
                self.arch.dispatch(Task {
                    convolution: self,
                    input,
                    image: strip / strips,
                    output,
                    residual,
                    rectify,
                    rows,
                    units: portion(part, parts, self.units()),
                    row,
                    shared,
                    scratch,
                });
            });
        });
        // SAFETY: the capacity is at least `length`, and the tasks have written all outputs of all pixels.
        unsafe { values.set_len(length) };
        values
    }
}

/// The computation of some units of a strip.
struct Task<'a> {
    convolution: &'a LaneConvolution,
    input: Input<'a>,
    image: usize,
    /// Height and width of the output.
    output: [usize; 2],
    residual: Option<&'a [f32]>,
    rectify: Rectify,
    /// Rows of the output.
    rows: Range<usize>,
    units: Range<usize>,
    /// Elements of a copied row.
    row: usize,
    shared: SharedOutput<'a>,
    /// Memory for the rows of a unit.
    scratch: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        assert!(self.convolution.lanes == S::F32_LANES);
        for unit in self.units.clone() {
            self.copy::<S>(unit);
            match (self.convolution.vectors, self.convolution.spread()) {
                (1, None) => self.unit::<S, 1, 12, 8, 4, 0>(simd, unit),
                (1, Some(2)) => self.unit::<S, 1, 12, 8, 4, 2>(simd, unit),
                (1, Some(4)) => self.unit::<S, 1, 12, 8, 4, 4>(simd, unit),
                (1, Some(_)) if const { S::F32_LANES > 8 } => {
                    self.unit::<S, 1, 12, 8, 4, 8>(simd, unit);
                }
                (2, _) => self.unit::<S, 2, 6, 4, 2, 0>(simd, unit),
                (3, _) => self.unit::<S, 3, 3, 2, 2, 0>(simd, unit),
                (_, _) => self.unit::<S, 4, 2, 2, 2, 0>(simd, unit),
            }
        }
    }
}

impl Task<'_> {
    /// Copies the rows that the strip reads of a unit.
    #[inline(always)]
    fn copy<S: Simd>(&mut self, unit: usize) {
        let convolution = self.convolution;
        let groups = convolution.groups_of(unit);
        let rows = UnitRows {
            input: self.input,
            padding: convolution.geometry.padding,
            channels: convolution.channels(),
            first: groups.start * convolution.inputs,
            count: groups.len() * convolution.inputs,
            spread: convolution.spread(),
        };
        let start = self.rows.start * convolution.geometry.stride[0];
        rows.copy::<S>(self.image, start, self.row, self.scratch);
    }

    /// Returns what to fetch of a unit while one before is computed.
    fn ahead(&self, unit: usize) -> Ahead<'_> {
        let convolution = self.convolution;
        let groups = match self.units.contains(&unit) {
            true => convolution.groups_of(unit),
            false => 0..0,
        };
        let [height, width] = self.input.size;
        let channels = convolution.channels();
        let (inputs, outputs) = (convolution.inputs, convolution.outputs);
        Ahead {
            input: &self.input.values[self.image * height * width * channels..],
            pixels: [
                convolution.geometry.stride[0] * width,
                convolution.geometry.stride[1],
            ]
            .map(|pixels| pixels * channels),
            inputs: Lines::new(groups.start * inputs..groups.end * inputs),
            output: self.shared,
            first: self.image * self.output[0] * self.output[1] * convolution.outputs(),
            results: [
                self.output[1] * convolution.outputs(),
                convolution.outputs(),
            ],
            outputs: Lines::new(groups.start * outputs..groups.end * outputs),
        }
    }

    /// Computes a unit's outputs of the strip, `P` pixels at a time, and `Q`, `R` or one of what is left of a row. The last
    /// ones may overlap those before.
    #[inline(always)]
    fn unit<
        S: Simd,
        const V: usize,
        const P: usize,
        const Q: usize,
        const R: usize,
        const G: usize,
    >(
        &self,
        simd: S,
        unit: usize,
    ) {
        let convolution = self.convolution;
        let Geometry {
            kernel,
            stride,
            dilation,
            ..
        } = convolution.geometry;
        let of_a_pixel = convolution.of_a_pixel();
        let taps = (0..kernel[0]).flat_map(|i| {
            let row = i * dilation[0] * self.row;
            (0..kernel[1]).map(move |j| row + j * dilation[1] * of_a_pixel)
        });
        let taps: Vec<usize> = taps.collect();
        let (width, outputs) = (V * S::F32_LANES, convolution.outputs());
        let length = taps.len() * convolution.inputs * width;
        let groups = convolution.groups_of(unit);
        let first = groups.start * convolution.outputs;
        let count = groups.len() * convolution.outputs;
        let end = convolution.groups_of(self.units.end - 1).end * convolution.outputs;
        let block = Block {
            values: &*self.scratch,
            taps: &taps,
            inputs: convolution.inputs,
            step: stride[1] * of_a_pixel,
            weights: &convolution.weights.as_slice()[unit * length..][..length],
            bias: &convolution.bias.as_slice()[unit * width..][..width],
            output: self.shared,
            residual: self.residual,
            rectify: self.rectify,
            outputs,
            count,
            // What the last vector has beyond the unit's outputs, the next units overwrite.
            whole: count == width || first + width <= end,
        };
        let columns = self.output[1];
        let next = self.ahead(unit + AHEAD);
        for (index, y) in self.rows.clone().enumerate() {
            let row = index * stride[0] * self.row;
            let pixel = (self.image * self.output[0] + y) * columns;
            let mut x = 0;
            while x < columns {
                let left = columns - x;
                let at = |x: usize| [row + x * block.step, (pixel + x) * outputs + first];
                next.fetch(y, x..columns.min(x + P));
                // SAFETY: these outputs of the strip's pixels are the task's alone, and so are those of its next unit.
                unsafe {
                    if left > Q && columns >= P {
                        x = x.min(columns - P);
                        block.compute::<S, V, P, G>(simd, at(x));
                        x += P;
                    } else if left > R && columns >= Q {
                        x = x.min(columns - Q);
                        block.compute::<S, V, Q, G>(simd, at(x));
                        x += Q;
                    } else if left > 1 && columns >= R {
                        x = x.min(columns - R);
                        block.compute::<S, V, R, G>(simd, at(x));
                        x += R;
                    } else {
                        block.compute::<S, V, 1, G>(simd, at(x));
                        x += 1;
                    }
                }
            }
        }
    }
}
