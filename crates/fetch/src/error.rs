//! Errors of downloads, with the values seen and the way out.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// An error of a download or a check.
///
/// The display text holds the cause, the values and the remedy; an error of the operating system is the `source`, for the
/// program to append.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A file's name leads out of its folder.
    #[error("`{name}` is no name for a file: give one without folders, such as `weights.h5`")]
    Name {
        /// The name given.
        name: String,
    },

    /// A hash to check against isn't one.
    #[error("`{given}` is no {algorithm}: give {expected} hexadecimal digits")]
    Check {
        /// The name of the hash.
        algorithm: &'static str,
        /// The text given.
        given: String,
        /// The number of digits it takes.
        expected: &'static str,
    },

    /// A file or folder can't be read.
    #[error("can't read `{}`: check that it exists and that you may read it", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// A file or folder can't be written.
    #[error("can't write `{}`: check the free space and that you may write there", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// The file system can't lock.
    #[error(
        "can't lock `{}`: choose a folder on a disk of this machine; network folders often can't lock",
        path.display()
    )]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// Another process has been fetching the same file and doesn't get on.
    #[error(
        "another process is fetching the same file (it holds `{}`) and has received nothing for {seconds} s: end it or \
         wait until it has ended, then run this again",
        lock.display()
    )]
    Locked {
        /// The lock file.
        lock: PathBuf,
        /// The time waited since the other process last got on.
        seconds: u64,
    },

    /// The address leads nowhere.
    #[error(
        "can't fetch `{url}`: {problem}; check the address, the connection and your proxy, or name a mirror"
    )]
    Address {
        /// The address.
        url: String,
        /// The reason.
        problem: String,
    },

    /// The server refuses the file.
    #[error(
        "`{url}` answers {status}: check the address and your proxy, or name a mirror with the same file"
    )]
    Status {
        /// The address.
        url: String,
        /// The HTTP status code.
        status: u16,
    },

    /// The server holds a file of another size.
    #[error(
        "`{url}` has {found} bytes, expected {expected}: the server or a proxy sends something else; name a mirror with \
         the same file"
    )]
    DownloadSize {
        /// The address.
        url: String,
        /// The file's size.
        expected: u64,
        /// The size announced or received.
        found: u64,
    },

    /// A file of unknown size is larger than any that is expected.
    #[error(
        "`{url}` has {found} bytes or more, expected {most} at most: the server or a proxy sends something else; name a \
         mirror with the same file"
    )]
    TooLarge {
        /// The address.
        url: String,
        /// The size announced, or received so far.
        found: u64,
        /// The largest size that is accepted.
        most: u64,
    },

    /// The download broke off again and again.
    #[error(
        "`{url}` broke off {attempts} times in a row, {received} {}bytes received (the last time: {last}): check the \
         connection and run this again to continue where it stopped",
        total.map(|total| format!("of {total} ")).unwrap_or_default()
    )]
    Interrupted {
        /// The address.
        url: String,
        /// The attempts without progress.
        attempts: u32,
        /// The bytes received so far, which are kept.
        received: u64,
        /// The file's size in bytes, if it is known.
        total: Option<u64>,
        /// The reason why the last attempt ended.
        last: String,
    },

    /// The bytes received aren't the file expected.
    #[error(
        "the file from `{url}` has {algorithm} {found}, expected {expected}: it was changed or damaged on the way and has \
         been deleted; run this again, or name a mirror with the same file"
    )]
    Hash {
        /// The address.
        url: String,
        /// The name of the hash.
        algorithm: &'static str,
        /// The hash expected.
        expected: String,
        /// The hash found.
        found: String,
    },

    /// A file on disk isn't the one expected.
    #[error(
        "`{}` has {algorithm} {found}, expected {expected}: it is damaged or another file; fetch it again",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The name of the hash.
        algorithm: &'static str,
        /// The hash expected.
        expected: String,
        /// The hash found.
        found: String,
    },
}
