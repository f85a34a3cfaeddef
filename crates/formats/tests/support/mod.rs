//! Helpers that the tests share.

#![allow(dead_code)] // each test program uses a part

pub mod readers;
