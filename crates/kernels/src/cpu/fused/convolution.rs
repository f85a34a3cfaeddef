//! Convolutions made ready for inference.

use std::ops::Range;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::output::SharedOutput;
use super::super::product::instruction_set::vectors;
use super::super::product::micro_kernel::{
    BlockSteps, Prefetch, Rectify, Residual, Sums, Target, multiply_block,
};
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
/// The cost of computing a depthwise part once more, in times of reading its input.
const REPEATED_DEPTHWISE: usize = 4;
/// Weights that stay in the second-level cache while all of them are read for each block.
const FEW_WEIGHTS: usize = 98_304;
/// Elements that a strip's input may have: a share of the second-level cache.
const STRIP: usize = 98_304;
/// Fewer channels than this are read a window's row at a time.
const FEW_CHANNELS: usize = 16;

/// A convolution with packed weights: dense in one group, or depthwise separable.
#[derive(Debug, Clone)]
pub(crate) struct Convolution {
    arch: Arch,
    channels: usize,
    geometry: Geometry,
    panels: Arc<Panels>,
    kind: Kind,
    /// Zeros for a pixel's values in a step.
    zeros: Arc<[f32]>,
}

#[derive(Debug, Clone)]
enum Kind {
    /// A dense convolution that reads each tap of each window where it is.
    Taps,
    /// A dense convolution that reads each row of a window, from padded rows.
    Rows,
    /// A separable convolution, which reads the depthwise part's output.
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
    /// Packs a dense convolution.
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
        let length = match few {
            true => channels * geometry.kernel[1],
            false => channels,
        };
        Self {
            arch,
            channels,
            geometry,
            panels: Arc::new(panels),
            kind: if few { Kind::Rows } else { Kind::Taps },
            zeros: vec![0.0; length].into(),
        }
    }

    /// Packs a depthwise separable convolution, of which `weights` are the pointwise part's.
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

    /// Returns the convolution with another padding; the weights are shared.
    pub(crate) fn with_padding(&self, padding: Padding2d) -> Self {
        let mut convolution = self.clone();
        convolution.geometry.padding = padding;
        if let Kind::Separable(depthwise) = &mut convolution.kind {
            depthwise.set_padding(padding);
        }
        convolution
    }

    /// Returns whether two convolutions have the same weights in the same memory.
    #[cfg(test)]
    pub(crate) fn shares_weights_with(&self, other: &Self) -> bool {
        let depthwise = match (&self.kind, &other.kind) {
            (Kind::Separable(one), Kind::Separable(two)) => one.shares_weights_with(two),
            _ => true,
        };
        depthwise && Arc::ptr_eq(&self.panels, &other.panels)
    }

    /// Returns the input channels.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// Returns the output channels.
    pub(crate) fn outputs(&self) -> usize {
        self.panels.outputs
    }

    /// Returns height and width of the output, where there is one.
    pub(crate) fn output_size(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        let size = self.geometry.output_size(input)?;
        size.iter().all(|&size| size > 0).then_some(size)
    }

    /// Returns whether the input is images as networks get them, with leading channels.
    pub(crate) fn takes_leading_channels(&self) -> bool {
        matches!(self.kind, Kind::Rows)
    }

    /// Computes the output, `[batch, height, width, outputs]`, of this height and width; `residual` is
    /// added before the activation.
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
        let mut values: Vec<f32> = Vec::with_capacity(length);
        let output = SharedOutput::new(&mut values.spare_capacity_mut()[..length]);
        tasks.par_iter().for_each(|(blocks, panels)| {
            let pixels = sizes.block(blocks.start).start..sizes.block(blocks.end - 1).end;
            let rows = PaddedRows::new(self.geometry, self.channels, sizes, &pixels);
            let length = match &self.kind {
                Kind::Taps => 0,
                Kind::Rows => rows.length(),
                Kind::Separable(_) => pixels.len() * self.channels,
            };
            with_scratch(length, |scratch| {
                // SAFETY: the tasks have distinct blocks of pixels or distinct panels.
                let part = unsafe { Part::new(self, sizes, output, blocks, panels) };
                self.arch.dispatch(Task {
                    part,
                    input: input.values,
                    residual,
                    rectify,
                    pixels: pixels.clone(),
                    rows: &rows,
                    scratch,
                });
            });
        });
        // SAFETY: the capacity is at least `length`, and the tasks have written all panels of all pixels.
        unsafe { values.set_len(length) };
        values
    }

    /// Divides the output into tasks, of which each has some blocks of pixels and some panels.
    ///
    /// Of all partitions with enough tasks this chooses the one with the least repeated memory traffic:
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
        let partitions = (1..=wanted.min(panels)).map(|groups| {
            let strips = wanted.div_ceil(groups).max(at_least).min(blocks);
            (strips * weights + groups * input, strips, groups)
        });
        let (_, strips, groups) = partitions.min().unwrap_or((0, 1, 1));
        let strips = (0..strips).map(|strip| portion(strip, strips, blocks));
        strips
            .flat_map(|blocks| {
                let groups = (0..groups).map(|group| portion(group, groups, panels));
                groups.map(move |panels| (blocks.clone(), panels))
            })
            .collect()
    }
}

/// The part of the output that one task writes: some panels of some blocks.
struct Part<'a> {
    convolution: &'a Convolution,
    sizes: Sizes,
    output: SharedOutput<'a>,
    blocks: Range<usize>,
    panels: Range<usize>,
}

impl<'a> Part<'a> {
    /// Returns the part with these blocks and panels.
    ///
    /// # Safety
    ///
    /// Nobody else may use these panels of the blocks' pixels during `'a`.
    unsafe fn new(
        convolution: &'a Convolution,
        sizes: Sizes,
        output: SharedOutput<'a>,
        blocks: &Range<usize>,
        panels: &Range<usize>,
    ) -> Self {
        Self {
            convolution,
            sizes,
            output,
            blocks: blocks.clone(),
            panels: panels.clone(),
        }
    }

    /// Returns a panel of a block's pixels.
    #[inline(always)]
    fn target<'b>(
        &'b mut self,
        pixels: &Range<usize>,
        panel: usize,
        residual: Residual<'b>,
        rectify: Rectify,
    ) -> Target<'b> {
        assert!(self.panels.contains(&panel));
        let panels = &self.convolution.panels;
        let (pitch, first) = (panels.outputs, panel * panels.width);
        let size = [pixels.len(), panels.width.min(pitch - first)];
        let at = pixels.start * pitch + first;
        // SAFETY: the pixels are those of a block of this part, and the panel is one of the part's. The
        // mutable borrow makes this the only target.
        unsafe { Target::new(self.output, at, size, pitch, residual, rectify) }
    }
}

/// The computation of a part of the output.
struct Task<'a> {
    part: Part<'a>,
    input: &'a [f32],
    residual: Option<&'a [f32]>,
    rectify: Rectify,
    /// The pixels of the part's blocks.
    pixels: Range<usize>,
    rows: &'a PaddedRows,
    scratch: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            part,
            input,
            pixels,
            rows,
            scratch,
            ..
        } = self;
        let convolution = part.convolution;
        let (channels, zeros) = (convolution.channels, &convolution.zeros[..]);
        let (sizes, range) = (part.sizes, part.blocks.clone());
        let blocks = match &convolution.kind {
            Kind::Taps => {
                let window = Window {
                    geometry: convolution.geometry,
                    sizes,
                };
                let locate = |pixel| window.origin(pixel);
                let at = |origin, tap: &[usize; 2]| {
                    let pixel = window.input(origin, tap)?;
                    Some(&input[pixel * channels..][..channels])
                };
                Blocks::new(sizes, range, &window.taps(), zeros, locate, at)
            }
            Kind::Rows => {
                rows.read(input, scratch);
                let scratch = &*scratch;
                let kernel_rows: Vec<usize> = (0..convolution.geometry.kernel[0]).collect();
                let at = |pixel, &row: &usize| Some(&scratch[rows.at(pixel, row)..][..zeros.len()]);
                Blocks::new(sizes, range, &kernel_rows, zeros, |pixel| pixel, at)
            }
            Kind::Separable(depthwise) => {
                depthwise.strip(simd, sizes, input, &pixels, scratch);
                let scratch = &*scratch;
                let at = |pixel: usize, _: &()| {
                    let start = (pixel - pixels.start) * channels;
                    Some(&scratch[start..][..channels])
                };
                Blocks::new(sizes, range, &[()], zeros, |pixel| pixel, at)
            }
        };
        let residual = match self.residual {
            None => Residual::None,
            Some(values) => Residual::Values(values),
        };
        let multiplication = Multiplication {
            part,
            residual,
            rectify: self.rectify,
            blocks,
        };
        match const { vectors::<S>() } {
            8 => multiplication.run::<S, 8>(simd),
            4 => multiplication.run::<S, 4>(simd),
            _ => multiplication.run::<S, 2>(simd),
        }
    }
}

/// The product of a part's blocks and panels.
struct Multiplication<'a> {
    part: Part<'a>,
    residual: Residual<'a>,
    rectify: Rectify,
    blocks: Blocks<'a>,
}

impl Multiplication<'_> {
    #[inline(always)]
    fn run<S: Simd, const N: usize>(mut self, simd: S) {
        let panels = &self.part.convolution.panels;
        let (range, count) = (self.part.panels.clone(), self.blocks.count());
        if panels.length * panels.outputs <= FEW_WEIGHTS {
            for block in 0..count {
                for panel in range.clone() {
                    self.block::<S, N>(simd, block, panel, Prefetch::none());
                }
            }
            return;
        }
        for panel in range {
            for block in 0..count {
                let prefetch = match panel + 1 < panels.count() {
                    true => {
                        let next = panels.panel(panel + 1);
                        Prefetch::new(next, block, count, panels.length)
                    }
                    false => Prefetch::none(),
                };
                self.block::<S, N>(simd, block, panel, prefetch);
            }
        }
    }

    /// Multiplies one block with one panel.
    #[inline(always)]
    fn block<S: Simd, const N: usize>(
        &mut self,
        simd: S,
        block: usize,
        panel: usize,
        prefetch: Prefetch,
    ) {
        let panels = &self.part.convolution.panels;
        let (pixels, steps): (_, BlockSteps) = self.blocks.get(block);
        let sums = Sums {
            steps,
            panel: panels.panel(panel),
            bias: panels.bias(panel),
            prefetch,
        };
        let target = self
            .part
            .target(&pixels, panel, self.residual, self.rectify);
        multiply_block::<S, N, N>(simd, sums, target);
    }
}
