//! Convolution of any kind, in groups or not, as matrix products with its windows.
//!
//! The output is divided into *strips*: some rows of one image, or some whole images where these have
//! few pixels. The windows of a strip are copied out as the columns of a matrix.

use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use super::columns::Columns;
use super::few_channels;
use super::matrix::{Destination, Matrix, Update, product};
use super::output::{Unwritten, written_by};
use super::scratch::with_scratch;
use crate::Geometry;

/// Columns of a strip at least, where there are that many: fewer leave a product waiting for the
/// packing of its other side.
const COLUMNS: usize = 192;
/// Elements that the windows of a strip may have: a share of the second-level cache.
const WINDOWS: usize = 131_072;
/// Strips whose weight gradients are summed apart, and then added in order.
const PARTS: usize = 8;
/// Elements of all parts of the weight's gradient together.
const PARTS_LENGTH: usize = 4_194_304;
/// Rows of a task of the weight's gradient.
const TASK_ROWS: usize = 64;

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

    fn strip_columns(&self, strip: &Strip) -> usize {
        strip.images.len() * strip.rows.len() * self.output[1]
    }

    /// Writes row `k` of a strip's windows, in a group.
    fn read_row(&self, input: &[f32], group: usize, strip: &Strip, k: usize, to: &mut [f32]) {
        let columns = self.columns();
        let channel = group * self.group_inputs() + k / columns.taps();
        let of_an_image = to.chunks_exact_mut(strip.rows.len() * self.output[1]);
        for (image, to) in strip.images.clone().zip(of_an_image) {
            let plane = &input[(image * self.channels + channel) * columns.input_plane()..];
            let plane = &plane[..columns.input_plane()];
            columns.read(plane, k % columns.taps(), strip.rows.clone(), to);
        }
    }

    /// Copies a group of output channels of a strip, `[group outputs, columns]`.
    fn side_by_side(&self, output: &[f32], group: usize, strip: &Strip, to: &mut [f32]) {
        let columns = self.strip_columns(strip);
        let length = strip.rows.len() * self.output[1];
        for (row, to) in to.chunks_exact_mut(columns).enumerate() {
            let channel = group * self.group_outputs() + row;
            for (image, to) in strip.images.clone().zip(to.chunks_exact_mut(length)) {
                let plane = (image * self.outputs + channel) * self.pixels();
                let start = plane + strip.rows.start * self.output[1];
                to.copy_from_slice(&output[start..][..length]);
            }
        }
    }

    /// The output.
    pub(crate) fn forward(&self, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let strips = self.strips();
        let write = |output: &mut Unwritten| {
            let pointer = Destination {
                start: output.as_mut_ptr().cast(),
                row_stride: self.pixels(),
            };
            (0..strips.len() * self.groups)
                .into_par_iter()
                .for_each(|task| {
                    let (strip, group) = (&strips[task / self.groups], task % self.groups);
                    // SAFETY: this group of channels of this strip is this task's alone.
                    unsafe { self.strip(input, weight, bias, strip, group, pointer) };
                });
        };
        let length = self.batch * self.outputs * self.pixels();
        // SAFETY: the strips are all rows of all images, and each is written for all groups.
        unsafe { written_by(length, write) }
    }

    /// # Safety
    ///
    /// `output` must be the whole output, and nobody else write to this group of this strip.
    unsafe fn strip(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        strip: &Strip,
        group: usize,
        output: Destination,
    ) {
        let (columns, window) = (self.strip_columns(strip), self.window());
        let outputs = self.group_outputs();
        let first = group * outputs;
        let weight = Matrix::rows(&weight[first * window..][..outputs * window], window);
        with_scratch((window + outputs) * columns, |scratch| {
            let (windows, result) = scratch.split_at_mut(window * columns);
            for (k, to) in windows.chunks_exact_mut(columns).enumerate() {
                self.read_row(input, group, strip, k, to);
            }
            let destination = Destination {
                start: result.as_mut_ptr(),
                row_stride: columns,
            };
            let size = [outputs, columns, window];
            // SAFETY: `result` has room for the product.
            unsafe {
                product(
                    destination,
                    weight,
                    Matrix::rows(windows, columns),
                    size,
                    Update::Replace,
                )
            };
            let length = strip.rows.len() * self.output[1];
            for (row, from) in result.chunks_exact(columns).enumerate() {
                let bias = bias.map_or(0.0, |bias| bias[first + row]);
                for (image, from) in strip.images.clone().zip(from.chunks_exact(length)) {
                    let row = image * self.outputs + first + row;
                    // SAFETY: the strip's rows of this channel lie in the output.
                    let to = unsafe {
                        let start = output.at(row, strip.rows.start * self.output[1]).start;
                        std::slice::from_raw_parts_mut(start.cast::<MaybeUninit<f32>>(), length)
                    };
                    for (to, from) in to.iter_mut().zip(from) {
                        to.write(from + bias);
                    }
                }
            }
        });
    }

    /// The gradient of the input, from that of the output.
    pub(crate) fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let columns = self.columns();
        let mut strips = self.strips();
        // Strips of one image add to the same pixels, so they are one task.
        let images = strips[0].images.len();
        strips.truncate(strips.iter().take_while(|s| s.images.start == 0).count());
        let of_an_image = self.channels * columns.input_plane();
        let mut result = vec![0.0; self.batch * of_an_image];
        let tasks = result.par_chunks_mut(images * of_an_image).enumerate();
        tasks.for_each(|(task, result)| {
            let group_planes = self.group_inputs() * columns.input_plane();
            for group in 0..self.groups {
                for strip in &strips {
                    let first = task * images;
                    let strip = Strip {
                        images: first..(first + images).min(self.batch),
                        rows: strip.rows.clone(),
                    };
                    self.add_strip(weight, gradient, &strip, group, |image, windows| {
                        let start = image * of_an_image + group * group_planes;
                        let planes = &mut result[start..][..group_planes];
                        let planes = planes.chunks_exact_mut(columns.input_plane());
                        for (plane, windows) in planes.zip(windows.chunks(columns.taps())) {
                            for (tap, row) in windows.iter().enumerate() {
                                columns.add(row, tap, strip.rows.clone(), plane);
                            }
                        }
                    });
                }
            }
        });
        result
    }

    /// Computes the gradient of a strip's windows; calls `add` for each image of the strip with the
    /// rows of the windows' matrix.
    fn add_strip(
        &self,
        weight: &[f32],
        gradient: &[f32],
        strip: &Strip,
        group: usize,
        mut add: impl FnMut(usize, &[&[f32]]),
    ) {
        let (columns, window) = (self.strip_columns(strip), self.window());
        let outputs = self.group_outputs();
        let weight = &weight[group * outputs * window..][..outputs * window];
        with_scratch((window + outputs) * columns, |scratch| {
            let (windows, gradients) = scratch.split_at_mut(window * columns);
            self.side_by_side(gradient, group, strip, gradients);
            let destination = Destination {
                start: windows.as_mut_ptr(),
                row_stride: columns,
            };
            let left = Matrix::rows(weight, window).transposed();
            let size = [window, columns, outputs];
            // SAFETY: `windows` has room for the product.
            unsafe {
                product(
                    destination,
                    left,
                    Matrix::rows(gradients, columns),
                    size,
                    Update::Replace,
                )
            };
            let length = strip.rows.len() * self.output[1];
            for image in 0..strip.images.len() {
                let rows = windows.chunks_exact(columns);
                let rows: Vec<&[f32]> = rows.map(|row| &row[image * length..][..length]).collect();
                add(image, &rows);
            }
        });
    }

    /// The gradient of the weight, from the input and the gradient of the output.
    pub(crate) fn weight_gradient(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        if let Some(result) = few_channels::weight_gradient(self, input, gradient) {
            return result;
        }
        let (strips, window) = (self.strips(), self.window());
        let size = self.outputs * window;
        let parts = (PARTS_LENGTH / size).clamp(1, PARTS).min(strips.len());
        let strips_of_a_part = strips.len().div_ceil(parts);
        let parts = strips.len().div_ceil(strips_of_a_part);
        let mut sums = vec![0.0; parts * size];
        sums.par_chunks_exact_mut(size)
            .zip(strips.par_chunks(strips_of_a_part))
            .for_each(|(sums, strips)| {
                let groups = sums.par_chunks_exact_mut(self.group_outputs() * window);
                groups.enumerate().for_each(|(group, sums)| {
                    for strip in strips {
                        self.add_weight_gradient(input, gradient, strip, group, sums);
                    }
                });
            });
        let (first, others) = sums.split_at_mut(size);
        for other in others.chunks_exact(size) {
            for (sum, value) in first.iter_mut().zip(other) {
                *sum += value;
            }
        }
        sums.truncate(size);
        sums
    }

    fn add_weight_gradient(
        &self,
        input: &[f32],
        gradient: &[f32],
        strip: &Strip,
        group: usize,
        sums: &mut [f32],
    ) {
        let (columns, window) = (self.strip_columns(strip), self.window());
        with_scratch((window + self.group_outputs()) * columns, |scratch| {
            let (windows, gradients) = scratch.split_at_mut(window * columns);
            let rows = windows.par_chunks_exact_mut(columns).enumerate();
            rows.with_min_len(64)
                .for_each(|(k, to)| self.read_row(input, group, strip, k, to));
            self.side_by_side(gradient, group, strip, gradients);
            let right = Matrix::rows(windows, columns).transposed();
            sums.par_chunks_mut(TASK_ROWS * window)
                .zip(gradients.par_chunks(TASK_ROWS * columns))
                .for_each(|(sums, gradients)| {
                    let destination = Destination {
                        start: sums.as_mut_ptr(),
                        row_stride: window,
                    };
                    let left = Matrix::rows(gradients, columns);
                    let size = [sums.len() / window, window, columns];
                    // SAFETY: `sums` has these rows and holds values.
                    unsafe { product(destination, left, right, size, Update::Add) };
                });
        });
    }
}
