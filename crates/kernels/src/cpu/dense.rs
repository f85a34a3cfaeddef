//! Convolution of any kind, in groups or not, as matrix products with its windows.

use std::ops::Range;

use rayon::prelude::*;

use super::columns::Columns;
use super::few_channels;
use super::output::written_by;
use super::pointwise::{add_bias, with_transposed};
use super::product::{Destination, Layout, Product, Strided};
use super::scratch::with_scratch;
use super::windows::{TransposedWindows, Windows, with_padding};
use crate::{Geometry, Padding2d};

/// Columns of a strip at least, where there are that many.
const COLUMNS: usize = 192;
/// Elements that the windows of a strip may have: a share of the second-level cache.
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

/// A part of the output: these rows of each of these images.
#[derive(Debug, Clone)]
struct Strip {
    images: Range<usize>,
    rows: Range<usize>,
}

impl Dense {
    fn columns(&self) -> Columns {
        Columns {
            input: self.input,
            output: self.output,
            geometry: self.geometry,
        }
    }

    /// Pixels of an image of the output.
    fn pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Input channels of a group.
    fn group_inputs(&self) -> usize {
        self.channels / self.groups
    }

    /// Output channels of a group.
    fn group_outputs(&self) -> usize {
        self.outputs / self.groups
    }

    /// Elements of a window in a group.
    fn window(&self) -> usize {
        self.group_inputs() * self.columns().taps()
    }

    /// Calls `work` with the windows on the input.
    fn with_windows<R>(&self, input: &[f32], work: impl FnOnce(Windows) -> R) -> R {
        with_padding(input, self.input, self.geometry.padding, |planes, size| {
            let (channels, output, geometry) = (self.channels, self.output, self.geometry);
            work(Windows::new(planes, channels, size, output, geometry))
        })
    }

    /// The output.
    pub(crate) fn forward(&self, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let mut output = self.with_windows(input, |windows| self.convolve(weight, windows));
        if let Some(bias) = bias {
            add_bias(&mut output, bias, self.pixels());
        }
        output
    }

    /// `weight * windows`, `[batch, outputs, pixels]`.
    fn convolve(&self, weight: &[f32], windows: Windows) -> Vec<f32> {
        let (outputs, window) = (self.group_outputs(), self.window());
        let columns = self.batch * self.pixels();
        // SAFETY: the groups have all channels, and a product's columns are all pixels of all images.
        unsafe {
            written_by(self.outputs * columns, |output| {
                let output = Destination {
                    start: output.as_mut_ptr().cast(),
                    layout: Layout::planes(self.outputs, self.pixels()),
                };
                (0..self.groups).into_par_iter().for_each(|group| {
                    let weight = &weight[group * outputs * window..][..outputs * window];
                    let product = Product {
                        left: Strided::dense(weight, window),
                        right: windows.beyond(group * self.group_inputs()),
                        size: [outputs, columns, window],
                    };
                    product.write(output.offset(group * outputs * self.pixels()));
                });
            })
        }
    }

    /// The gradient of the input, from that of the output.
    pub(crate) fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        if let Some(reverse) = self.reverse() {
            return with_scratch(weight.len(), |reversed| {
                self.reverse_weight(weight, reversed);
                reverse.forward(gradient, reversed, None)
            });
        }
        self.scattered(weight, gradient)
    }

    /// At stride 1, the convolution of the output's gradient that gives the input's.
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

    /// The weight of [`Self::reverse`]: in each group, inputs and outputs exchanged, the taps from last
    /// to first.
    fn reverse_weight(&self, weight: &[f32], to: &mut [f32]) {
        let (inputs, outputs) = (self.group_inputs(), self.group_outputs());
        let (taps, window) = (self.columns().taps(), self.window());
        let rows = to.par_chunks_exact_mut(outputs * taps).enumerate();
        rows.for_each(|(channel, to)| {
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

    /// The gradient of the input at any stride: that of the windows of a *strip*, some rows of one
    /// image or some whole images, is added to the pixels that they saw.
    fn scattered(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (outputs, window) = (self.group_outputs(), self.window());
        let columns = self.columns();
        let strips = self.strips();
        let images = strips[0].images.len();
        let of_an_image = self.channels * columns.input_plane();
        let group_planes = self.group_inputs() * columns.input_plane();
        let mut result = vec![0.0; self.batch * of_an_image];
        for group in 0..self.groups {
            let weight = &weight[group * outputs * window..][..outputs * window];
            with_transposed(weight, [outputs, window], |weight| {
                // Strips of one image add to the same pixels, so they are one task.
                let tasks = result.par_chunks_mut(images * of_an_image).enumerate();
                tasks.for_each(|(task, result)| {
                    let first = task * images;
                    let last = (first + images).min(self.batch);
                    for rows in strips.iter().filter(|strip| strip.images.start == 0) {
                        let strip = Strip {
                            images: first..last,
                            rows: rows.rows.clone(),
                        };
                        let planes = result.chunks_exact_mut(of_an_image);
                        let planes = planes.map(|image| &mut image[group * group_planes..]);
                        self.scatter(weight, gradient, group, &strip, planes);
                    }
                });
            });
        }
        result
    }

    /// Adds a strip's part to the planes of its images; `weight` is the transpose of the group's.
    fn scatter<'a>(
        &self,
        weight: &[f32],
        gradient: &[f32],
        group: usize,
        strip: &Strip,
        images: impl Iterator<Item = &'a mut [f32]>,
    ) {
        let (columns, outputs, window) = (self.columns(), self.group_outputs(), self.window());
        let length = strip.rows.len() * self.output[1];
        let count = strip.images.len() * length;
        let first = (strip.images.start * self.outputs + group * outputs) * self.pixels();
        let first = first + strip.rows.start * self.output[1];
        let product = Product {
            left: Strided::dense(weight, outputs),
            right: Strided::planes(&gradient[first..], self.outputs, self.pixels()),
            size: [window, count, outputs],
        };
        with_scratch(window * count, |windows| {
            let destination = Destination {
                start: windows.as_mut_ptr(),
                layout: Layout::dense(count),
            };
            // SAFETY: `windows` has room for the product.
            unsafe { product.write(destination) };
            for (index, planes) in images.enumerate() {
                for (k, row) in windows.chunks_exact(count).enumerate() {
                    let (channel, tap) = (k / columns.taps(), k % columns.taps());
                    let plane = &mut planes[channel * columns.input_plane()..];
                    let plane = &mut plane[..columns.input_plane()];
                    let row = &row[index * length..][..length];
                    columns.add(row, tap, strip.rows.clone(), plane);
                }
            }
        });
    }

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

    /// The gradient of the weight, from the input and the gradient of the output.
    pub(crate) fn weight_gradient(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        if let Some(result) = few_channels::weight_gradient(self, input, gradient) {
            return result;
        }
        let (outputs, window) = (self.group_outputs(), self.window());
        let of_a_group = |windows: Windows, group: usize| {
            let gradient = &gradient[group * outputs * self.pixels()..];
            let product = Product {
                left: Strided::planes(gradient, self.outputs, self.pixels()),
                right: TransposedWindows(windows.beyond(group * self.group_inputs())),
                size: [outputs, window, self.batch * self.pixels()],
            };
            product.sum()
        };
        self.with_windows(input, |windows| match self.groups {
            1 => of_a_group(windows, 0),
            groups => {
                let groups = (0..groups).into_par_iter();
                let gradients: Vec<Vec<f32>> =
                    groups.map(|group| of_a_group(windows, group)).collect();
                gradients.concat()
            }
        })
    }
}
