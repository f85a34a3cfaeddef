//! Functions that the fuzz targets call: those with which the tests replay the kept corpus.

#[path = "../../crates/formats/tests/support/readers.rs"]
pub mod readers;
