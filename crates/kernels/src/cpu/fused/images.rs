//! Images with few, leading channels, as networks get them: `[batch, channels, height, width]`.

use std::ops::Range;

use super::pixels::{Pixel, Sizes};
use crate::Geometry;

/// The rows of images that a strip of the output reads, padded and with trailing channels, so that a row
/// of a window is one stretch of memory.
#[derive(Debug, Clone)]
pub(super) struct PaddedRows {
    geometry: Geometry,
    channels: usize,
    sizes: Sizes,
    /// The image of the strip's first pixel.
    first_image: usize,
    /// The strip's parts, an image each.
    parts: Vec<Part>,
}

/// The part of a strip that lies on one image.
#[derive(Debug, Clone)]
struct Part {
    image: usize,
    /// Rows of the output, in the image.
    rows: Range<usize>,
    /// Rows of other parts before it.
    offset: usize,
}

impl PaddedRows {
    /// Finds the rows that these pixels of the output read.
    pub(super) fn new(
        geometry: Geometry,
        channels: usize,
        sizes: Sizes,
        pixels: &Range<usize>,
    ) -> Self {
        let [rows, columns] = sizes.output;
        let (first, end) = (pixels.start / columns, pixels.end.div_ceil(columns));
        let mut parts = Vec::new();
        let (mut row, mut offset) = (first, 0);
        while row < end {
            let image = row / rows;
            let last = end.min((image + 1) * rows);
            let part = row - image * rows..last - image * rows;
            parts.push(Part {
                image,
                rows: part.clone(),
                offset,
            });
            offset += (part.len() - 1) * geometry.stride[0] + window_rows(&geometry);
            row = last;
        }
        Self {
            geometry,
            channels,
            sizes,
            first_image: first / rows,
            parts,
        }
    }

    /// Returns the elements of a padded row.
    fn row_length(&self) -> usize {
        let columns = (self.sizes.output[1] - 1) * self.geometry.stride[1];
        (columns + self.geometry.kernel[1]) * self.channels
    }

    /// Returns the elements of all rows.
    pub(super) fn length(&self) -> usize {
        let rows = self.parts.last().map_or(0, |part| {
            part.offset
                + (part.rows.len() - 1) * self.geometry.stride[0]
                + window_rows(&self.geometry)
        });
        rows * self.row_length()
    }

    /// Copies the rows from the images.
    pub(super) fn read(&self, images: &[f32], to: &mut [f32]) {
        let [height, width] = self.sizes.input;
        let padding = self.geometry.padding;
        let length = self.row_length();
        let to = &mut to[..self.length()];
        to.fill(0.0);
        // Large strides may leave windows that read padding alone.
        let columns = width.min((length / self.channels).saturating_sub(padding.left));
        if columns == 0 {
            return;
        }
        for part in &self.parts {
            let image = &images[part.image * self.channels * height * width..];
            let first = part.rows.start * self.geometry.stride[0];
            let count =
                (part.rows.len() - 1) * self.geometry.stride[0] + window_rows(&self.geometry);
            for index in 0..count {
                let Some(y) = (first + index).checked_sub(padding.top) else {
                    continue;
                };
                if y >= height {
                    break;
                }
                let row = &mut to[(part.offset + index) * length..][..length];
                let row = &mut row[padding.left * self.channels..];
                for channel in 0..self.channels {
                    let from = &image[(channel * height + y) * width..][..columns];
                    let pixels = row[channel..].iter_mut().step_by(self.channels);
                    for (to, from) in pixels.zip(from) {
                        *to = *from;
                    }
                }
            }
        }
    }

    /// Returns the number of elements before the first row of an output pixel's window.
    #[inline(always)]
    pub(super) fn window(&self, pixel: Pixel) -> usize {
        let part = &self.parts[pixel.image - self.first_image];
        let row = part.offset + (pixel.row - part.rows.start) * self.geometry.stride[0];
        row * self.row_length() + pixel.column * self.geometry.stride[1] * self.channels
    }

    /// Returns the number of elements from a window's first row to another one.
    pub(super) fn distance(&self, kernel_row: usize) -> usize {
        kernel_row * self.geometry.dilation[0] * self.row_length()
    }
}

/// Returns the number of input rows that a window reaches over.
fn window_rows(geometry: &Geometry) -> usize {
    (geometry.kernel[0] - 1) * geometry.dilation[0] + 1
}
