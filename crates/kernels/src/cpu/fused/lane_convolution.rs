//! Convolutions in narrow groups: the outputs of a group, or of some whole groups, are the lanes of one or two vectors.
//!
//! A *unit* is the groups that share vectors. A task copies the rows that a strip of the output reads of a unit to the
//! thread's scratch memory, between zeros, so that the next pixel and each tap lie at one distance. There a value of a
//! pixel is what all lanes of a vector are multiplied by; where a unit has several groups, it is written for each lane
//! as the lane's group has it.

use std::ops::Range;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::aligned::Aligned;
use super::super::grouped::{TASK_PRODUCTS, TASKS};
use super::super::output::SharedOutput;
use super::super::product::instruction_set::lanes;
use super::super::product::micro_kernel::Rectify;
use super::super::product::portion;
use super::super::scratch::with_scratch;
use super::super::vector::load;
use super::convolution::{Input, Weights};
use crate::{Geometry, Padding2d};

/// Elements that a unit's copied rows may have: a share of the second-level cache.
const ROWS: usize = 49_152;
/// Vectors of a unit at most.
const VECTORS: usize = 2;

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
        lanes > 1 && outputs <= VECTORS * lanes
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

    /// Returns the elements of a copied value: one, or one for each lane.
    fn of_a_value(&self) -> usize {
        match self.of_a_unit {
            1 => 1,
            _ => self.lanes,
        }
    }

    /// Returns the elements of a copied pixel.
    fn of_a_pixel(&self) -> usize {
        self.inputs * self.of_a_value()
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
        let strips = output[0].div_ceil(rows);
        let length = input.batch * output[0] * output[1] * self.outputs();
        let products = length * self.inputs * kernel[0] * kernel[1];
        let wanted = (products / TASK_PRODUCTS).clamp(1, TASKS);
        let parts = wanted.div_ceil(input.batch * strips).min(self.units());
        let mut values: Vec<f32> = Vec::with_capacity(length);
        let shared = SharedOutput::new(&mut values.spare_capacity_mut()[..length]);
        let tasks = (0..input.batch * strips * parts).into_par_iter();
        tasks.with_max_len(1).for_each(|task| {
            let (strip, part) = (task / parts, task % parts);
            let rows = portion(strip % strips, strips, output[0]);
            with_scratch(read(0, rows.len()) * row, |scratch| {
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
            self.copy_rows::<S>(unit);
            match (self.convolution.vectors, self.convolution.of_a_unit) {
                (1, 1) => self.unit::<S, 1, 12, 8, 4, false>(simd, unit),
                (1, _) => self.unit::<S, 1, 12, 8, 4, true>(simd, unit),
                (_, _) => self.unit::<S, 2, 6, 4, 2, false>(simd, unit),
            }
        }
    }
}

impl Task<'_> {
    /// Copies the rows that the strip reads of a unit.
    #[inline(always)]
    fn copy_rows<S: Simd>(&mut self, unit: usize) {
        let LaneConvolution {
            geometry, inputs, ..
        } = *self.convolution;
        let [height, width] = self.input.size;
        let channels = self.convolution.channels();
        let groups = self.convolution.groups_of(unit);
        let of_a_pixel = self.convolution.of_a_pixel();
        let first = self.rows.start * geometry.stride[0];
        let before = geometry.padding.left * of_a_pixel;
        for (index, row) in self.scratch.chunks_exact_mut(self.row).enumerate() {
            let y = (first + index).checked_sub(geometry.padding.top);
            let Some(y) = y.filter(|&y| y < height) else {
                row.fill(0.0);
                continue;
            };
            let (zeros, row) = row.split_at_mut(before.min(row.len()));
            let pixels = (row.len() / of_a_pixel).min(width);
            let (row, rest) = row.split_at_mut(pixels * of_a_pixel);
            zeros.fill(0.0);
            rest.fill(0.0);
            let from = (self.image * height + y) * width * channels + groups.start * inputs;
            let from = &self.input.values[from..];
            let of_a_unit = groups.len() * inputs;
            match (self.convolution.of_a_unit, inputs) {
                (1, _) => {
                    for (to, from) in row.chunks_exact_mut(inputs).zip(from.chunks(channels)) {
                        to.copy_from_slice(&from[..inputs]);
                    }
                }
                (_, 2) if S::F32_LANES < 8 => spread::<S, 2, 4>(from, channels, of_a_unit, row),
                (_, 2) => spread::<S, 2, 8>(from, channels, of_a_unit, row),
                (_, 4) => spread::<S, 4, 8>(from, channels, of_a_unit, row),
                _ => spread::<S, 8, 8>(from, channels, of_a_unit, row),
            }
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
        const LANES: bool,
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
        for (index, y) in self.rows.clone().enumerate() {
            let row = index * stride[0] * self.row;
            let pixel = (self.image * self.output[0] + y) * columns;
            let mut x = 0;
            while x < columns {
                let left = columns - x;
                let at = |x: usize| [row + x * block.step, (pixel + x) * outputs + first];
                // SAFETY: these outputs of the strip's pixels are the task's alone, and so are those of its next unit.
                unsafe {
                    if left > Q && columns >= P {
                        x = x.min(columns - P);
                        block.compute::<S, V, P, LANES>(simd, at(x));
                        x += P;
                    } else if left > R && columns >= Q {
                        x = x.min(columns - Q);
                        block.compute::<S, V, Q, LANES>(simd, at(x));
                        x += Q;
                    } else if left > 1 && columns >= R {
                        x = x.min(columns - R);
                        block.compute::<S, V, R, LANES>(simd, at(x));
                        x += R;
                    } else {
                        block.compute::<S, V, 1, LANES>(simd, at(x));
                        x += 1;
                    }
                }
            }
        }
    }
}

/// Copies pixels of `count` channels, each value as many times as a vector has lanes: value `k` of a pixel is in each lane
/// that of the lane's group of `G` channels. The lanes are `C` by `C` copied.
#[inline(always)]
fn spread<S: Simd, const G: usize, const C: usize>(
    from: &[f32],
    channels: usize,
    count: usize,
    to: &mut [f32],
) {
    let lanes = S::F32_LANES;
    for (to, from) in to.chunks_exact_mut(G * lanes).zip(from.chunks(channels)) {
        for first in (0..lanes).step_by(C) {
            // The last unit may have fewer groups.
            let own = count.saturating_sub(first).min(C);
            let mut values = [0.0; C];
            match from[first.min(count)..].first_chunk::<C>() {
                Some(from) if own == C => values = *from,
                _ => values[..own].copy_from_slice(&from[first.min(count)..][..own]),
            }
            for k in 0..G {
                let spread: [f32; C] = std::array::from_fn(
                    #[inline(always)]
                    |lane| values[lane / G * G + k],
                );
                to[k * lanes + first..][..C].copy_from_slice(&spread);
            }
        }
    }
}

/// The computation of some pixels of a row of a unit.
struct Block<'a> {
    /// The copied rows.
    values: &'a [f32],
    /// The distance of each tap.
    taps: &'a [usize],
    inputs: usize,
    /// The distance of the next pixel.
    step: usize,
    /// `[taps, inputs, vectors, lanes]`.
    weights: &'a [f32],
    bias: &'a [f32],
    output: SharedOutput<'a>,
    residual: Option<&'a [f32]>,
    rectify: Rectify,
    /// Outputs of a pixel.
    outputs: usize,
    /// Outputs of the unit.
    count: usize,
    /// Whether whole vectors may be written.
    whole: bool,
}

impl Block<'_> {
    /// Computes `P` pixels of `V` vectors, whose windows begin with value `first` and whose outputs with element `to`.
    ///
    /// # Safety
    ///
    /// Nobody else may use the outputs of the pixels' units, nor what follows up to a vector where that may be written.
    ///
    /// # Panics
    ///
    /// If values or weights are too few, or the outputs are none.
    #[inline(always)]
    unsafe fn compute<S: Simd, const V: usize, const P: usize, const LANES: bool>(
        &self,
        simd: S,
        [first, to]: [usize; 2],
    ) {
        let (lanes, width) = (S::F32_LANES, V * S::F32_LANES);
        let of_a_value = if LANES { lanes } else { 1 };
        let reach = self
            .taps
            .last()
            .map_or(0, |tap| tap + self.inputs * of_a_value);
        assert!(first + (P - 1) * self.step + reach <= self.values.len());
        assert!(self.weights.len() == self.taps.len() * self.inputs * width);
        let mut sums: [[S::f32s; V]; P] = [std::array::from_fn(
            #[inline(always)]
            |v| load::<S>(&self.bias[v * lanes..]),
        ); P];
        let mut weights = self.weights.as_ptr().cast::<[S::f32s; V]>();
        // SAFETY: the first assertion keeps the values of all pixels and taps in the slice, as the last tap is the
        // farthest, and the second one the weights.
        unsafe {
            for &tap in self.taps {
                let mut values = self.values.as_ptr().add(first + tap);
                for _ in 0..self.inputs {
                    let weight = weights.read_unaligned();
                    for (p, sums) in sums.iter_mut().enumerate() {
                        let value = values.add(p * self.step);
                        let value = match LANES {
                            true => value.cast::<S::f32s>().read_unaligned(),
                            false => simd.splat_f32s(*value),
                        };
                        for (sum, weight) in sums.iter_mut().zip(weight) {
                            *sum = simd.mul_add_e_f32s(value, weight, *sum);
                        }
                    }
                    weights = weights.add(1);
                    values = values.wrapping_add(of_a_value);
                }
            }
        }
        for (p, sums) in sums.into_iter().enumerate() {
            let to = to + p * self.outputs;
            for (v, sum) in sums.into_iter().enumerate() {
                let (to, left) = (to + v * lanes, self.count - v * lanes);
                // SAFETY: the caller's promise.
                unsafe {
                    match self.whole || left >= lanes {
                        true => self.finish(simd, sum, to),
                        false => self.finish_part(simd, sum, to, left),
                    }
                }
            }
        }
    }

    /// Adds the residual to a vector of sums, applies the activation, and writes them.
    ///
    /// # Safety
    ///
    /// Nobody else may use these elements.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, mut sum: S::f32s, to: usize) {
        if let Some(residual) = self.residual {
            sum = simd.add_f32s(sum, load::<S>(&residual[to..]));
        }
        let sum = self.rectify.apply(simd, sum);
        // SAFETY: the caller's promise.
        unsafe {
            let to = self.output.pointer(to, S::F32_LANES).cast::<S::f32s>();
            to.write_unaligned(sum);
        }
    }

    /// Finishes the first `count` sums as [`finish`](Self::finish) does.
    ///
    /// # Safety
    ///
    /// Nobody else may use so many elements.
    #[inline(always)]
    unsafe fn finish_part<S: Simd>(&self, simd: S, mut sum: S::f32s, to: usize, count: usize) {
        if let Some(residual) = self.residual {
            let residual = simd.partial_load_f32s(&residual[to..to + count]);
            sum = simd.add_f32s(sum, residual);
        }
        let sum = self.rectify.apply(simd, sum);
        let mask = simd.mask_between_m32s(0, count as u32);
        // SAFETY: the mask selects elements that are the caller's alone.
        unsafe { simd.mask_store_ptr_f32s(mask, self.output.pointer(to, count), sum) };
    }
}
