//! Components with fewer samples than the image has pixels, interpolated row by row as libjpeg does it.

use super::frame::{Component, Frame};

/// A component's samples, and how they become a value for each pixel.
#[derive(Debug)]
pub(super) struct Plane {
    samples: Vec<u8>,
    pitch: usize,
    /// Rows and columns of samples that belong to the image.
    size: [usize; 2],
    method: Method,
    /// Sums of two rows.
    sums: Vec<u16>,
    /// An interpolated row.
    row: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    /// A sample for each pixel.
    Full,
    /// Between two samples of a row.
    Across,
    /// Between two samples of a column.
    Down,
    /// Between four samples.
    Both,
    /// Each sample is repeated this many times, down and to the right.
    Repeat([usize; 2]),
}

impl Plane {
    /// Creates the upsampling of a component with all its samples, whose rows are [`Component::pitch`] apart.
    pub(super) fn new(frame: &Frame, component: &Component, samples: Vec<u8>) -> Self {
        let factors = [0, 1].map(|axis| frame.largest[axis] / component.sampling[axis]);
        // Rows of one or two samples have no middle that could be interpolated.
        let wide = component.size[1] > 2;
        let method = match factors {
            [1, 1] => Method::Full,
            [1, 2] if wide => Method::Across,
            [2, 1] => Method::Down,
            [2, 2] if wide => Method::Both,
            factors => Method::Repeat(factors),
        };
        Self {
            samples,
            pitch: component.pitch(),
            size: component.size,
            method,
            sums: Vec::new(),
            // With room for a pixel more where the width is odd.
            row: vec![0; frame.size[1].next_multiple_of(frame.largest[1])],
        }
    }

    /// Returns the samples of a row, of those that belong to the image.
    #[inline(always)]
    fn samples(&self, row: usize) -> &[u8] {
        &self.samples[row * self.pitch..][..self.size[1]]
    }

    /// Returns the values of a row of pixels, and possibly some more.
    #[inline(always)]
    pub(super) fn row(&mut self, y: usize) -> &[u8] {
        let mut output = std::mem::take(&mut self.row);
        // Of the two nearest rows, the one that is farther away; at the edges both are the same.
        let farther = |y: usize| match y % 2 {
            0 => (y / 2).saturating_sub(1),
            _ => (y / 2 + 1).min(self.size[0] - 1),
        };
        match self.method {
            Method::Full => {
                self.row = output;
                return self.samples(y);
            }
            Method::Across => across(self.samples(y), &mut output),
            Method::Down => {
                let rounding = [1, 2][y % 2];
                let rows = self.samples(y / 2).iter().zip(self.samples(farther(y)));
                for (to, (&near, &far)) in output.iter_mut().zip(rows) {
                    *to = ((3 * u16::from(near) + u16::from(far) + rounding) >> 2) as u8;
                }
            }
            Method::Both => {
                let mut sums = std::mem::take(&mut self.sums);
                let rows = self.samples(y / 2).iter().zip(self.samples(farther(y)));
                sums.clear();
                sums.extend(rows.map(|(&near, &far)| 3 * u16::from(near) + u16::from(far)));
                across_sums(&sums, &mut output);
                self.sums = sums;
            }
            Method::Repeat([rows, columns]) => {
                let samples = self.samples(y / rows);
                for (to, &value) in output.chunks_mut(columns).zip(samples) {
                    to.fill(value);
                }
            }
        }
        self.row = output;
        &self.row
    }
}

/// Interpolates a row of three samples or more.
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
