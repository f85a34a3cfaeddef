//! The convolution of the planes of each group to others: to outputs, or from their gradients to the inputs'.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::output::{Filling, Unwritten, write_parts, written_in_lengths};
use super::super::plain::all_finite;
use super::super::scratch::with_zeros;
use super::direct::{Filters, Operands, RESULTS, Sources, blocks};
use super::lattice::Lattice;
use super::{Grouped, tasks};

/// A convolution of planes, whose filters lie in the weight of the forward pass: to the output, or from its gradient
/// to the input's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convolution<'a> {
    pub(super) sizes: &'a Grouped,
    /// Whether the sources are gradients of outputs.
    pub(super) backward: bool,
    /// Planes of a group that are read.
    pub(super) sources: usize,
    pub(super) source_plane: usize,
    /// Planes of a group that are written.
    pub(super) results: usize,
    pub(super) result_plane: usize,
    /// From a result's weights to the next one's.
    pub(super) row: usize,
    /// From a source's weights to the next one's.
    pub(super) next: usize,
    pub(super) planes: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) bias: Option<&'a [f32]>,
}

/// Some results of a group of one image, not more than a block has.
#[derive(Debug, Clone)]
struct Part {
    /// The group, counted over all images.
    group: usize,
    results: Range<usize>,
}

impl Convolution<'_> {
    /// Computes the results, `[batch, groups, results, plane]`.
    pub(super) fn run(&self) -> Vec<f32> {
        self.run_with(Arch::new())
    }

    pub(super) fn run_with(&self, arch: Arch) -> Vec<f32> {
        let Grouped {
            geometry,
            input,
            output,
            ..
        } = *self.sizes;
        let lattice = match self.backward {
            false => Lattice::forward(geometry, input, output),
            true => Lattice::backward(geometry, input, output),
        };
        let tasks = self.tasks();
        let lengths: Vec<usize> = tasks
            .iter()
            .map(|parts| {
                let results = parts.clone().map(|part| self.part(part).results.len());
                results.sum::<usize>() * self.result_plane
            })
            .collect();
        let buffers = [self.sources * lattice.source_length(), lattice.buffers()];
        written_in_lengths(&lengths, |index, output| {
            with_zeros(buffers[0] + buffers[1], |scratch| {
                let (sources, results) = scratch.split_at_mut(buffers[0]);
                arch.dispatch(Task {
                    convolution: self,
                    lattice: &lattice,
                    parts: tasks[index].clone(),
                    output,
                    sources,
                    results,
                })
            })
        })
    }

    /// Returns the part of this index.
    fn part(&self, index: usize) -> Part {
        let mut blocks = blocks(self.results);
        let count = blocks.len();
        Part {
            group: index / count,
            results: blocks.nth(index % count).unwrap_or_default(),
        }
    }

    /// Divides the parts among tasks.
    fn tasks(&self) -> Vec<Range<usize>> {
        let groups = self.sizes.batch * self.sizes.groups;
        let products = self.sources * self.results * self.sizes.taps() * self.result_plane;
        tasks(groups, blocks(self.results).len(), groups * products)
    }
}

/// One task of a [`Convolution`].
struct Task<'a, 'o> {
    convolution: &'a Convolution<'a>,
    lattice: &'a Lattice,
    parts: Range<usize>,
    output: &'o mut Unwritten,
    /// Memory for the sources of a group.
    sources: &'a mut [f32],
    /// Memory for the results of a part.
    results: &'a mut [f32],
}

impl<'o> WithSimd for Task<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        let (convolution, lattice) = (self.convolution, self.lattice);
        let Grouped { groups, .. } = *convolution.sizes;
        let pitch = lattice.source_length();
        let of_a_group = convolution.sources * convolution.source_plane;
        let mut filling = Filling::new(self.output);
        let mut filled = None;
        for index in self.parts {
            let part = convolution.part(index);
            let planes = &convolution.planes[part.group * of_a_group..][..of_a_group];
            if filled != Some(part.group) {
                let planes = planes.chunks_exact(convolution.source_plane);
                for (plane, buffer) in planes.zip(self.sources.chunks_exact_mut(pitch)) {
                    lattice.fill(simd, plane, buffer);
                }
                filled = Some(part.group);
            }
            let group = part.group % groups;
            let weight = convolution.sources * convolution.results * convolution.sizes.taps();
            let weight = &convolution.weight[group * weight..][..weight];
            let mut starts = [0.0; RESULTS];
            let starts = &mut starts[..part.results.len()];
            if let Some(bias) = convolution.bias {
                let first = group * convolution.results + part.results.start;
                starts.copy_from_slice(&bias[first..][..starts.len()]);
            }
            let starts = &*starts;
            let filters = Filters {
                values: &weight[part.results.start * convolution.row..],
                row: convolution.row,
                next: convolution.next,
            };
            // The part's share of the planes of the next group.
            let share = |result: usize| of_a_group + result * of_a_group / convolution.results;
            let ahead = share(part.results.start)..share(part.results.end);
            let ahead = convolution.planes[part.group * of_a_group..].get(ahead);
            let ahead = ahead.unwrap_or_default();
            let operands = Operands {
                sources: Sources {
                    values: self.sources,
                    pitch,
                    count: convolution.sources,
                },
                filters,
                starts,
                ahead,
            };
            let results = &mut *self.results;
            filling.push(
                starts.len() * convolution.result_plane,
                #[inline(always)]
                |to| match convolution.are_finite(&filters, starts.len()) {
                    true => lattice.convolve(simd, &operands, results, to),
                    false => convolution.by_definition(planes, &filters, starts, to),
                },
            );
        }
        filling.finish()
    }
}

impl Convolution<'_> {
    /// Returns whether the weights of these results are finite.
    #[inline(always)]
    fn are_finite(&self, filters: &Filters, results: usize) -> bool {
        // Stretches of weights that follow each other.
        let (stretch, stride, count) = match self.backward {
            false => (results * self.row, 0, 1),
            true => (results * self.row, self.next, self.sources),
        };
        (0..count).all(|index| all_finite(&filters.values[index * stride..][..stretch]))
    }

    /// Writes results by the definition.
    fn by_definition<'o>(
        &self,
        planes: &[f32],
        filters: &Filters,
        starts: &[f32],
        to: &'o mut Unwritten,
    ) -> &'o mut [f32] {
        write_parts(to, self.result_plane, |result, to| {
            let mut sums = vec![starts[result]; to.len()];
            let weights = &filters.values[result * self.row..];
            self.add_by_definition(planes, weights, &mut sums);
            to.write_copy_of_slice(&sums)
        })
    }

    /// Adds all products of a group's planes to a result, of which `weights` begin with the first.
    fn add_by_definition(&self, planes: &[f32], weights: &[f32], sums: &mut [f32]) {
        let plain = self.sizes.plain();
        for (source, plane) in planes.chunks_exact(self.source_plane).enumerate() {
            let filter = &weights[source * self.next..];
            plain.each_product(|tap, output, input| match self.backward {
                false => sums[output] += filter[tap] * plane[input],
                true => sums[input] += filter[tap] * plane[output],
            });
        }
    }

    /// Computes the results of weights that are not finite again, by the definition.
    pub(super) fn repair(&self, results: &mut [f32]) {
        let Grouped { groups, .. } = *self.sizes;
        let of_a_group = self.sources * self.results * self.sizes.taps();
        let broken = self.weight.par_chunks_exact(of_a_group).enumerate();
        let broken: Vec<usize> = broken
            .filter(|(_, weight)| !all_finite(weight))
            .map(|(group, _)| group)
            .collect();
        for group in broken {
            let weight = &self.weight[group * of_a_group..][..of_a_group];
            for result in 0..self.results {
                let filters = Filters {
                    values: &weight[result * self.row..],
                    row: self.row,
                    next: self.next,
                };
                if self.are_finite(&filters, 1) {
                    continue;
                }
                let start = self
                    .bias
                    .map_or(0.0, |bias| bias[group * self.results + result]);
                for image in 0..self.sizes.batch {
                    let group = image * groups + group;
                    let planes = self.sources * self.source_plane;
                    let planes = &self.planes[group * planes..][..planes];
                    let result = (group * self.results + result) * self.result_plane;
                    let sums = &mut results[result..][..self.result_plane];
                    sums.fill(start);
                    self.add_by_definition(planes, filters.values, sums);
                }
            }
        }
    }
}
