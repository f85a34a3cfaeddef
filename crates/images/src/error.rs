//! Errors between an image file and a network's input, and on the way back out.

use std::path::PathBuf;

use thiserror::Error;

use super::jpeg::JpegError;

/// An error between an image file and a network's input, or on the way back out.
///
/// An error of the operating system or of a decoder is the `source` and no part of the message: see
/// [`with_causes`](xception_messages::with_causes).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PreprocessingError {
    /// A file that can't be read.
    #[error("can't read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A file with more bytes than the limits allow, which an application can set for images.
    #[error("{name} has {bytes} bytes, but at most {limit} are read; give a smaller file")]
    FileTooLarge {
        /// The file, or what else the bytes came from.
        name: String,
        /// Its size, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// An image whose header declares more pixels than the limits allow.
    #[error(
        "{name} declares {width} x {height} pixels, but at most {max_pixels} pixels and {max_side} a side \
         are read; shrink the image"
    )]
    ImageTooLarge {
        /// The file, or what else the bytes came from.
        name: String,
        /// The declared width, in pixels.
        width: u32,
        /// The declared height, in pixels.
        height: u32,
        /// The most pixels that are read.
        max_pixels: u64,
        /// The most pixels a side that are read.
        max_side: u32,
    },
    /// Bytes that don't begin like an image of a known format.
    #[error(
        "{name} isn't an image of a known format; convert it to one of JPEG, PNG, WebP, GIF, BMP and TIFF"
    )]
    UnknownFormat {
        /// The file, or what else the bytes came from.
        name: String,
    },
    /// An image that is damaged, or of a kind that the decoder doesn't read.
    #[error(
        "can't decode {name} as {format}; open it in an image program and save it again, as PNG for example"
    )]
    Decode {
        /// The file, or what else the bytes came from.
        name: String,
        /// The format's name.
        format: &'static str,
        /// The decoder's reason.
        source: image::ImageError,
    },
    /// A JPEG file that is damaged, or of a kind that isn't read.
    #[error(
        "can't decode {name} as JPEG (opened and saved again by an image program, as PNG for example, it may serve)"
    )]
    Jpeg {
        /// The file, or what else the bytes came from.
        name: String,
        /// The reason.
        source: JpegError,
    },
    /// An image that the decoder broke down on.
    #[error(
        "the {format} decoder broke down on {name}: the file is damaged; fetch it again or save it as PNG"
    )]
    DecoderFailed {
        /// The file, or what else the bytes came from.
        name: String,
        /// The format's name.
        format: &'static str,
    },
    /// An image whose data end too early.
    #[error(
        "{name} is cut off: its image data end before the {format} end marker; fetch or copy the file again"
    )]
    Truncated {
        /// The file, or what else the bytes came from.
        name: String,
        /// The format's name.
        format: &'static str,
    },
    /// An image with pixels that have no agreed range, such as floating point.
    #[error(
        "{name} has pixels of the kind {kind}, which have no agreed range; convert it to 8 or 16 bits a channel"
    )]
    PixelKind {
        /// The file, or what else the bytes came from.
        name: String,
        /// The kind of pixel.
        kind: String,
    },
    /// An image without pixels.
    #[error("an image of {width} x {height} pixels has nothing to resize; leave it out")]
    EmptyImage {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// An option that is out of its range.
    #[error("`{option}` is {found}, but has to be {expected}")]
    OutOfRange {
        /// The option's name.
        option: &'static str,
        /// The value found.
        found: String,
        /// The values that are allowed.
        expected: String,
    },
    /// A name that isn't one of a fixed set.
    #[error("there is no {what} `{name}`; there are {known}")]
    UnknownName {
        /// The kind of thing that was named.
        what: &'static str,
        /// The name that was asked for.
        name: String,
        /// All names.
        known: String,
    },
    /// A list of class names for another number of classes.
    #[error(
        "there are {names} class names, but the network has {classes} classes; use the list it was trained with"
    )]
    LabelCount {
        /// Names in the list.
        names: usize,
        /// The network's classes.
        classes: usize,
    },
    /// A buffer whose length isn't the one that the shape asks for.
    #[error("{what} has {found} values, but its shape asks for {expected}")]
    Length {
        /// The contents of the buffer.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that its shape asks for.
        expected: usize,
    },
    /// A value that isn't a finite number.
    #[error("{what} holds {value} at position {position}; only finite numbers can be shown")]
    NotFinite {
        /// The contents of the buffer.
        what: &'static str,
        /// The value.
        value: f32,
        /// Its index in the buffer.
        position: usize,
    },
    /// Writing an array failed.
    #[error("can't write the array")]
    Array(#[source] std::io::Error),
    /// The image encoder failed.
    #[error("can't encode the picture as PNG")]
    Encode(#[source] image::ImageError),
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io;

    use super::*;

    #[test]
    fn messages_leave_their_causes_out() {
        let system = || io::Error::from_raw_os_error(2);
        let image = || image::ImageError::IoError(system());
        for error in [
            PreprocessingError::Read {
                path: "a.png".into(),
                source: system(),
            },
            PreprocessingError::Decode {
                name: "a.png".to_owned(),
                format: "PNG",
                source: image(),
            },
            PreprocessingError::Array(system()),
            PreprocessingError::Encode(image()),
        ] {
            let cause = error.source().unwrap().to_string();
            assert!(!error.to_string().contains(&cause), "{error}");
        }
    }
}
