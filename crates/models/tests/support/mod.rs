//! Support for the tests of networks and weights files.

#![allow(dead_code)] // each test program uses a part

pub mod fixtures;
pub mod formula;
pub mod reference;
