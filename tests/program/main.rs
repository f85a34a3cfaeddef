//! The program as a user runs it.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod ablation;
mod bad_input;
mod bench;
mod closed_output;
mod commands;
#[cfg(target_os = "linux")] // its setsid
mod dashboard;
mod fine_tuning;
mod images;
mod resume;
mod sizes;
mod stopping;
mod support;
mod weights;
