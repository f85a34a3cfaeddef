//! Pointwise convolution: matrix products of the weight with the pixels of each image.
//!
//! An image with many pixels is a matrix `[channels, pixels]` as it lies in memory. Images with few
//! pixels are copied side by side, `[channels, images * pixels]`, because a product with few columns
//! spends its time on packing the weight.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::matrix::{Destination, Matrix, Update, product};
use super::output::{Unwritten, written_by};
use super::scratch::with_scratch;

/// Fewer pixels than this are put together with those of other images.
const FEW_PIXELS: usize = 192;
/// Columns of a product of images put together.
const COLUMNS: usize = 384;
/// Tasks that a product is divided into at least where it is large enough. A few more than the
/// threads of a common machine, so that none of them waits for long at the end.
const TASKS: usize = 8;
/// Columns of a task at least: the right-hand side of a product is packed for each task.
const TASK_COLUMNS: usize = 96;
/// Multiply-adds of a task at least. A million of them take about ten microseconds, a few times what
/// handing over a task does.
const TASK_PRODUCTS: usize = 1_000_000;
/// Elements of a task that only copies.
const COPY: usize = 16_384;
/// Rows of a task of the weight's gradient at least.
const TASK_ROWS: usize = 64;

/// The sizes of a pointwise convolution at stride 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pointwise {
    /// Number of images.
    pub(crate) batch: usize,
    /// Input channels.
    pub(crate) inputs: usize,
    /// Output channels.
    pub(crate) outputs: usize,
    /// Pixels of an image.
    pub(crate) pixels: usize,
}

impl Pointwise {
    /// The output.
    pub(crate) fn forward(&self, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let mix = Mix {
            weight: Matrix::rows(weight, self.inputs),
            bias,
            sizes: *self,
        };
        mix.images(input)
    }

    /// The gradient of the input, from that of the output.
    pub(crate) fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let mix = Mix {
            weight: Matrix::rows(weight, self.inputs).transposed(),
            bias: None,
            sizes: Self {
                inputs: self.outputs,
                outputs: self.inputs,
                ..*self
            },
        };
        mix.images(gradient)
    }

    /// The gradient of the weight, from the input and the gradient of the output.
    pub(crate) fn weight_gradient(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        if self.pixels >= FEW_PIXELS || self.batch == 1 {
            return self.sum_over_images(input, gradient);
        }
        let length = self.batch * self.pixels;
        with_scratch((self.inputs + self.outputs) * length, |scratch| {
            let (inputs, gradients) = scratch.split_at_mut(self.inputs * length);
            self.side_by_side(input, inputs);
            self.side_by_side(gradient, gradients);
            // As many parts as there were images, or fewer: each a stretch of the sum.
            let joined = Pointwise {
                batch: 1,
                pixels: length,
                ..*self
            };
            joined.sum_over_images(inputs, gradients)
        })
    }

    /// Copies `[batch, channels, pixels]` to `[channels, batch * pixels]`.
    fn side_by_side(&self, from: &[f32], to: &mut [f32]) {
        let channels = from.len() / (self.batch * self.pixels);
        let rows = to.par_chunks_exact_mut(self.batch * self.pixels);
        let at_least = (COPY / (self.batch * self.pixels)).max(1);
        rows.enumerate()
            .with_min_len(at_least)
            .for_each(|(channel, row)| {
                for (image, to) in row.chunks_exact_mut(self.pixels).enumerate() {
                    let start = (image * channels + channel) * self.pixels;
                    to.copy_from_slice(&from[start..][..self.pixels]);
                }
            });
    }

    /// The sum over the images of `gradient * transpose(input)`.
    ///
    /// Tasks are blocks of rows of the result, and where these are few, stretches of the sum whose
    /// results are then added in order.
    fn sum_over_images(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        let tasks = self.outputs * self.inputs * self.batch * self.pixels / TASK_PRODUCTS;
        let tasks = tasks.clamp(1, TASKS);
        let row_tasks = (self.outputs / TASK_ROWS).clamp(1, tasks);
        let rows = self.outputs.div_ceil(row_tasks);
        let length = self.batch * self.pixels;
        let parts = (tasks / row_tasks).min(length.div_ceil(COLUMNS)).max(1);
        let part_length = length.div_ceil(parts);
        let size = self.outputs * self.inputs;
        let row_tasks = self.outputs.div_ceil(rows);

        let compute = |sums: &mut Unwritten| {
            let pointer = Destination {
                start: sums.as_mut_ptr().cast(),
                row_stride: self.inputs,
            };
            (0..parts * row_tasks).into_par_iter().for_each(|task| {
                let (part, first_row) = (task / row_tasks, task % row_tasks * rows);
                let rows = rows.min(self.outputs - first_row);
                // SAFETY: the part's result starts there, and its rows follow.
                let destination = unsafe { pointer.at(part * self.outputs + first_row, 0) };
                let mut update = Update::Replace;
                let (mut position, end) = (part * part_length, (part + 1) * part_length);
                let end = end.min(length);
                while position < end {
                    let (image, pixel) = (position / self.pixels, position % self.pixels);
                    let pixels = (self.pixels - pixel).min(end - position);
                    let left =
                        &gradient[(image * self.outputs + first_row) * self.pixels + pixel..];
                    let right = &input[image * self.inputs * self.pixels + pixel..];
                    // SAFETY: these rows of this part's result are this task's alone.
                    unsafe {
                        product(
                            destination,
                            Matrix::rows(left, self.pixels),
                            Matrix::rows(right, self.pixels).transposed(),
                            [rows, self.inputs, pixels],
                            update,
                        );
                    }
                    update = Update::Add;
                    position += pixels;
                }
            });
        };
        // SAFETY: `parts` stretches of `part_length` are none empty, so each task writes all of its
        // rows, and the tasks are all rows of all parts.
        let mut sums = unsafe { written_by(parts * size, compute) };
        let (first, others) = sums.split_at_mut(size);
        for other in others.chunks_exact(size) {
            for (sum, value) in first.iter_mut().zip(other) {
                *sum += value;
            }
        }
        sums.truncate(size);
        sums
    }
}

/// `weight * pixels` for the pixels of all images.
struct Mix<'a> {
    /// `[outputs, inputs]`.
    weight: Matrix<'a>,
    bias: Option<&'a [f32]>,
    sizes: Pointwise,
}

impl Mix<'_> {
    /// From `[batch, inputs, pixels]` to `[batch, outputs, pixels]`.
    fn images(&self, input: &[f32]) -> Vec<f32> {
        let sizes = self.sizes;
        let write = |output: &mut Unwritten| {
            if sizes.pixels >= FEW_PIXELS || sizes.batch == 1 {
                self.each_image(input, output);
            } else {
                self.side_by_side(input, output);
            }
        };
        // SAFETY: both ways write the products of all pixels of all images.
        unsafe { written_by(sizes.batch * sizes.outputs * sizes.pixels, write) }
    }

    fn each_image(&self, input: &[f32], output: &mut Unwritten) {
        let Pointwise {
            batch,
            inputs,
            outputs,
            pixels,
        } = self.sizes;
        let work = outputs * inputs * pixels / TASK_PRODUCTS;
        let tasks = TASKS.div_ceil(batch).min(pixels / TASK_COLUMNS).min(work);
        let tasks = tasks.max(1);
        let columns = pixels.div_ceil(tasks).next_multiple_of(16);
        let tasks = pixels.div_ceil(columns);
        let pointer = Destination {
            start: output.as_mut_ptr().cast(),
            row_stride: pixels,
        };
        let at_least = TASK_PRODUCTS / (outputs * inputs * columns);
        let tasks_of_all = (0..batch * tasks).into_par_iter();
        let tasks_of_all = tasks_of_all.with_min_len(at_least.max(1));
        tasks_of_all.for_each(|task| {
            let (image, first) = (task / tasks, task % tasks * columns);
            let columns = columns.min(pixels - first);
            let right = Matrix::rows(&input[image * inputs * pixels + first..], pixels);
            // SAFETY: these columns of this image are this task's alone.
            unsafe {
                let destination = pointer.at(image * outputs, first);
                self.multiply(destination, right, columns);
            }
        });
    }

    fn side_by_side(&self, input: &[f32], output: &mut Unwritten) {
        let Pointwise {
            inputs,
            outputs,
            pixels,
            ..
        } = self.sizes;
        let images = (COLUMNS / pixels).max(1);
        output
            .par_chunks_mut(images * outputs * pixels)
            .zip(input.par_chunks(images * inputs * pixels))
            .for_each(|(output, input)| {
                let columns = input.len() / inputs;
                with_scratch((inputs + outputs) * columns, |scratch| {
                    let (right, result) = scratch.split_at_mut(inputs * columns);
                    for (image, from) in input.chunks_exact(inputs * pixels).enumerate() {
                        let rows = right.chunks_exact_mut(columns);
                        for (to, from) in rows.zip(from.chunks_exact(pixels)) {
                            copy(from, &mut to[image * pixels..][..pixels]);
                        }
                    }
                    let destination = Destination {
                        start: result.as_mut_ptr(),
                        row_stride: columns,
                    };
                    // SAFETY: `result` is this task's alone.
                    unsafe { self.multiply(destination, Matrix::rows(right, columns), columns) };
                    for (image, to) in output.chunks_exact_mut(outputs * pixels).enumerate() {
                        let rows = result.chunks_exact(columns);
                        for (to, from) in to.chunks_exact_mut(pixels).zip(rows) {
                            write(&from[image * pixels..][..pixels], to);
                        }
                    }
                });
            });
    }

    /// # Safety
    ///
    /// The destination must have room for all outputs in this many columns, written by nobody else.
    unsafe fn multiply(&self, destination: Destination, right: Matrix, columns: usize) {
        let update = match self.bias {
            None => Update::Replace,
            Some(bias) => {
                for (row, &bias) in bias.iter().enumerate() {
                    for column in 0..columns {
                        // SAFETY: as the caller promises.
                        unsafe { destination.at(row, column).start.write(bias) };
                    }
                }
                Update::Add
            }
        };
        let Pointwise {
            batch,
            inputs,
            outputs,
            pixels,
        } = self.sizes;
        // Where all images together have few columns, these are too few tasks: a task is some rows of them.
        let few = pixels < FEW_PIXELS && batch > 1 && batch * pixels < TASKS / 2 * COLUMNS;
        let work = outputs * inputs * columns / TASK_PRODUCTS;
        let tasks = match few {
            true => TASKS.min(outputs / TASK_ROWS).min(work).max(1),
            false => 1,
        };
        let rows = outputs.div_ceil(tasks).next_multiple_of(16);
        if tasks == 1 {
            let size = [outputs, columns, inputs];
            // SAFETY: as the caller promises.
            unsafe { product(destination, self.weight, right, size, update) };
            return;
        }
        (0..outputs.div_ceil(rows))
            .into_par_iter()
            .for_each(|task| {
                let first = task * rows;
                let size = [rows.min(outputs - first), columns, inputs];
                // SAFETY: as the caller promises.
                unsafe {
                    product(
                        destination.at(first, 0),
                        self.weight.below(first),
                        right,
                        size,
                        update,
                    )
                };
            });
    }
}

/// Copies a few values, without a call.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    let (chunks, rest) = from.as_chunks::<4>();
    let (to_chunks, to_rest) = to.as_chunks_mut::<4>();
    for (to, from) in to_chunks.iter_mut().zip(chunks) {
        *to = *from;
    }
    for (to, from) in to_rest.iter_mut().zip(rest) {
        *to = *from;
    }
}

/// As [`copy`], to unwritten memory of the same length.
#[inline(always)]
fn write(from: &[f32], to: &mut Unwritten) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = MaybeUninit::new(*from);
    }
}

/// Takes every `stride`-th pixel of planes of this height and width.
pub(crate) fn subsample(input: &[f32], size: [usize; 2], stride: [usize; 2]) -> Vec<f32> {
    let [rows, columns] = [size[0].div_ceil(stride[0]), size[1].div_ceil(stride[1])];
    let planes = input.len() / (size[0] * size[1]);
    let write = |output: &mut Unwritten| {
        output
            .par_chunks_exact_mut(rows * columns)
            .zip(input.par_chunks_exact(size[0] * size[1]))
            .with_min_len(16)
            .for_each(|(to, from)| {
                let from = from.chunks_exact(size[1]).step_by(stride[0]);
                for (to, from) in to.chunks_exact_mut(columns).zip(from) {
                    for (to, from) in to.iter_mut().zip(from.iter().step_by(stride[1])) {
                        to.write(*from);
                    }
                }
            });
    };
    // SAFETY: a plane has `rows` rows at the stride, and a row `columns` pixels.
    unsafe { written_by(planes * rows * columns, write) }
}

/// The reverse of [`subsample`], with zeros between.
pub(crate) fn spread(output: &[f32], size: [usize; 2], stride: [usize; 2]) -> Vec<f32> {
    let [rows, columns] = [size[0].div_ceil(stride[0]), size[1].div_ceil(stride[1])];
    let planes = output.len() / (rows * columns);
    let mut input = vec![0.0; planes * size[0] * size[1]];
    input
        .par_chunks_exact_mut(size[0] * size[1])
        .zip(output.par_chunks_exact(rows * columns))
        .with_min_len(16)
        .for_each(|(to, from)| {
            let to = to.chunks_exact_mut(size[1]).step_by(stride[0]);
            for (to, from) in to.zip(from.chunks_exact(columns)) {
                for (to, from) in to.iter_mut().step_by(stride[1]).zip(from) {
                    *to = *from;
                }
            }
        });
    input
}
