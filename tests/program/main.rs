//! The program as a user runs it.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod ablation;
mod bad_input;
mod bench;
mod commands;
mod configurations;
mod fine_tuning;
mod images;
mod resume;
mod support;
mod weights;
