//! The memory of a unit of groups that comes to the cache while the unit before is computed.

use std::ops::Range;

use super::super::aligned::LINE;
use super::super::output::SharedOutput;
use super::super::prefetch::prefetch_line;

/// What is fetched of a unit: its channels of each pixel, of which neither reading nor writing is sequential.
pub(super) struct Ahead<'a> {
    /// The image.
    pub(super) input: &'a [f32],
    /// Elements of the input from an output to the one below, and to the one to the right.
    pub(super) pixels: [usize; 2],
    pub(super) inputs: Lines,
    pub(super) output: SharedOutput<'a>,
    /// The image's first element of the output.
    pub(super) first: usize,
    /// Elements of the output from a pixel to the one below, and to the one to the right.
    pub(super) results: [usize; 2],
    pub(super) outputs: Lines,
}

/// A channel for each cache line of a pixel that ends with a unit's channels or begins with them.
#[derive(Debug, Clone)]
pub(super) struct Lines(Range<usize>);

impl Lines {
    /// Returns the lines of these channels: wherever a pixel begins, each of its lines has one channel whose number is a
    /// multiple of a line's length.
    pub(super) fn new(channels: Range<usize>) -> Self {
        Self(channels.start.div_ceil(LINE)..channels.end.div_ceil(LINE))
    }

    /// Returns a channel of each line.
    #[inline(always)]
    fn channels(&self) -> impl Iterator<Item = usize> + use<> {
        self.0.clone().map(|line| line * LINE)
    }
}

impl Ahead<'_> {
    /// Requests what belongs to some outputs of a row.
    #[inline(always)]
    pub(super) fn fetch(&self, y: usize, columns: Range<usize>) {
        for x in columns {
            let input = y * self.pixels[0] + x * self.pixels[1];
            for channel in self.inputs.channels() {
                let address = self.input.as_ptr().wrapping_add(input + channel);
                prefetch_line(address.cast());
            }
            let output = self.first + y * self.results[0] + x * self.results[1];
            for channel in self.outputs.channels() {
                self.output.prefetch(output + channel);
            }
        }
    }
}
