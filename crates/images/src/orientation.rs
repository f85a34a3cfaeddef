//! How the pixels of a file are turned and mirrored to become the image.

use image::metadata::Orientation;

/// A turn by quarters, and mirroring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Whether the file's rows are the image's columns.
    transposed: bool,
    /// Whether the file's rows, and its columns, are in reverse.
    reversed: [bool; 2],
}

impl From<Orientation> for Turn {
    fn from(orientation: Orientation) -> Self {
        let (transposed, reversed) = match orientation {
            Orientation::NoTransforms => (false, [false, false]),
            Orientation::FlipHorizontal => (false, [false, true]),
            Orientation::Rotate180 => (false, [true, true]),
            Orientation::FlipVertical => (false, [true, false]),
            Orientation::Rotate90FlipH => (true, [false, false]),
            Orientation::Rotate90 => (true, [true, false]),
            Orientation::Rotate270FlipH => (true, [true, true]),
            Orientation::Rotate270 => (true, [false, true]),
        };
        Self {
            transposed,
            reversed,
        }
    }
}

impl Turn {
    /// No change.
    pub(super) const NONE: Self = Self {
        transposed: false,
        reversed: [false; 2],
    };

    /// Returns a pair of the file's axes, rows and columns, as a pair of the image's, or the other way round.
    pub(super) fn axes<T>(self, [rows, columns]: [T; 2]) -> [T; 2] {
        match self.transposed {
            true => [columns, rows],
            false => [rows, columns],
        }
    }

    /// Returns where a part of an axis of the file starts if it is read in the image's direction, or the other way round.
    pub(super) fn start<T>(self, file_axis: usize, side: T, (start, length): (T, T)) -> T
    where
        T: std::ops::Sub<Output = T>,
    {
        match self.reversed[file_axis] {
            true => side - start - length,
            false => start,
        }
    }

    /// Turns planes of `from` (height, width) pixels.
    pub(super) fn apply(self, planes: Vec<u8>, from: [usize; 2]) -> Vec<u8> {
        if self == Self::NONE {
            return planes;
        }
        let [height, width] = self.axes(from);
        let mut turned = Vec::with_capacity(planes.len());
        for plane in planes.chunks_exact(from[0] * from[1]) {
            for y in 0..height {
                turned.extend((0..width).map(|x| {
                    let place = self.axes([y, x]);
                    let [row, column] =
                        [0, 1].map(|axis| self.start(axis, from[axis], (place[axis], 1)));
                    plane[row * from[1] + column]
                }));
            }
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage};

    use super::*;

    #[test]
    fn turns_are_those_of_exif() {
        let pixels: Vec<u8> = (0..15).collect();
        for number in 1..=8 {
            let orientation = Orientation::from_exif(number).unwrap();
            let mut image = DynamicImage::from(GrayImage::from_raw(5, 3, pixels.clone()).unwrap());
            image.apply_orientation(orientation);
            let turn = Turn::from(orientation);
            let size = [image.height() as usize, image.width() as usize];
            assert_eq!(turn.axes([3, 5]), size);
            assert_eq!(
                turn.apply(pixels.clone(), [3, 5]),
                image.into_bytes(),
                "{number}"
            );
        }
    }
}
