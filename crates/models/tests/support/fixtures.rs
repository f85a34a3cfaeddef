//! The small files that the tests read.

use std::path::PathBuf;

/// The folder of the fixtures.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
}
