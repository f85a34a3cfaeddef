//! Checked downloads: one file each, resumable, safe when several processes want the same one.
//!
//! ```no_run
//! use std::path::Path;
//! use xception_fetch::{Check, File, fetch_file};
//!
//! let file = File {
//!     url: "https://download.pytorch.org/models/resnet18-f37072fd.pth",
//!     name: "resnet18-f37072fd.pth",
//!     bytes: None,
//!     check: Check::Sha256Prefix("f37072fd"),
//! };
//! let fetched = fetch_file(&file, Path::new("weights"), None, &mut |progress| {
//!     println!("{} bytes are there", progress.received);
//! })?;
//! println!("{}", fetched.path.display());
//! # Ok::<(), xception_fetch::FetchError>(())
//! ```
//!
//! A file is received as `NAME.part`, where a later call continues if this one breaks off, and gets its name only once its
//! size and its hash are right. A lock file, `.NAME.lock`, lets one process download while the others wait for it. Proxies
//! are taken from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`).

mod answer;
mod check;
mod download;
mod error;
mod fetch;
mod file;
mod lock;
mod patience;

/// The examples of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use check::{Check, verify_file};
pub use download::Progress;
pub use error::FetchError;
pub use fetch::{Fetched, fetch_file, fetch_file_with};
pub use file::File;
pub use lock::Lock;
pub use patience::Patience;
