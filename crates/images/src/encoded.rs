//! Images whose size is known and whose pixels are decoded as far as they are wanted.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use super::antialiasing::antialiased_planes;
use super::decode::{DecodeOptions, check_jpeg, decode_other, format_of, jpeg_error};
use super::jpeg::{Decoder, Section};
use super::orientation::Turn;
use super::{Filter, PreprocessingError};

/// The denominators of the scales that a JPEG file can be decoded at.
const DENOMINATORS: [usize; 3] = [8, 4, 2];

/// An image file of which the headers have been read: its size is known, and parts of it can be decoded at the size that is
/// wanted.
///
/// A JPEG file is decoded only then, and only the part that is asked for; images of other formats are decoded at once.
#[derive(Debug)]
pub struct EncodedImage<'a> {
    name: &'a str,
    content: Content<'a>,
    turn: Turn,
    orientation: Option<Orientation>,
}

#[derive(Debug)]
enum Content<'a> {
    Jpeg(Decoder<'a>),
    Pixels(RgbImage),
}

/// A window of an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Top and left.
    pub offset: [usize; 2],
    /// Height and width.
    pub size: [usize; 2],
}

/// How a window becomes a network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WindowResize {
    /// Height and width to resize the window to, in pixels.
    pub size: [usize; 2],
    /// The resampling filter, which widens with the scale.
    pub filter: Filter,
    /// Whether JPEG files are decoded at 1/2, 1/4 or 1/8 of their size where the window stays at least this many times larger
    /// than `size`, at each side: Pillow's `reducing_gap`. `None` decodes at full size always.
    ///
    /// A reduced image has the means of 2 x 2, 4 x 4 or 8 x 8 pixels, which a filter then weighs less finely than it would weigh
    /// pixels. Of windows of a photograph at sizes from 40 to 96 pixels, the result is apart from the full one by 1.2 of 255 on
    /// average (3.1 in the worst window), and by at most 16 in 99 of 100 values with a gap of 1; with 2, by 0.6 (1.0) and 6.
    pub reducing_gap: Option<f64>,
}

impl<'a> EncodedImage<'a> {
    /// Reads the headers of the bytes of an image file; errors call it `name`.
    ///
    /// # Errors
    ///
    /// If the bytes are too many, or don't begin like an image of a known format; for formats other than JPEG also if they
    /// aren't a whole image.
    pub fn new(
        bytes: &'a [u8],
        name: &'a str,
        options: &DecodeOptions,
    ) -> Result<Self, PreprocessingError> {
        let format = format_of(bytes, name, options.limits)?;
        let (content, orientation) = match format.is_jpeg() {
            true => {
                let decoder = check_jpeg(bytes, name, options.limits)?;
                let orientation = decoder.exif().and_then(Orientation::from_exif_chunk);
                (Content::Jpeg(decoder), orientation)
            }
            false => {
                let (pixels, orientation) = decode_other(bytes, format, name, options.limits)?;
                (Content::Pixels(pixels), orientation)
            }
        };
        // A damaged note about the orientation doesn't make the image unreadable.
        let orientation = orientation.filter(|_| options.orientation);
        Ok(Self {
            name,
            content,
            turn: orientation.map_or(Turn::NONE, Turn::from),
            orientation,
        })
    }

    /// Returns the height and width, in pixels, with the orientation applied.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.turn.axes(self.stored_size())
    }

    /// Returns the height and width of the pixels in the file.
    fn stored_size(&self) -> [usize; 2] {
        let (width, height) = match &self.content {
            Content::Jpeg(decoder) => decoder.dimensions(),
            Content::Pixels(pixels) => pixels.dimensions(),
        };
        [height as usize, width as usize]
    }

    /// Decodes all of the image.
    ///
    /// # Errors
    ///
    /// If the file isn't a whole image.
    pub fn decode(self) -> Result<RgbImage, PreprocessingError> {
        let image = match self.content {
            Content::Jpeg(decoder) => decoder
                .decode()
                .map_err(|error| jpeg_error(error, self.name))?,
            Content::Pixels(pixels) => pixels,
        };
        match self.orientation {
            None => Ok(image),
            Some(orientation) => {
                let mut image = DynamicImage::ImageRgb8(image);
                image.apply_orientation(orientation);
                Ok(image.into_rgb8())
            }
        }
    }

    /// Decodes a window of the image and resizes it, in the calling thread. Pixels outside of the window have no influence, as
    /// with torchvision's `resized_crop`, and without a reducing gap the result is Pillow's `crop` and `resize`.
    ///
    /// A damaged JPEG file is an error wherever the damage is.
    ///
    /// # Shapes
    ///
    /// - `pixels`: `[3, height, width]` of `resize.size`: red, green and blue
    ///
    /// # Errors
    ///
    /// If the file isn't a whole image, the window is empty or not within it, `resize` asks for no pixels or a gap below 1,
    /// or `pixels` has another length.
    pub fn resized_window(
        self,
        window: Window,
        resize: WindowResize,
        pixels: &mut [u8],
    ) -> Result<(), PreprocessingError> {
        resize.check(window, self.size(), self.name, pixels.len())?;
        let (turn, size) = (self.turn, self.stored_size());
        let denominator = match &self.content {
            Content::Jpeg(_) => resize.denominator(window),
            Content::Pixels(_) => 1,
        };
        // The window as the file has it, and the pixels at the scale that it touches.
        let [offsets, sizes] = [window.offset, window.size].map(|pair| turn.axes(pair));
        let offsets = [0, 1].map(|axis| turn.start(axis, size[axis], (offsets[axis], sizes[axis])));
        let touched = [0, 1].map(|axis| {
            let end = offsets[axis] + sizes[axis];
            offsets[axis] / denominator..end.div_ceil(denominator)
        });
        let held = touched.clone().map(|range| range.len());
        let part = [0, 1].map(|axis| {
            let scaled = |value: usize| value as f64 / denominator as f64;
            let start = scaled(offsets[axis]) - touched[axis].start as f64;
            (start, scaled(sizes[axis]))
        });
        let section = Section {
            denominator,
            pixels: touched,
        };
        let planes = match self.content {
            Content::Jpeg(decoder) => decoder
                .decode_section(&section)
                .map_err(|error| jpeg_error(error, self.name))?,
            Content::Pixels(image) => planes_of(&image, &section),
        };
        let planes = turn.apply(planes, held);
        let part = [0, 1].map(|axis| {
            let (_, length) = part[axis];
            (turn.start(axis, held[axis] as f64, part[axis]), length)
        });
        let (part, held) = (turn.axes(part), turn.axes(held));
        resize.apply(&planes, held, part, pixels);
        Ok(())
    }
}

impl WindowResize {
    /// Resizes a part of planes of `from` (height, width) pixels.
    fn apply(self, planes: &[u8], from: [usize; 2], part: [(f64, f64); 2], pixels: &mut [u8]) {
        match self.filter.kernel() {
            Some(kernel) => antialiased_planes(planes, from, part, kernel, self.size, pixels),
            None => nearest(planes, from, self.size, pixels),
        }
    }

    /// Checks a window of an image of this size and name, and the length of the memory for the result.
    fn check(
        self,
        window: Window,
        [height, width]: [usize; 2],
        name: &str,
        length: usize,
    ) -> Result<(), PreprocessingError> {
        let within = |axis: usize, side: usize| {
            let end = window.offset[axis].checked_add(window.size[axis]);
            window.size[axis] > 0 && end.is_some_and(|end| end <= side)
        };
        let out_of_range = |option, found: String, expected: String| {
            Err(PreprocessingError::OutOfRange {
                option,
                found,
                expected,
            })
        };
        let sides = |[height, width]: [usize; 2]| format!("{height} x {width}");
        if !within(0, height) || !within(1, width) {
            let found = format!("{} at {:?}", sides(window.size), window.offset);
            let expected = format!("within the {height} x {width} pixels of {name}");
            return out_of_range("window", found, expected);
        }
        if self.size.contains(&0) {
            return out_of_range("size", sides(self.size), "1 x 1 or more".to_owned());
        }
        if let Some(gap) = self.reducing_gap.filter(|gap| !(1.0..).contains(gap)) {
            return out_of_range("reducing_gap", gap.to_string(), "1 or more".to_owned());
        }
        let expected = self.size[0].saturating_mul(self.size[1]).saturating_mul(3);
        if length != expected {
            return Err(PreprocessingError::Length {
                what: "the buffer for the resized window",
                found: length,
                expected,
            });
        }
        Ok(())
    }

    /// Returns the denominator of the smallest scale that leaves the gap.
    fn denominator(self, window: Window) -> usize {
        // The nearest pixel is one of the full image.
        let gap = self.reducing_gap.filter(|_| self.filter != Filter::Nearest);
        let leaves = |denominator: &usize, gap: f64| {
            (0..2).all(|axis| {
                let reduced = window.size[axis] as f64 / *denominator as f64;
                reduced >= gap * self.size[axis] as f64
            })
        };
        gap.and_then(|gap| DENOMINATORS.into_iter().find(|d| leaves(d, gap)))
            .unwrap_or(1)
    }
}

/// Resizes a window of an image that lies in memory as planes, in the calling thread. Pixels outside of the window have no
/// influence. The reducing gap is of no consequence.
///
/// # Shapes
///
/// - `planes`: `[3, height, width]`, with `from` = `[height, width]`
/// - `pixels`: `[3, height, width]` of `resize.size`
///
/// # Errors
///
/// If the window is empty or not within the image, `resize` asks for no pixels or a gap below 1, or `planes` or `pixels` has
/// another length.
pub fn resize_planes(
    planes: &[u8],
    from: [usize; 2],
    window: Window,
    resize: WindowResize,
    pixels: &mut [u8],
) -> Result<(), PreprocessingError> {
    resize.check(window, from, "the image", pixels.len())?;
    let expected = from[0].saturating_mul(from[1]).saturating_mul(3);
    if planes.len() != expected {
        return Err(PreprocessingError::Length {
            what: "the image",
            found: planes.len(),
            expected,
        });
    }
    let [height, width] = window.size;
    let mut part = Vec::with_capacity(3 * height * width);
    for plane in planes.chunks_exact(from[0] * from[1]) {
        for row in plane
            .chunks_exact(from[1])
            .skip(window.offset[0])
            .take(height)
        {
            part.extend_from_slice(&row[window.offset[1]..][..width]);
        }
    }
    let whole = window.size.map(|side| (0.0, side as f64));
    resize.apply(&part, window.size, whole, pixels);
    Ok(())
}

/// Copies a section of an image at full scale to planes.
fn planes_of(image: &RgbImage, section: &Section) -> Vec<u8> {
    let [rows, columns] = section.pixels.clone();
    let width = image.width() as usize;
    let mut planes = Vec::with_capacity(3 * rows.len() * columns.len());
    for channel in 0..3 {
        for row in rows.clone() {
            let row = &image.as_raw()[3 * (row * width + columns.start)..][..3 * columns.len()];
            planes.extend(row.iter().skip(channel).step_by(3));
        }
    }
    planes
}

/// Takes the pixel under the center of each output pixel.
fn nearest(planes: &[u8], from: [usize; 2], size: [usize; 2], pixels: &mut [u8]) {
    let [rows, columns] = [0, 1].map(|axis| -> Vec<usize> {
        let scale = from[axis] as f64 / size[axis] as f64;
        let places = (0..size[axis]).map(|index| ((index as f64 + 0.5) * scale) as usize);
        places.map(|place| place.min(from[axis] - 1)).collect()
    });
    let planes = planes.chunks_exact(from[0] * from[1]);
    let targets = pixels.chunks_exact_mut(size[0] * size[1]);
    for (plane, target) in planes.zip(targets) {
        for (target, row) in target.chunks_exact_mut(size[1]).zip(&rows) {
            let row = &plane[row * from[1]..][..from[1]];
            for (target, &column) in target.iter_mut().zip(&columns) {
                *target = row[column];
            }
        }
    }
}
