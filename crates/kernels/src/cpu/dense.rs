//! Convolution of any kind, in groups or not, as matrix products with its im2col matrix.

use std::ops::Range;

use rayon::prelude::*;

use super::col2im::Col2Im;
use super::divided::Divided;
use super::im2col::{Im2Col, TransposedIm2Col, with_padding};
use super::pointwise::{add_bias, with_transposed};
use super::product::{Layout, Product, Strided, transpose};
use super::scratch::with_scratch;
use crate::{Geometry, Padding2d};

/// Columns of a strip at least, where there are that many.
const COLUMNS: usize = 192;
/// Elements that the im2col matrix of a strip may have: a share of the second-level cache.
const WINDOWS: usize = 131_072;

/// The sizes of a convolution.
#[derive(Debug, Clone)]
pub(crate) struct Dense {
    /// Number of images.
    pub(crate) batch: usize,
    /// Input channels.
    pub(crate) channels: usize,
    /// Output channels.
    pub(crate) outputs: usize,
    /// Groups of channels, convolved apart.
    pub(crate) groups: usize,
    /// Height and width of the input.
    pub(crate) input: [usize; 2],
    /// Height and width of the output.
    pub(crate) output: [usize; 2],
    /// The window.
    pub(crate) geometry: Geometry,
}

/// A part of the output: some rows of each of some images.
#[derive(Debug, Clone)]
struct Strip {
    images: Range<usize>,
    rows: Range<usize>,
}

impl Dense {
    fn col2im(&self) -> Col2Im {
        Col2Im {
            input: self.input,
            output: self.output,
            geometry: self.geometry,
        }
    }

    /// Returns the pixels of an image of the output.
    fn pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Returns the input channels of a group.
    fn group_inputs(&self) -> usize {
        self.channels / self.groups
    }

    /// Returns the output channels of a group.
    fn group_outputs(&self) -> usize {
        self.outputs / self.groups
    }

    /// Returns the elements of a window in a group.
    fn window(&self) -> usize {
        self.group_inputs() * self.col2im().taps()
    }

    /// Calls `work` with the im2col matrix of the input.
    fn with_im2col<R>(&self, input: &[f32], work: impl FnOnce(Im2Col) -> R) -> R {
        with_padding(input, self.input, self.geometry.padding, |planes, size| {
            let (channels, output, geometry) = (self.channels, self.output, self.geometry);
            work(Im2Col::new(planes, channels, size, output, geometry))
        })
    }

    /// Computes the output.
    pub(crate) fn forward(&self, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let mut output = self.with_im2col(input, |matrix| self.convolve(weight, matrix));
        if let Some(bias) = bias {
            add_bias(&mut output, bias, self.pixels());
        }
        output
    }

    /// Computes `weight * matrix`, `[batch, outputs, pixels]`.
    fn convolve(&self, weight: &[f32], matrix: Im2Col) -> Vec<f32> {
        let (outputs, window) = (self.group_outputs(), self.window());
        let columns = self.batch * self.pixels();
        let group = |group: usize| Product {
            left: Strided::dense(
                &weight[group * outputs * window..][..outputs * window],
                window,
            ),
            right: matrix.skip_channels(group * self.group_inputs()),
            size: [outputs, columns, window],
        };
        let groups: Vec<_> = (0..self.groups).map(group).collect();
        Product::stacked(&groups, Layout::planes(self.outputs, self.pixels()))
    }

    /// Computes the gradient of the input from that of the output.
    pub(crate) fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        if let Some(reverse) = self.reverse() {
            return with_scratch(weight.len(), |reversed| {
                self.reverse_weight(weight, reversed);
                reverse.forward(gradient, reversed, None)
            });
        }
        self.scattered(weight, gradient)
    }

    /// Returns, at stride 1, the convolution of the output's gradient that is the input's gradient.
    fn reverse(&self) -> Option<Self> {
        let Geometry {
            kernel,
            stride,
            dilation,
            padding,
        } = self.geometry;
        if stride != [1, 1] {
            return None;
        }
        let reach = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis]);
        let padding = Padding2d {
            top: reach[0].checked_sub(padding.top)?,
            bottom: reach[0].checked_sub(padding.bottom)?,
            left: reach[1].checked_sub(padding.left)?,
            right: reach[1].checked_sub(padding.right)?,
        };
        Some(Self {
            channels: self.outputs,
            outputs: self.channels,
            input: self.output,
            output: self.input,
            geometry: Geometry {
                padding,
                ..self.geometry
            },
            ..*self
        })
    }

    /// Writes the weight of [`Self::reverse`]: in each group, inputs and outputs exchanged, the taps from last
    /// to first.
    fn reverse_weight(&self, weight: &[f32], to: &mut [f32]) {
        let (inputs, outputs) = (self.group_inputs(), self.group_outputs());
        let (taps, window) = (self.col2im().taps(), self.window());
        if taps == 1 {
            let groups = weight.par_chunks_exact(outputs * inputs);
            return groups
                .zip(to.par_chunks_exact_mut(outputs * inputs))
                .divided()
                .for_each(|(from, to)| transpose(from, inputs, [outputs, inputs], to, outputs));
        }
        let rows = to.par_chunks_exact_mut(outputs * taps).enumerate();
        rows.divided().for_each(|(channel, to)| {
            let (group, input) = (channel / inputs, channel % inputs);
            let from = &weight[group * outputs * window..][..outputs * window];
            for (to, from) in to.chunks_exact_mut(taps).zip(from.chunks_exact(window)) {
                let from = &from[input * taps..][..taps];
                for (to, from) in to.iter_mut().zip(from.iter().rev()) {
                    *to = *from;
                }
            }
        });
    }

    /// Computes the gradient of the input at any stride: the gradient of a *strip*'s im2col matrix is added
    /// to the input by col2im. A strip is some rows of one image, or some whole images.
    fn scattered(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (outputs, window) = (self.group_outputs(), self.window());
        let col2im = self.col2im();
        let strips = self.strips();
        let images = strips[0].images.len();
        let group_planes = self.group_inputs() * col2im.input_plane();
        let mut result = vec![0.0; self.batch * self.channels * col2im.input_plane()];
        with_transposed(weight, self.groups, [outputs, window], |weights| {
            // The planes of each group in each image. Strips of one image add to the same pixels, so they are one task.
            let mut planes: Vec<_> = result.chunks_exact_mut(group_planes).map(Some).collect();
            let tasks = (0..self.batch.div_ceil(images) * self.groups).map(|task| {
                let (first, group) = (task / self.groups * images, task % self.groups);
                let own = first..(first + images).min(self.batch);
                let planes = own.clone().filter_map(|image| {
                    let planes = planes.get_mut(image * self.groups + group);
                    planes.and_then(Option::take)
                });
                (group, own, planes.collect::<Vec<_>>())
            });
            let tasks: Vec<_> = tasks.collect();
            tasks
                .into_par_iter()
                .divided()
                .for_each(|(group, images, mut planes)| {
                    let weight = &weights[group * outputs * window..][..outputs * window];
                    for rows in strips.iter().filter(|strip| strip.images.start == 0) {
                        let strip = Strip {
                            images: images.clone(),
                            rows: rows.rows.clone(),
                        };
                        self.scatter(weight, gradient, group, &strip, &mut planes);
                    }
                });
        });
        result
    }

    /// Adds a strip's part to the planes of its images; `weight` is the transpose of the group's weight.
    fn scatter(
        &self,
        weight: &[f32],
        gradient: &[f32],
        group: usize,
        strip: &Strip,
        images: &mut [&mut [f32]],
    ) {
        let (col2im, outputs, window) = (self.col2im(), self.group_outputs(), self.window());
        let length = strip.rows.len() * self.output[1];
        let count = strip.images.len() * length;
        let first = (strip.images.start * self.outputs + group * outputs) * self.pixels();
        let first = first + strip.rows.start * self.output[1];
        let product = Product {
            left: Strided::dense(weight, outputs),
            right: Strided::planes(&gradient[first..], self.outputs, self.pixels()),
            size: [window, count, outputs],
        };
        with_scratch(window * count, |matrix| {
            product.write(matrix, Layout::dense(count));
            for (index, planes) in images.iter_mut().enumerate() {
                for (k, row) in matrix.chunks_exact(count).enumerate() {
                    let (channel, tap) = (k / col2im.taps(), k % col2im.taps());
                    let plane = &mut planes[channel * col2im.input_plane()..];
                    let plane = &mut plane[..col2im.input_plane()];
                    let row = &row[index * length..][..length];
                    col2im.add_row(row, tap, strip.rows.clone(), plane);
                }
            }
        });
    }

    /// Divides the output into strips.
    fn strips(&self) -> Vec<Strip> {
        let columns = (WINDOWS / self.window()).max(COLUMNS);
        let (images, rows) = match columns / self.pixels() {
            0 => (1, columns.div_ceil(self.output[1])),
            images => (images, self.output[0]),
        };
        // Two strips at least, for a second thread.
        let images = images.min(self.batch.div_ceil(2));
        let mut strips = Vec::new();
        for image in (0..self.batch).step_by(images) {
            for row in (0..self.output[0]).step_by(rows) {
                strips.push(Strip {
                    images: image..(image + images).min(self.batch),
                    rows: row..(row + rows).min(self.output[0]),
                });
            }
        }
        strips
    }

    /// Computes the gradient of the weight from the input and the gradient of the output.
    pub(crate) fn weight_gradient(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (outputs, window) = (self.group_outputs(), self.window());
        let of_a_group = |matrix: Im2Col, group: usize| {
            let gradient = &gradient[group * outputs * self.pixels()..];
            let product = Product {
                left: Strided::planes(gradient, self.outputs, self.pixels()),
                right: TransposedIm2Col(matrix.skip_channels(group * self.group_inputs())),
                size: [outputs, window, self.batch * self.pixels()],
            };
            product.sum()
        };
        self.with_im2col(input, |matrix| match self.groups {
            1 => of_a_group(matrix, 0),
            groups => {
                let groups = (0..groups).into_par_iter();
                let gradients: Vec<Vec<f32>> =
                    groups.map(|group| of_a_group(matrix, group)).collect();
                gradients.concat()
            }
        })
    }
}
