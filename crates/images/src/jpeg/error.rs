//! Errors in JPEG files.

use thiserror::Error;

/// An error in a JPEG file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JpegError {
    /// The file ends before the image does.
    #[error("its image data end before the end marker")]
    Truncated,
    /// The file contradicts the standard or itself.
    #[error("{what} near byte {position}, so the file is damaged")]
    Damaged {
        /// The reason.
        what: &'static str,
        /// The position in the file, in bytes from its start.
        position: usize,
    },
    /// A kind of JPEG that isn't read.
    #[error("it is {0}, which isn't supported")]
    Unsupported(String),
}
