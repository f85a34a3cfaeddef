//! From a row of each component to a row of RGB.

use pulp::{Simd, WithSimd};

use super::frame::Frame;
use super::upsample::Plane;

/// The image's rows, to be made from its components.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) space: ColorSpace,
    pub(super) planes: Vec<Plane>,
    /// RGB, row by row.
    pub(super) pixels: &'a mut [u8],
    /// Pixels of a row.
    pub(super) width: usize,
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let count = self.planes.len().min(4);
        for (y, output) in self.pixels.chunks_exact_mut(3 * self.width).enumerate() {
            let mut rows = [&[][..]; 4];
            for (row, plane) in rows.iter_mut().zip(&mut self.planes) {
                *row = plane.row(y);
            }
            self.space.write_rgb(&rows[..count], output);
        }
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

    /// Writes a row of RGB pixels.
    #[inline(always)]
    fn write_rgb(self, components: &[&[u8]], output: &mut [u8]) {
        let (pixels, _) = output.as_chunks_mut::<3>();
        let count = pixels.len();
        match (self, components) {
            (Self::Rgb, [red, green, blue]) => {
                for (((pixel, r), g), b) in pixels.iter_mut().zip(*red).zip(*green).zip(*blue) {
                    *pixel = [*r, *g, *b];
                }
            }
            (Self::YCbCr, [y, cb, cr]) => {
                let (groups, rest) = pixels.as_chunks_mut::<GROUP>();
                let (y, y_rest) = y[..count].as_chunks::<GROUP>();
                let (cb, cb_rest) = cb[..count].as_chunks::<GROUP>();
                let (cr, cr_rest) = cr[..count].as_chunks::<GROUP>();
                for (((group, y), cb), cr) in groups.iter_mut().zip(y).zip(cb).zip(cr) {
                    write_group(group, y, cb, cr);
                }
                for (((pixel, y), cb), cr) in rest.iter_mut().zip(y_rest).zip(cb_rest).zip(cr_rest)
                {
                    *pixel = rgb(*y, *cb, *cr);
                }
            }
            (Self::Cmyk, [cyan, magenta, yellow, black]) => {
                let inks = cyan.iter().zip(*magenta).zip(*yellow).zip(*black);
                for (pixel, (((c, m), y), k)) in pixels.iter_mut().zip(inks) {
                    *pixel = [*c, *m, *y].map(|ink| printed(255 - ink, *k));
                }
            }
            (Self::Ycck, [y, cb, cr, black]) => {
                let inks = y.iter().zip(*cb).zip(*cr).zip(*black);
                for (pixel, (((y, cb), cr), k)) in pixels.iter_mut().zip(inks) {
                    *pixel = rgb(*y, *cb, *cr).map(|ink| printed(ink, *k));
                }
            }
            (_, [gray, ..]) => {
                for (pixel, gray) in pixels.iter_mut().zip(*gray) {
                    *pixel = [*gray; 3];
                }
            }
            (_, []) => {}
        }
    }
}

/// Pixels that are converted side by side.
const GROUP: usize = 32;

/// Converts pixels in two steps, of which compilers make vector code each.
#[inline(always)]
fn write_group(pixels: &mut [[u8; 3]; GROUP], y: &[u8; GROUP], cb: &[u8; GROUP], cr: &[u8; GROUP]) {
    let mut planes = [[0; GROUP]; 3];
    for (i, ((y, cb), cr)) in y.iter().zip(cb).zip(cr).enumerate() {
        let [red, green, blue] = rgb(*y, *cb, *cr);
        planes[0][i] = red;
        planes[1][i] = green;
        planes[2][i] = blue;
    }
    for (i, pixel) in pixels.iter_mut().enumerate() {
        *pixel = [planes[0][i], planes[1][i], planes[2][i]];
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
