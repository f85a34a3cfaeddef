//! The helpers that the tests share.

pub mod mutation;
