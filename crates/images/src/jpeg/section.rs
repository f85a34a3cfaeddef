//! The part of an image that is decoded, and at which scale.
//!
//! At a reduced scale a block becomes fewer samples by a smaller transform, as in libjpeg-turbo with `scale_denom`, which
//! Pillow's `draft` sets.

use std::ops::Range;

use super::frame::{BLOCK, Component, Frame};

/// Rows and columns of pixels of an image, at full or at a reduced scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Section {
    /// The scale's denominator: 1, 2, 4 or 8.
    pub(in super::super) denominator: usize,
    /// Rows and columns, in pixels at the scale; neither is empty.
    pub(in super::super) pixels: [Range<usize>; 2],
}

impl Section {
    /// Returns the section that is all of a frame at full scale.
    pub(super) fn whole(frame: &Frame) -> Self {
        Self {
            denominator: 1,
            pixels: frame.size.map(|side| 0..side),
        }
    }

    /// Returns the height and width, in pixels.
    pub(super) fn size(&self) -> [usize; 2] {
        self.pixels.clone().map(|range| range.len())
    }
}

/// The samples of a component that a section is made of.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    /// Samples of a block's side at the scale: 8, 4, 2 or 1.
    pub(super) side: usize,
    /// Rows and columns of samples that belong to the image, at the scale.
    pub(super) size: [usize; 2],
    /// How samples become pixels.
    pub(super) upsampling: Upsampling,
    /// Rows and columns of the samples that pixels depend on.
    pub(super) samples: [Range<usize>; 2],
    /// Rows and columns of the blocks that these samples belong to.
    pub(super) blocks: [Range<usize>; 2],
}

/// A way to make pixels of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upsampling {
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

impl Upsampling {
    /// Returns the samples along an axis, rows (0) or columns (1), that a range of pixels depends on, of `side` there are.
    fn samples(self, axis: usize, pixels: &Range<usize>, side: usize) -> Range<usize> {
        let (factor, neighbours) = match (self, axis) {
            (Self::Across, 1) | (Self::Down, 0) | (Self::Both, _) => (2, 1),
            (Self::Repeat(factors), _) => (factors[axis], 0),
            _ => (1, 0),
        };
        let start = (pixels.start / factor).saturating_sub(neighbours);
        start..(pixels.end.div_ceil(factor) + neighbours).min(side)
    }
}

impl Extent {
    /// Returns what a section needs of a component.
    pub(super) fn new(frame: &Frame, component: &Component, section: &Section) -> Self {
        let smallest = BLOCK / section.denominator;
        // Where color has fewer samples, it is reduced less instead of being interpolated (jdmaster.c).
        let mut side = smallest;
        while side < BLOCK
            && (0..2).all(|axis| {
                (frame.largest[axis] * smallest).is_multiple_of(component.sampling[axis] * side * 2)
            })
        {
            side *= 2;
        }
        let size = [0, 1].map(|axis| {
            let samples = frame.size[axis] * component.sampling[axis] * side;
            samples.div_ceil(frame.largest[axis] * BLOCK)
        });
        let factors =
            [0, 1].map(|axis| frame.largest[axis] * smallest / (component.sampling[axis] * side));
        // Rows of one or two samples have no middle that could be interpolated.
        let (wide, fine) = (size[1] > 2, smallest > 1);
        let upsampling = match factors {
            [1, 1] => Upsampling::Full,
            [1, 2] if wide && fine => Upsampling::Across,
            [2, 1] if fine => Upsampling::Down,
            [2, 2] if wide && fine => Upsampling::Both,
            factors => Upsampling::Repeat(factors),
        };
        let samples =
            [0, 1].map(|axis| upsampling.samples(axis, &section.pixels[axis], size[axis]));
        let blocks = samples
            .clone()
            .map(|range| range.start / side..range.end.div_ceil(side));
        Self {
            side,
            size,
            upsampling,
            samples,
            blocks,
        }
    }

    /// Returns the samples of a row of the extent's blocks.
    pub(super) fn pitch(&self) -> usize {
        self.blocks[1].len() * self.side
    }

    /// Returns whether the extent has a block.
    #[inline(always)]
    pub(super) fn has(&self, [row, column]: [usize; 2]) -> bool {
        self.blocks[0].contains(&row) && self.blocks[1].contains(&column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of 100 x 60 pixels with color at half the resolution.
    fn frame() -> Frame {
        let header = [8, 0, 60, 0, 100, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
        Frame::parse(0xc0, &header, 0).unwrap()
    }

    fn extents(denominator: usize, pixels: [Range<usize>; 2]) -> [Extent; 2] {
        let (frame, section) = (
            frame(),
            Section {
                denominator,
                pixels,
            },
        );
        [0, 1].map(|index| Extent::new(&frame, &frame.components[index], &section))
    }

    #[test]
    fn color_has_a_neighbour_at_each_side() {
        let [light, color] = extents(1, [0..8, 16..33]);
        assert_eq!(
            (light.upsampling, light.blocks),
            (Upsampling::Full, [0..1, 2..5])
        );
        assert_eq!(color.upsampling, Upsampling::Both);
        assert_eq!(color.samples, [0..5, 7..18]);
        assert_eq!(color.blocks, [0..1, 0..3]);
    }

    #[test]
    fn reduced_color_is_not_interpolated() {
        for (denominator, sides) in [(2, [4, 8]), (4, [2, 4]), (8, [1, 2])] {
            let pixels = [0..60_usize.div_ceil(denominator), 3..4];
            let [light, color] = extents(denominator, pixels);
            assert_eq!([light.side, color.side], sides);
            assert_eq!(color.upsampling, Upsampling::Full);
            assert_eq!(light.size, color.size);
        }
    }
}
