//! The fixtures that the tests read.

use std::path::PathBuf;

/// Returns the folder of the fixtures.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
}
