//! From a row of each component to rows of red, green and blue.

use pulp::{Simd, WithSimd};

use super::frame::Frame;
use super::upsample::Plane;

/// The rows of a section, to be made from its components as planes of red, green and blue.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) space: ColorSpace,
    pub(super) planes: Vec<Plane>,
    /// The first row's place in the image.
    pub(super) first: usize,
    /// Pixels of a row.
    pub(super) width: usize,
    /// What becomes of the rows.
    pub(super) pixels: Pixels<'a>,
}

/// Memory for pixels.
#[derive(Debug)]
pub(super) enum Pixels<'a> {
    /// Red, green and blue of each pixel, row by row.
    Interleaved(&'a mut [u8]),
    /// The rows of red, then those of green, then those of blue.
    Planar(&'a mut [u8]),
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let width = self.width;
        match std::mem::replace(&mut self.pixels, Pixels::Planar(&mut [])) {
            Pixels::Interleaved(pixels) => {
                let mut row = vec![0; 3 * width];
                for (y, output) in pixels.chunks_exact_mut(3 * width).enumerate() {
                    let (red, rest) = row.split_at_mut(width);
                    let (green, blue) = rest.split_at_mut(width);
                    self.write(y, [&mut *red, &mut *green, &mut *blue]);
                    interleave([red, green, blue], output);
                }
            }
            Pixels::Planar(pixels) => {
                let (red, rest) = pixels.split_at_mut(pixels.len() / 3);
                let (green, blue) = rest.split_at_mut(red.len());
                let rows = red
                    .chunks_exact_mut(width)
                    .zip(green.chunks_exact_mut(width));
                let rows = rows.zip(blue.chunks_exact_mut(width));
                for (y, ((red, green), blue)) in rows.enumerate() {
                    self.write(y, [red, green, blue]);
                }
            }
        }
    }
}

impl Rows<'_> {
    /// Writes a row of the section.
    #[inline(always)]
    fn write(&mut self, y: usize, output: [&mut [u8]; 3]) {
        let count = self.planes.len().min(4);
        let mut rows = [&[][..]; 4];
        for (row, plane) in rows.iter_mut().zip(&mut self.planes) {
            *row = plane.row(self.first + y);
        }
        self.space.write_rgb(&rows[..count], output);
    }
}

/// The meaning of the components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColorSpace {
    /// Luminance alone.
    Gray,
    /// Red, green and blue.
    Rgb,
    /// Luminance and two differences of color.
    YCbCr,
    /// The inks of a print, inverted as Adobe's programs write them.
    Cmyk,
    /// Inks of which three are sent as luminance and differences.
    Ycck,
}

impl ColorSpace {
    /// Guesses the color space as libjpeg does. `jfif` is whether there is a JFIF header, `adobe` the
    /// transform that an Adobe header names.
    pub(super) fn of(frame: &Frame, jfif: bool, adobe: Option<u8>) -> Self {
        let ids: Vec<u8> = frame.components.iter().map(|c| c.id).collect();
        match (&ids[..], adobe) {
            ([_], _) => Self::Gray,
            ([_, _, _], Some(0)) if !jfif => Self::Rgb,
            (b"RGB", None) if !jfif => Self::Rgb,
            ([_, _, _], _) => Self::YCbCr,
            (_, None | Some(0)) => Self::Cmyk,
            _ => Self::Ycck,
        }
    }

    /// Writes a row of red, of green and of blue, of one length.
    #[inline(always)]
    fn write_rgb(self, components: &[&[u8]], [red, green, blue]: [&mut [u8]; 3]) {
        let output = red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut());
        match (self, components) {
            (Self::Rgb, [r, g, b]) => {
                red.copy_from_slice(r);
                green.copy_from_slice(g);
                blue.copy_from_slice(b);
            }
            (Self::YCbCr, [y, cb, cr]) => {
                let inputs = y.iter().zip(*cb).zip(*cr);
                for (((red, green), blue), ((y, cb), cr)) in output.zip(inputs) {
                    [*red, *green, *blue] = rgb(*y, *cb, *cr);
                }
            }
            (Self::Cmyk, [cyan, magenta, yellow, black]) => {
                let inks = cyan.iter().zip(*magenta).zip(*yellow).zip(*black);
                for (((red, green), blue), (((c, m), y), k)) in output.zip(inks) {
                    [*red, *green, *blue] = [*c, *m, *y].map(|ink| printed(255 - ink, *k));
                }
            }
            (Self::Ycck, [y, cb, cr, black]) => {
                let inks = y.iter().zip(*cb).zip(*cr).zip(*black);
                for (((red, green), blue), (((y, cb), cr), k)) in output.zip(inks) {
                    [*red, *green, *blue] = rgb(*y, *cb, *cr).map(|ink| printed(ink, *k));
                }
            }
            (_, [gray, ..]) => {
                red.copy_from_slice(gray);
                green.copy_from_slice(gray);
                blue.copy_from_slice(gray);
            }
            (_, []) => {}
        }
    }
}

/// Pixels that are interleaved side by side.
const GROUP: usize = 32;

/// Makes a row of pixels of rows of red, green and blue.
#[inline(always)]
fn interleave([red, green, blue]: [&[u8]; 3], output: &mut [u8]) {
    let (pixels, _) = output.as_chunks_mut::<3>();
    let (groups, rest) = pixels.as_chunks_mut::<GROUP>();
    let (red, red_rest) = red.as_chunks::<GROUP>();
    let (green, green_rest) = green.as_chunks::<GROUP>();
    let (blue, blue_rest) = blue.as_chunks::<GROUP>();
    for (((group, red), green), blue) in groups.iter_mut().zip(red).zip(green).zip(blue) {
        for (i, pixel) in group.iter_mut().enumerate() {
            *pixel = [red[i], green[i], blue[i]];
        }
    }
    let values = red_rest.iter().zip(green_rest).zip(blue_rest);
    for (pixel, ((red, green), blue)) in rest.iter_mut().zip(values) {
        *pixel = [*red, *green, *blue];
    }
}

/// Bits after the point of the factors.
const FACTOR_BITS: u32 = 16;
/// `factor * 2^16`, rounded.
const F_1_402: i32 = 91_881;
const F_1_772: i32 = 116_130;
const F_0_714: i32 = 46_802;
const F_0_344: i32 = 22_554;

/// Converts luminance and differences to RGB, with libjpeg's rounding.
#[inline(always)]
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let half = 1 << (FACTOR_BITS - 1);
    let red = y + ((F_1_402 * cr + half) >> FACTOR_BITS);
    let green = y + ((half - F_0_344 * cb - F_0_714 * cr) >> FACTOR_BITS);
    let blue = y + ((F_1_772 * cb + half) >> FACTOR_BITS);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}

/// Returns what is left of white under an ink and black, `light` of 255 being the share that the black lets
/// through; as Pillow rounds it.
#[inline(always)]
fn printed(ink: u8, light: u8) -> u8 {
    let product = u32::from(ink) * u32::from(light) + 128;
    light.saturating_sub(((product + (product >> 8)) >> 8) as u8)
}
