//! The gradient of the weight of a convolution in groups.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::MAX_LANES;
use super::super::divided::Divided;
use super::super::output::{Unwritten, write_values, written_in_lengths};
use super::super::plain::all_finite;
use super::super::product::portion;
use super::super::scratch::with_zeros;
use super::correlation::{CorrelationLattice, Operands, Planes};
use super::direct::{RESULTS, blocks};
use super::{Grouped, TASK_PRODUCTS, TASKS, tasks};

/// Elements that the copied sources of a group may have: a share of the third-level cache.
const SOURCES: usize = 262_144;
/// Positions that are correlated at a time at least, where there are several images: sums are read and written once for
/// all of them.
const POSITIONS: usize = 192;

/// Elements of filters that a task checks at least.
const FILTERS: usize = 65_536;

/// The computation of a weight's gradient.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightGradient<'a> {
    pub(super) sizes: &'a Grouped,
    pub(super) input: &'a [f32],
    /// Of the output.
    pub(super) gradient: &'a [f32],
}

/// A task: some parts of the weight, which are blocks of results of a group, and the images to sum over.
#[derive(Debug, Clone)]
struct Portion {
    images: Range<usize>,
    parts: Range<usize>,
}

impl WeightGradient<'_> {
    /// Computes the gradient.
    pub(super) fn run(&self) -> Vec<f32> {
        self.run_with(Arch::new())
    }

    pub(super) fn run_with(&self, arch: Arch) -> Vec<f32> {
        let Grouped {
            groups, outputs, ..
        } = *self.sizes;
        let lattice =
            CorrelationLattice::new(self.sizes.geometry, self.sizes.input, self.sizes.output);
        let tasks = self.tasks();
        let row = self.row();
        let lengths: Vec<usize> = tasks
            .iter()
            .map(|task| {
                let results = task.parts.clone().map(|part| self.part(part).1.len());
                results.sum::<usize>() * row
            })
            .collect();
        let [images, run] = self.images_at_a_time(&lattice);
        let buffers = [
            images * self.sizes.inputs * lattice.source_length(),
            run * RESULTS * lattice.gradient_length(),
            RESULTS * row * MAX_LANES,
        ];
        let mut sums = written_in_lengths(&lengths, |index, output| {
            with_zeros(buffers.iter().sum(), |scratch| {
                let (sources, scratch) = scratch.split_at_mut(buffers[0]);
                let (gradients, lanes) = scratch.split_at_mut(buffers[1]);
                arch.dispatch(Task {
                    kernel: self,
                    lattice: &lattice,
                    portion: tasks[index].clone(),
                    output,
                    sources,
                    gradients,
                    lanes,
                })
            })
        });
        let size = groups * outputs * row;
        let (first, others) = sums.split_at_mut(size);
        for other in others.chunks_exact(size) {
            for (sum, value) in first.iter_mut().zip(other) {
                *sum += value;
            }
        }
        sums.truncate(size);
        self.repair(&mut sums);
        sums
    }

    /// Computes the filters that are not finite again, by the definition.
    pub(super) fn repair(&self, weight: &mut [f32]) {
        weight
            .par_chunks_exact_mut(self.row())
            .enumerate()
            .with_min_len(FILTERS.div_ceil(self.row()))
            .divided()
            .filter(|(_, row)| !all_finite(row))
            .for_each(|(result, row)| self.by_definition(result, row));
    }

    /// Returns the elements of a result's filters.
    fn row(&self) -> usize {
        self.sizes.inputs * self.sizes.taps()
    }

    /// Returns the group and the results of a part.
    fn part(&self, index: usize) -> (usize, Range<usize>) {
        let mut blocks = blocks(self.sizes.outputs);
        let count = blocks.len();
        let results = blocks.nth(index % count).unwrap_or_default();
        (index / count, results)
    }

    /// Returns the images whose sources are copied at a time, and those of them that are correlated at a time.
    fn images_at_a_time(&self, lattice: &CorrelationLattice) -> [usize; 2] {
        let of_an_image = self.sizes.inputs * lattice.source_length();
        let images = (SOURCES / of_an_image).clamp(1, self.sizes.batch);
        [images, POSITIONS.div_ceil(lattice.length()).min(images)]
    }

    /// Divides the parts among tasks: whole groups where there are enough, else parts of groups, and of the images, too.
    fn tasks(&self) -> Vec<Portion> {
        let Grouped {
            batch,
            groups,
            outputs,
            ..
        } = *self.sizes;
        let products = groups * outputs * self.row() * batch * self.sizes.output_plane();
        let ranges = tasks(groups, blocks(outputs).len(), products);
        let wanted = (products / TASK_PRODUCTS).clamp(1, TASKS);
        let of_the_batch = (wanted / ranges.len()).clamp(1, batch);
        let images = (0..of_the_batch).map(|index| portion(index, of_the_batch, batch));
        images
            .flat_map(|images| {
                ranges.iter().map(move |parts| Portion {
                    images: images.clone(),
                    parts: parts.clone(),
                })
            })
            .collect()
    }

    /// Computes the filters of a result by the definition.
    fn by_definition(&self, result: usize, row: &mut [f32]) {
        let Grouped {
            batch,
            groups,
            inputs,
            outputs,
            ..
        } = *self.sizes;
        let [input_plane, output_plane] = [self.sizes.input_plane(), self.sizes.output_plane()];
        let plain = self.sizes.plain();
        row.fill(0.0);
        for image in 0..batch {
            let gradient = (image * groups * outputs + result) * output_plane;
            let gradient = &self.gradient[gradient..][..output_plane];
            let first = (image * groups + result / outputs) * inputs;
            for (source, filter) in row.chunks_exact_mut(self.sizes.taps()).enumerate() {
                let plane = &self.input[(first + source) * input_plane..][..input_plane];
                plain.each_product(|tap, output, input| {
                    filter[tap] += plane[input] * gradient[output];
                });
            }
        }
    }
}

/// One task of a [`WeightGradient`].
struct Task<'a, 'o> {
    kernel: &'a WeightGradient<'a>,
    lattice: &'a CorrelationLattice,
    portion: Portion,
    output: &'o mut Unwritten,
    /// Memory for the sources of a group in some images.
    sources: &'a mut [f32],
    /// Memory for the gradients of a block in some of these.
    gradients: &'a mut [f32],
    /// Memory for the lanes of a block's sums.
    lanes: &'a mut [f32],
}

impl<'o> WithSimd for Task<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> &'o mut [f32] {
        let Portion { images, parts } = self.portion.clone();
        let output = write_values(std::mem::take(&mut self.output), std::iter::repeat(0.0));
        let of_a_group = blocks(self.kernel.sizes.outputs).len();
        let [at_a_time, _] = self.kernel.images_at_a_time(self.lattice);
        let (mut first, mut rest) = (parts.start, &mut *output);
        while first < parts.end {
            let group = first / of_a_group;
            let end = parts.end.min((group + 1) * of_a_group);
            let results = self.kernel.part(first).1.start..self.kernel.part(end - 1).1.end;
            let (sums, after) = rest.split_at_mut(results.len() * self.kernel.row());
            for first_image in images.clone().step_by(at_a_time) {
                let images = first_image..(first_image + at_a_time).min(images.end);
                self.fill_sources(simd, group, &images);
                let mut sums = &mut *sums;
                for part in first..end {
                    let (_, results) = self.kernel.part(part);
                    let (own, after) = sums.split_at_mut(results.len() * self.kernel.row());
                    self.block(simd, group, &images, results, own);
                    sums = after;
                }
            }
            (first, rest) = (end, after);
        }
        output
    }
}

impl Task<'_, '_> {
    /// Copies a group's sources of some images.
    #[inline(always)]
    fn fill_sources<S: Simd>(&mut self, simd: S, group: usize, images: &Range<usize>) {
        let WeightGradient { sizes, input, .. } = *self.kernel;
        let lattice = self.lattice;
        let (plane, inputs) = (sizes.input_plane(), sizes.inputs);
        let mut buffers = self.sources.chunks_exact_mut(lattice.source_length());
        for image in images.clone() {
            let first = (image * sizes.groups + group) * inputs;
            let planes = input[first * plane..][..inputs * plane].chunks_exact(plane);
            for (plane, buffer) in planes.zip(&mut buffers) {
                lattice.fill(simd, plane, buffer);
            }
        }
    }

    /// Adds the sums over some images, whose sources are copied, to the filters of a block of results.
    #[inline(always)]
    fn block<S: Simd>(
        &mut self,
        simd: S,
        group: usize,
        images: &Range<usize>,
        results: Range<usize>,
        sums: &mut [f32],
    ) {
        let WeightGradient {
            sizes, gradient, ..
        } = *self.kernel;
        let lattice = self.lattice;
        let [_, at_a_time] = self.kernel.images_at_a_time(self.lattice);
        let plane = sizes.output_plane();
        let lanes = &mut self.lanes[..sums.len() * S::F32_LANES];
        lanes.fill(0.0);
        let sources = Planes {
            values: &*self.sources,
            count: sizes.inputs,
            pitch: lattice.source_length(),
            image: sizes.inputs * lattice.source_length(),
        };
        for first in images.clone().step_by(at_a_time) {
            let own = first..(first + at_a_time).min(images.end);
            let mut buffers = self.gradients.chunks_exact_mut(lattice.gradient_length());
            for image in own.clone() {
                let first = (image * sizes.groups + group) * sizes.outputs + results.start;
                let planes = gradient[first * plane..][..results.len() * plane].chunks_exact(plane);
                for (plane, buffer) in planes.zip(&mut buffers) {
                    lattice.fill_gradient(simd, plane, buffer);
                }
            }
            let operands = Operands {
                images: own.len(),
                sources: Planes {
                    values: &sources.values[(first - images.start) * sources.image..],
                    ..sources
                },
                gradients: Planes {
                    values: &*self.gradients,
                    count: results.len(),
                    pitch: lattice.gradient_length(),
                    image: results.len() * lattice.gradient_length(),
                },
            };
            lattice.correlate(simd, &operands, lanes);
        }
        let (vectors, _) = S::as_simd_f32s(lanes);
        for (sum, vector) in sums.iter_mut().zip(vectors) {
            *sum += simd.reduce_sum_f32s(*vector);
        }
    }
}
