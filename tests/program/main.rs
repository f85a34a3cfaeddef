//! The program as a user runs it.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod ablation;
mod bad_input;
mod bench;
mod commands;
mod configuration_page;
mod fine_tuning;
mod images;
mod resume;
mod schema;
mod support;
mod weights;
