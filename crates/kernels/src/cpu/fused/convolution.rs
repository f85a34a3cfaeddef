//! Convolutions made ready for inference.

use std::ops::Range;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::output::{Unwritten, written_by};
use super::super::product::block::{Ahead, Rectify, Step, Sums, Target, block};
use super::super::product::level::vectors;
use super::super::product::portion;
use super::super::scratch::with_scratch;
use super::depthwise::Depthwise;
use super::images::PaddedRows;
use super::panels::Panels;
use super::pixels::{Blocks, Sizes, Window};
use crate::{Geometry, Padding2d};

/// Tasks that a convolution is divided into at least where it is large enough.
const TASKS: usize = 8;
/// Multiply-adds of a task at least; a million of them take about ten microseconds.
const TASK_PRODUCTS: usize = 1_000_000;
/// What it costs to compute a depthwise part once more, in times of reading its input.
const REPEATED_DEPTHWISE: usize = 4;
/// Weights that stay in the second-level cache while all of them are read for each block.
const FEW_WEIGHTS: usize = 98_304;
/// Elements that a strip's input may have: a share of the second-level cache.
const STRIP: usize = 98_304;
/// Fewer channels than this are read a window's row at a time.
const FEW_CHANNELS: usize = 16;

/// A convolution made ready for inference, without groups or depthwise separable.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    arch: Arch,
    channels: usize,
    geometry: Geometry,
    panels: Arc<Panels>,
    kind: Kind,
    /// Zeros for a pixel's values in a step.
    zeros: Vec<f32>,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Each tap of each window is read where it is.
    Taps,
    /// Each row of a window, from padded rows.
    Rows,
    /// The depthwise part's output.
    Separable(Depthwise),
}

/// The weights of a convolution.
pub(crate) struct Weights<'a> {
    /// `[outputs, channels, kernel height, kernel width]`.
    pub(crate) weight: &'a [f32],
    /// `[outputs]`.
    pub(crate) bias: &'a [f32],
}

/// The input of a convolution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) batch: usize,
    /// Height and width.
    pub(crate) size: [usize; 2],
}

impl Convolution {
    /// A dense convolution.
    pub(crate) fn dense(
        arch: Arch,
        weights: &Weights,
        channels: usize,
        geometry: Geometry,
    ) -> Self {
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let size = [weights.bias.len(), taps * channels];
        let panels = Panels::new(arch, size, weights.bias, |output, input| {
            let (tap, channel) = (input / channels, input % channels);
            weights.weight[(output * channels + channel) * taps + tap]
        });
        let few = channels < FEW_CHANNELS && geometry.dilation[1] == 1 && taps > 1;
        Self {
            arch,
            channels,
            geometry,
            panels: Arc::new(panels),
            kind: if few { Kind::Rows } else { Kind::Taps },
            zeros: vec![0.0; channels],
        }
    }

    /// A depthwise separable convolution, of which `weights` are the pointwise part's.
    pub(crate) fn separable(
        arch: Arch,
        depthwise: Depthwise,
        weights: &Weights,
        channels: usize,
    ) -> Self {
        Self {
            kind: Kind::Separable(depthwise.clone()),
            geometry: depthwise.geometry(),
            ..Self::dense(arch, weights, channels, Geometry::valid(1))
        }
    }

    /// The same weights with another padding.
    pub(crate) fn with_padding(&self, padding: Padding2d) -> Self {
        let mut convolution = self.clone();
        convolution.geometry.padding = padding;
        if let Kind::Separable(depthwise) = &mut convolution.kind {
            depthwise.set_padding(padding);
        }
        convolution
    }

    /// Input channels.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// Output channels.
    pub(crate) fn outputs(&self) -> usize {
        self.panels.outputs
    }

    /// Height and width of the output, where there is one.
    pub(crate) fn output_size(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        let size = self.geometry.output_size(input)?;
        size.iter().all(|&size| size > 0).then_some(size)
    }

    /// Whether the input is images as networks get them, with the channels first.
    pub(crate) fn channels_first(&self) -> bool {
        matches!(self.kind, Kind::Rows)
    }

    /// The output, `[batch, height, width, outputs]`, for an input for which there is one; `residual`
    /// is added before the activation.
    pub(crate) fn forward(
        &self,
        input: Input,
        output: [usize; 2],
        residual: Option<&[f32]>,
        rectify: Rectify,
    ) -> Vec<f32> {
        let sizes = Sizes {
            batch: input.batch,
            input: input.size,
            output,
        };
        let length = sizes.pixels() * self.panels.outputs;
        assert!(input.values.len() == input.batch * input.size[0] * input.size[1] * self.channels);
        assert!(residual.is_none_or(|residual| residual.len() == length));
        let tasks = self.tasks(&sizes);
        let write = |output: &mut Unwritten| {
            let output = Output(output.as_mut_ptr().cast());
            tasks.par_iter().for_each(|(blocks, panels)| {
                let pixels = sizes.block(blocks.start).start..sizes.block(blocks.end - 1).end;
                let rows = PaddedRows::new(self.geometry, self.channels, sizes, &pixels);
                let length = match &self.kind {
                    Kind::Taps => 0,
                    Kind::Rows => rows.length(),
                    Kind::Separable(_) => pixels.len() * self.channels,
                };
                with_scratch(length, |scratch| {
                    self.arch.dispatch(Task {
                        convolution: self,
                        sizes,
                        input: input.values,
                        residual,
                        rectify,
                        output,
                        blocks: blocks.clone(),
                        pixels: pixels.clone(),
                        panels: panels.clone(),
                        rows: &rows,
                        scratch,
                    });
                });
            });
        };
        // SAFETY: the tasks are all panels of all pixels, and each writes all of its own.
        unsafe { written_by(length, write) }
    }

    /// Blocks of pixels and panels of each task.
    ///
    /// Of all divisions with enough tasks this is the one in which the least is read more than once:
    /// each strip reads all weights, and each group of panels the whole input.
    fn tasks(&self, sizes: &Sizes) -> Vec<(Range<usize>, Range<usize>)> {
        let (pixels, panels) = (sizes.pixels(), self.panels.count());
        let blocks = sizes.blocks();
        let weights = self.panels.length * self.panels.outputs;
        let input = sizes.batch * sizes.input[0] * sizes.input[1] * self.channels;
        let input = match self.kind {
            Kind::Separable(_) => input * REPEATED_DEPTHWISE,
            Kind::Taps | Kind::Rows => input,
        };
        let wanted = (pixels * weights / TASK_PRODUCTS).clamp(1, TASKS);
        let at_least = (pixels * self.channels).div_ceil(STRIP);
        let divisions = (1..=wanted.min(panels)).map(|groups| {
            let strips = wanted.div_ceil(groups).max(at_least).min(blocks);
            (strips * weights + groups * input, strips, groups)
        });
        let (_, strips, groups) = divisions.min().unwrap_or((0, 1, 1));
        let strips = (0..strips).map(|strip| portion(strip, strips, blocks));
        strips
            .flat_map(|blocks| {
                let groups = (0..groups).map(|group| portion(group, groups, panels));
                groups.map(move |panels| (blocks.clone(), panels))
            })
            .collect()
    }
}

/// The output, which tasks write distinct parts of.
#[derive(Clone, Copy)]
struct Output(*mut f32);

// SAFETY: tasks write distinct parts.
unsafe impl Send for Output {}
// SAFETY: as above.
unsafe impl Sync for Output {}

/// Some panels of some pixels.
struct Task<'a> {
    convolution: &'a Convolution,
    sizes: Sizes,
    input: &'a [f32],
    residual: Option<&'a [f32]>,
    rectify: Rectify,
    output: Output,
    blocks: Range<usize>,
    pixels: Range<usize>,
    panels: Range<usize>,
    rows: &'a PaddedRows,
    scratch: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let convolution = self.convolution;
        let (channels, zeros) = (convolution.channels, &convolution.zeros[..]);
        let pixels = self.pixels.clone();
        let mut blocks = Blocks::new(self.sizes, self.blocks.clone());
        let length = match &convolution.kind {
            Kind::Taps => {
                self.read_taps(&mut blocks);
                channels
            }
            Kind::Rows => {
                self.rows.read(self.input, self.scratch);
                let [rows, columns] = convolution.geometry.kernel;
                let length = columns * channels;
                let rows: Vec<usize> = (0..rows).collect();
                let at = |pixel: usize, &row: &usize| {
                    Some(self.scratch[self.rows.at(pixel, row)..][..length].as_ptr())
                };
                blocks.fill(&rows, length, zeros, |pixel| pixel, at);
                length
            }
            Kind::Separable(depthwise) => {
                depthwise.strip(simd, self.sizes, self.input, &pixels, self.scratch);
                let at = |pixel: usize, _: &()| {
                    let start = (pixel - pixels.start) * channels;
                    Some(self.scratch[start..][..channels].as_ptr())
                };
                blocks.fill(&[()], channels, zeros, |pixel| pixel, at);
                channels
            }
        };
        self.multiply(simd, &blocks, length);
    }
}

impl Task<'_> {
    fn read_taps(&self, blocks: &mut Blocks) {
        let convolution = self.convolution;
        let channels = convolution.channels;
        let window = Window {
            geometry: convolution.geometry,
            sizes: self.sizes,
        };
        blocks.fill(
            &window.taps(),
            channels,
            &convolution.zeros,
            |pixel| window.origin(pixel),
            |origin, tap| {
                let pixel = window.input(origin, tap)?;
                Some(self.input[pixel * channels..][..channels].as_ptr())
            },
        );
    }

    /// Multiplies blocks, whose steps are `length` long, with the panels.
    #[inline(always)]
    fn multiply<S: Simd>(&self, simd: S, blocks: &Blocks, length: usize) {
        match const { vectors::<S>() } {
            8 => self.multiply_by::<S, 8>(simd, blocks, length),
            4 => self.multiply_by::<S, 4>(simd, blocks, length),
            _ => self.multiply_by::<S, 2>(simd, blocks, length),
        }
    }

    #[inline(always)]
    fn multiply_by<S: Simd, const N: usize>(&self, simd: S, blocks: &Blocks, length: usize) {
        let panels = &self.convolution.panels;
        if panels.length * panels.outputs <= FEW_WEIGHTS {
            for block in 0..blocks.count() {
                for panel in self.panels.clone() {
                    let (pixels, steps) = blocks.get(block);
                    let ahead = Ahead::nothing();
                    self.block::<S, N>(simd, pixels, steps, length, panel, ahead);
                }
            }
            return;
        }
        for panel in self.panels.clone() {
            for block in 0..blocks.count() {
                let ahead = match panel + 1 < panels.count() {
                    true => {
                        let next = panels.panel(panel + 1);
                        Ahead::new(next, block, blocks.count(), panels.length)
                    }
                    false => Ahead::nothing(),
                };
                let (pixels, steps) = blocks.get(block);
                self.block::<S, N>(simd, pixels, steps, length, panel, ahead);
            }
        }
    }

    /// One block times one panel.
    #[inline(always)]
    fn block<S: Simd, const N: usize>(
        &self,
        simd: S,
        pixels: Range<usize>,
        steps: &[Step],
        length: usize,
        panel: usize,
        ahead: Ahead,
    ) {
        let panels = &self.convolution.panels;
        let (pitch, first) = (panels.outputs, panel * panels.width);
        let channels = panels.width.min(pitch - first);
        let at = pixels.start * pitch + first;
        let sums = Sums {
            steps,
            length,
            panel: panels.panel(panel),
            bias: panels.bias(panel),
            ahead,
        };
        let residual = self.residual.map_or(std::ptr::null(), |residual| {
            residual[at..][..(pixels.len() - 1) * pitch + channels].as_ptr()
        });
        // SAFETY: each step's rows are slices of `length` values that live as long as this call; the
        // block's pixels and this panel's channels lie in the output and in the residual, and are this
        // task's alone.
        unsafe {
            let target = Target {
                output: self.output.0.add(at),
                residual,
                pitch,
                channels,
                rectify: self.rectify,
            };
            block::<S, N, N>(simd, pixels.len(), sums, target);
        }
    }
}
