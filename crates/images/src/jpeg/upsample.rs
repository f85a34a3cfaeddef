//! Components with fewer samples than the image has pixels, interpolated row by row as libjpeg does it.

use std::ops::Range;

use super::section::{Extent, Section, Upsampling};

/// A component's samples, and how they become a value for each pixel of a section.
#[derive(Debug)]
pub(super) struct Plane {
    /// Rows of the extent's whole blocks.
    samples: Vec<u8>,
    extent: Extent,
    /// The pixels of a row that are asked for.
    columns: Range<usize>,
    /// Sums of two rows.
    sums: Vec<u16>,
    /// An interpolated row.
    row: Vec<u8>,
}

impl Plane {
    /// Creates the upsampling of a component to a section, with the samples of all blocks of its extent.
    pub(super) fn new(extent: Extent, section: &Section, samples: Vec<u8>) -> Self {
        let held = extent.samples[1].len();
        let width = match extent.upsampling {
            Upsampling::Full => 0,
            Upsampling::Down => held,
            Upsampling::Across | Upsampling::Both => 2 * held,
            Upsampling::Repeat([_, factor]) => factor * held,
        };
        Self {
            samples,
            columns: section.pixels[1].clone(),
            sums: Vec::new(),
            row: vec![0; width],
            extent,
        }
    }

    /// Returns the samples of a row, of those that pixels depend on.
    #[inline(always)]
    fn samples(&self, row: usize) -> &[u8] {
        let Extent {
            samples: [_, columns],
            blocks: [block_rows, block_columns],
            side,
            ..
        } = &self.extent;
        let start = (row - block_rows.start * side) * self.extent.pitch();
        let start = start + columns.start - block_columns.start * side;
        &self.samples[start..][..columns.len()]
    }

    /// Returns the values of a row of the section's pixels; `y` is its place in the image.
    #[inline(always)]
    pub(super) fn row(&mut self, y: usize) -> &[u8] {
        let mut output = std::mem::take(&mut self.row);
        // Of the two nearest rows, the one that is farther away; at the edges both are the same.
        let last = self.extent.size[0] - 1;
        let farther = |y: usize| match y % 2 {
            0 => (y / 2).saturating_sub(1),
            _ => (y / 2 + 1).min(last),
        };
        let mut factor = 1;
        match self.extent.upsampling {
            Upsampling::Full => {
                self.row = output;
                return self.samples(y);
            }
            Upsampling::Across => {
                factor = 2;
                across(self.samples(y), &mut output);
            }
            Upsampling::Down => {
                let rounding = [1, 2][y % 2];
                let rows = self.samples(y / 2).iter().zip(self.samples(farther(y)));
                for (to, (&near, &far)) in output.iter_mut().zip(rows) {
                    *to = ((3 * u16::from(near) + u16::from(far) + rounding) >> 2) as u8;
                }
            }
            Upsampling::Both => {
                factor = 2;
                let mut sums = std::mem::take(&mut self.sums);
                let rows = self.samples(y / 2).iter().zip(self.samples(farther(y)));
                sums.clear();
                sums.extend(rows.map(|(&near, &far)| 3 * u16::from(near) + u16::from(far)));
                across_sums(&sums, &mut output);
                self.sums = sums;
            }
            Upsampling::Repeat([rows, columns]) => {
                factor = columns;
                let samples = self.samples(y / rows);
                for (to, &value) in output.chunks_mut(columns).zip(samples) {
                    to.fill(value);
                }
            }
        }
        self.row = output;
        // Where the section begins within the image, the values before it lack a neighbour, and nobody asks for them.
        let start = self.columns.start - factor * self.extent.samples[1].start;
        &self.row[start..][..self.columns.len()]
    }
}

/// Interpolates a row of two samples or more, as if it were the whole one.
#[inline(always)]
fn across(samples: &[u8], output: &mut [u8]) {
    let [first, .., last] = samples else {
        return;
    };
    let (pairs, _) = output.as_chunks_mut::<2>();
    for (pair, window) in pairs[1..].iter_mut().zip(samples.windows(3)) {
        let [before, at, after] = [window[0], window[1], window[2]].map(u16::from);
        let at = 3 * at;
        *pair = [
            ((at + before + 1) >> 2) as u8,
            ((at + after + 2) >> 2) as u8,
        ];
    }
    let edge = |at: u8, inner: u8, rounding: u16| {
        ((3 * u16::from(at) + u16::from(inner) + rounding) >> 2) as u8
    };
    pairs[0] = [*first, edge(*first, samples[1], 2)];
    let end = samples.len() - 1;
    pairs[end] = [edge(*last, samples[end - 1], 1), *last];
}

/// Interpolates a row of sums of two rows, of which one counts three times.
#[inline(always)]
fn across_sums(sums: &[u16], output: &mut [u8]) {
    let [first, .., last] = sums else {
        return;
    };
    let (pairs, _) = output.as_chunks_mut::<2>();
    for (pair, window) in pairs[1..].iter_mut().zip(sums.windows(3)) {
        let at = 3 * window[1];
        *pair = [
            ((at + window[0] + 8) >> 4) as u8,
            ((at + window[2] + 7) >> 4) as u8,
        ];
    }
    pairs[0] = [
        ((4 * first + 8) >> 4) as u8,
        ((3 * first + sums[1] + 7) >> 4) as u8,
    ];
    let end = sums.len() - 1;
    pairs[end] = [
        ((3 * last + sums[end - 1] + 8) >> 4) as u8,
        ((4 * last + 7) >> 4) as u8,
    ];
}
