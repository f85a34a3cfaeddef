//! What the tests of the weights share.

#![allow(dead_code)] // each test program uses a part

pub mod fixtures;
pub mod formula;
pub mod mutation;
pub mod reference;
