//! Files that are written in full or not at all, and that are regular files where they are read.
//!
//! ```
//! use std::io::Write;
//! use xception_files::AtomicFile;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("scores.csv");
//! let mut file = AtomicFile::create(&path)?;
//! writeln!(file, "epoch,top1")?;
//! assert!(!path.exists());
//! file.commit()?;
//! assert!(path.exists());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A file is written under a temporary name in its own folder, synced, and renamed into place; then the folder is synced,
//! so that the name survives a power failure too. A process that dies on the way leaves what was there before. New
//! files get the permissions that the user's umask gives to any new file.

mod atomic;
mod name;
mod regular;
mod sync;

/// The examples of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use atomic::{AtomicFile, write};
pub use name::name_text;
pub use regular::open_regular;
pub use sync::{rename, sync_folder};
