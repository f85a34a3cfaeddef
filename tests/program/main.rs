//! The program as a user runs it.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod ablation;
mod bad_input;
mod bench;
mod commands;
mod configurations;
mod damage;
mod figures;
mod fine_tuning;
mod hostile_names;
mod images;
mod resume;
mod support;
mod unusual_images;
mod unusual_weights;
mod weights;
