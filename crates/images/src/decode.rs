//! Image files and their bytes as 8-bit RGB.
//!
//! Everything becomes what Pillow's `convert("RGB")` makes of it, which timm, torchvision and Keras
//! all call:
//!
//! - gray is repeated in the three channels, palettes are looked up;
//! - transparency is dropped, not blended: the colors under transparent pixels show;
//! - the first frame of an animation is taken;
//! - CMYK becomes RGB without color profiles; profiles inside the file are ignored in general.
//!
//! Two things differ. 16-bit channels keep their high byte, as Pillow does it for color images; for
//! 16-bit gray Pillow instead cuts off at 255, which leaves nearly white images. And the orientation
//! in the EXIF data is applied, which the three libraries leave out, unless
//! [`DecodeOptions::orientation`] says no.
//!
//! JPEG files have the same pixels as in these libraries too, down to the last bit: a decoder of our
//! own rounds and interpolates as libjpeg-turbo does, which all of them use. TIFF files with palettes
//! aren't read.
//!
//! Files may be hostile: sizes are checked before anything is decoded, and what a decoder may
//! allocate is bounded by them.

use std::io::{Cursor, Read};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use xception_files::open_regular;

use super::PreprocessingError;
use super::encoded::EncodedImage;
use super::jpeg::{self, JpegError};
use super::webp_exif::exif;

/// The formats that are read.
const FORMATS: [(ImageFormat, &str); 6] = [
    (ImageFormat::Jpeg, "JPEG"),
    (ImageFormat::Png, "PNG"),
    (ImageFormat::WebP, "WebP"),
    (ImageFormat::Gif, "GIF"),
    (ImageFormat::Bmp, "BMP"),
    (ImageFormat::Tiff, "TIFF"),
];

/// Endings of the names of files in these formats.
pub const IMAGE_ENDINGS: [&str; 9] = [
    "bmp", "gif", "jpeg", "jpg", "jfif", "png", "tif", "tiff", "webp",
];

/// Returns whether a file's name ends like that of an image that can be read.
#[must_use]
pub fn is_image(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    IMAGE_ENDINGS.contains(&ending.to_lowercase().as_str())
}

/// Limits on the size of a file and of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// The most bytes of a file.
    pub max_bytes: u64,
    /// The most pixels of a side.
    pub max_side: u32,
    /// The most pixels of an image; decoding takes up to 16 bytes for each.
    pub max_pixels: u64,
}

impl Default for DecodeLimits {
    /// Returns 256 MiB, 65535 pixels a side as in JPEG, and the 89,478,485 pixels above which Pillow warns.
    fn default() -> Self {
        Self {
            max_bytes: 256 << 20,
            max_side: 65_535,
            max_pixels: 89_478_485,
        }
    }
}

/// Options of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Whether the image is turned and mirrored as its EXIF data (or TIFF tag) say.
    pub orientation: bool,
    /// Limits on the size of a file and of an image.
    pub limits: DecodeLimits,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            orientation: true,
            limits: DecodeLimits::default(),
        }
    }
}

/// Decodes an image file; its format follows from its content, not from its name.
///
/// # Errors
///
/// If the file can't be read, isn't a regular one, is too large, or isn't a whole image of a known format. Every
/// message names the file.
pub fn read_image(path: &Path, options: &DecodeOptions) -> Result<RgbImage, PreprocessingError> {
    let name = path.display().to_string();
    let failed = |source| PreprocessingError::Read {
        path: path.to_owned(),
        source,
    };
    let file = open_regular(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let limit = options.limits.max_bytes;
    if bytes > limit {
        return Err(PreprocessingError::FileTooLarge { name, bytes, limit });
    }
    // The file may grow meanwhile: one byte over the limit is enough to know.
    let mut content = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(failed)?;
    decode_image(&content, &name, options)
}

/// Decodes the bytes of an image file; errors call it `name`.
///
/// # Errors
///
/// If the bytes are too many, or aren't a whole image of a known format; the message names `name`.
pub fn decode_image(
    bytes: &[u8],
    name: &str,
    options: &DecodeOptions,
) -> Result<RgbImage, PreprocessingError> {
    EncodedImage::new(bytes, name, options)?.decode()
}

/// A format that is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    format: ImageFormat,
    name: &'static str,
}

impl Format {
    pub(super) fn is_jpeg(self) -> bool {
        self.format == ImageFormat::Jpeg
    }
}

/// Returns the format that the bytes of a file begin like.
pub(super) fn format_of(
    bytes: &[u8],
    name: &str,
    limits: DecodeLimits,
) -> Result<Format, PreprocessingError> {
    if bytes.len() as u64 > limits.max_bytes {
        return Err(PreprocessingError::FileTooLarge {
            name: name.to_owned(),
            bytes: bytes.len() as u64,
            limit: limits.max_bytes,
        });
    }
    image::guess_format(bytes)
        .ok()
        .and_then(|guess| FORMATS.into_iter().find(|(format, _)| *format == guess))
        .map(|(format, name)| Format { format, name })
        .ok_or_else(|| PreprocessingError::UnknownFormat {
            name: name.to_owned(),
        })
}

/// Reads the headers of a JPEG file and checks its size.
pub(super) fn check_jpeg<'a>(
    bytes: &'a [u8],
    name: &str,
    limits: DecodeLimits,
) -> Result<jpeg::Decoder<'a>, PreprocessingError> {
    let decoder = jpeg::Decoder::new(bytes).map_err(|error| jpeg_error(error, name))?;
    check_size(decoder.dimensions(), limits, name)?;
    Ok(decoder)
}

/// Names the file that has an error.
pub(super) fn jpeg_error(error: JpegError, name: &str) -> PreprocessingError {
    match error {
        JpegError::Truncated => PreprocessingError::Truncated {
            name: name.to_owned(),
            format: "JPEG",
        },
        source => PreprocessingError::Jpeg {
            name: name.to_owned(),
            source,
        },
    }
}

/// Decodes an image of a format that the `image` crate reads, and returns its pixels with their orientation.
pub(super) fn decode_other(
    bytes: &[u8],
    format: Format,
    name: &str,
    limits: DecodeLimits,
) -> Result<(RgbImage, Option<Orientation>), PreprocessingError> {
    // The decoders aren't free of panics: image-webp 0.2.4 has one where a frame of an animation is
    // larger than it declares. Nothing that they leave half done is used afterwards.
    std::panic::catch_unwind(|| decode_format(bytes, format, name, limits)).unwrap_or_else(|_| {
        Err(PreprocessingError::DecoderFailed {
            name: name.to_owned(),
            format: format.name,
        })
    })
}

/// Decodes bytes that begin like an image of `format`.
fn decode_format(
    bytes: &[u8],
    Format {
        format,
        name: format_name,
    }: Format,
    name: &str,
    limits: DecodeLimits,
) -> Result<(RgbImage, Option<Orientation>), PreprocessingError> {
    let failed = |source| PreprocessingError::Decode {
        name: name.to_owned(),
        format: format_name,
        source,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(allocation(limits));
    let mut decoder = reader.into_decoder().map_err(failed)?;
    check_size(decoder.dimensions(), limits, name)?;
    let orientation = match format {
        ImageFormat::WebP => exif(bytes).and_then(Orientation::from_exif_chunk),
        _ => decoder.orientation().ok(),
    };
    let decoded = DynamicImage::from_decoder(decoder).map_err(failed)?;
    Ok((to_rgb(decoded, name)?, orientation))
}

/// Checks the size that an image declares.
fn check_size(
    (width, height): (u32, u32),
    limits: DecodeLimits,
    name: &str,
) -> Result<(), PreprocessingError> {
    if width > limits.max_side
        || height > limits.max_side
        || u64::from(width) * u64::from(height) > limits.max_pixels
    {
        return Err(PreprocessingError::ImageTooLarge {
            name: name.to_owned(),
            width,
            height,
            max_pixels: limits.max_pixels,
            max_side: limits.max_side,
        });
    }
    Ok(())
}

/// Returns the limits on a decoder's allocations.
fn allocation(limits: DecodeLimits) -> Limits {
    let mut allowed = Limits::no_limits();
    allowed.max_alloc = Some(limits.max_pixels.saturating_mul(16).saturating_add(1 << 20));
    allowed
}

/// Converts an image as Pillow's `convert("RGB")` does, except for 16-bit gray (see the module's documentation).
fn to_rgb(decoded: DynamicImage, name: &str) -> Result<RgbImage, PreprocessingError> {
    let (width, height) = (decoded.width(), decoded.height());
    let pixels: Vec<u8> = match &decoded {
        DynamicImage::ImageRgb8(_) => return Ok(decoded.into_rgb8()),
        DynamicImage::ImageLuma8(gray) => repeated(gray.as_raw().iter().copied()),
        DynamicImage::ImageLumaA8(gray) => repeated(gray.as_raw().iter().step_by(2).copied()),
        DynamicImage::ImageLuma16(gray) => repeated(gray.as_raw().iter().map(high_byte)),
        DynamicImage::ImageLumaA16(gray) => {
            repeated(gray.as_raw().iter().step_by(2).map(high_byte))
        }
        DynamicImage::ImageRgba8(color) => {
            color.pixels().flat_map(|p| [p[0], p[1], p[2]]).collect()
        }
        DynamicImage::ImageRgb16(color) => color.as_raw().iter().map(high_byte).collect(),
        DynamicImage::ImageRgba16(color) => color
            .pixels()
            .flat_map(|p| [&p[0], &p[1], &p[2]].map(high_byte))
            .collect(),
        other => {
            return Err(PreprocessingError::PixelKind {
                name: name.to_owned(),
                kind: format!("{:?}", other.color()),
            });
        }
    };
    RgbImage::from_raw(width, height, pixels)
        .ok_or(PreprocessingError::EmptyImage { width, height })
}

fn high_byte(value: &u16) -> u8 {
    (value >> 8) as u8
}

fn repeated(gray: impl Iterator<Item = u8>) -> Vec<u8> {
    gray.flat_map(|value| [value; 3]).collect()
}

#[cfg(test)]
mod tests {
    use image::{GrayAlphaImage, LumaA, Rgb, Rgb32FImage};

    use super::*;

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        if format == ImageFormat::Jpeg {
            let image = image.to_rgb8();
            return xception_testing::jpeg(image.as_raw(), image.width(), image.height());
        }
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn decode(bytes: &[u8]) -> Result<RgbImage, PreprocessingError> {
        decode_image(bytes, "it.png", &DecodeOptions::default())
    }

    fn sample() -> DynamicImage {
        RgbImage::from_fn(9, 7, |x, y| Rgb([(x * 20) as u8, (y * 30) as u8, 77])).into()
    }

    #[test]
    fn lossless_formats_are_exact() {
        for format in [
            ImageFormat::Png,
            ImageFormat::Bmp,
            ImageFormat::Tiff,
            ImageFormat::WebP,
        ] {
            let image = decode(&encoded(&sample(), format)).unwrap();
            assert_eq!(image, sample().into_rgb8(), "{format:?}");
        }
    }

    #[test]
    fn transparency_is_dropped() {
        let image = GrayAlphaImage::from_pixel(2, 1, LumaA([90, 0])).into();
        let image = decode(&encoded(&image, ImageFormat::Png)).unwrap();
        assert_eq!(image.as_raw(), &[90; 6]);
    }

    #[test]
    fn sizes_are_checked_before_decoding() {
        let mut bytes = encoded(&sample(), ImageFormat::Png);
        bytes[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]); // width, height
        let crc = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(
            decode(&bytes).unwrap_err().to_string(),
            "it.png declares 65535 x 65535 pixels, but at most 89478485 pixels and 65535 a side are \
             read; shrink the image"
        );
        let mut options = DecodeOptions::default();
        options.limits.max_side = 8;
        let bytes = encoded(&sample(), ImageFormat::Bmp);
        let error = decode_image(&bytes, "it", &options).unwrap_err();
        assert!(matches!(error, PreprocessingError::ImageTooLarge { .. }));
        options.limits.max_bytes = 10;
        let error = decode_image(&bytes, "it", &options).unwrap_err();
        assert!(matches!(error, PreprocessingError::FileTooLarge { .. }));
    }

    /// Returns the checksum of the PNG specification, annex D.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }

    #[test]
    fn cut_off_files_are_errors() {
        for (format, _) in FORMATS {
            let bytes = encoded(&sample(), format);
            for length in [0, 1, 8, 20, bytes.len() / 2] {
                assert!(decode(&bytes[..length]).is_err(), "{format:?} {length}");
            }
        }
        let bytes = encoded(&sample(), ImageFormat::Jpeg);
        let error = decode(&bytes[..bytes.len() - 2]).unwrap_err();
        assert!(error.to_string().starts_with("it.png is cut off"));
    }

    #[test]
    fn other_files_are_named() {
        assert_eq!(
            decode(b"%PDF-1.7 and so on").unwrap_err().to_string(),
            "it.png isn't an image of a known format; convert it to one of JPEG, PNG, WebP, GIF, BMP \
             and TIFF"
        );
        let float = DynamicImage::ImageRgb32F(Rgb32FImage::new(3, 2));
        let error = decode(&encoded(&float, ImageFormat::Tiff)).unwrap_err();
        assert!(error.to_string().contains("Rgb32F"), "{error}");
        let missing = read_image(Path::new("/none/it.png"), &DecodeOptions::default());
        assert!(
            missing
                .unwrap_err()
                .to_string()
                .starts_with("can't read /none/it.png")
        );
    }

    #[test]
    fn contents_decide_the_format() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wrong.jpg");
        std::fs::write(&path, encoded(&sample(), ImageFormat::Png)).unwrap();
        let image = read_image(&path, &DecodeOptions::default()).unwrap();
        assert_eq!(image, sample().into_rgb8());
    }
}
