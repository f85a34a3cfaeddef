//! The forward pass of a convolution with panels, divided into tasks of some panels of some pixels.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::super::output::SharedOutput;
use super::super::product::instruction_set::vectors;
use super::super::product::micro_kernel::{
    Prefetch, Rectify, Residual, Sums, Target, multiply_block,
};
use super::super::product::portion;
use super::super::scratch::with_scratch;
use super::convolution::Input;
use super::images::PaddedRows;
use super::panel_convolution::{Kind, PanelConvolution};
use super::pixels::{Blocks, Pixel, Sizes, Window};

/// Tasks that a convolution is divided into at least where it is large enough.
const TASKS: usize = 8;
/// Multiply-adds of a task at least; a million of them take about ten microseconds.
const TASK_PRODUCTS: usize = 1_000_000;
/// The cost of computing a depthwise part once more, in times of reading its input.
const REPEATED_DEPTHWISE: usize = 4;
/// Elements that a strip's input may have: a share of the second-level cache.
const STRIP: usize = 98_304;
/// Weights that stay in the second-level cache while all of them are read for each block.
const FEW_WEIGHTS: usize = 98_304;

impl PanelConvolution {
    /// Computes the output, `[batch, height, width, outputs]`, of this height and width; `residual` is
    /// added before the activation.
    pub(super) fn forward(
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
        let length = sizes.pixels() * self.panels.outputs();
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
        let weights = self.panels.length * self.panels.outputs();
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
    convolution: &'a PanelConvolution,
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
        convolution: &'a PanelConvolution,
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
        let (pitch, outputs) = (panels.outputs(), panels.outputs_of(panel));
        let size = [pixels.len(), outputs.len()];
        let at = pixels.start * pitch + outputs.start;
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
    /// The rows of images, for [`Kind::Rows`].
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
                let length = channels / convolution.groups;
                Blocks::new(sizes, range, &window.taps(), zeros, length, locate, at)
            }
            Kind::Rows => {
                rows.read(input, scratch);
                let scratch = &*scratch;
                let kernel_rows = 0..convolution.geometry.kernel[0];
                let distances: Vec<usize> = kernel_rows.map(|row| rows.distance(row)).collect();
                let locate = |pixel| rows.window(pixel);
                let at =
                    |window, &distance: &usize| Some(&scratch[window + distance..][..zeros.len()]);
                let length = zeros.len();
                Blocks::new(sizes, range, &distances, zeros, length, locate, at)
            }
            Kind::Separable(depthwise) => {
                depthwise.strip(simd, sizes, input, &pixels, scratch);
                let scratch = &*scratch;
                let at = |pixel: usize, _: &()| {
                    let start = (pixel - pixels.start) * channels;
                    Some(&scratch[start..][..channels])
                };
                let locate = |pixel: Pixel| pixel.index;
                Blocks::new(sizes, range, &[()], zeros, channels, locate, at)
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
        if panels.length * panels.outputs() <= FEW_WEIGHTS {
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
        let PanelConvolution {
            panels,
            channels,
            groups,
            ..
        } = self.part.convolution;
        let (pixels, steps) = self.blocks.get(block);
        let few = panels.outputs_of(panel).len() <= S::F32_LANES;
        let sums = Sums {
            steps,
            offset: panels.group(panel) * (channels / groups),
            panel: panels.panel(panel),
            bias: panels.bias(panel),
            prefetch,
        };
        let target = self
            .part
            .target(&pixels, panel, self.residual, self.rectify);
        match few && const { N == 2 } {
            true => multiply_block::<S, 1, N>(simd, sums, target),
            false => multiply_block::<S, N, N>(simd, sums, target),
        }
    }
}
