//! The program as a user runs it.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod ablation;
mod bad_input;
mod bench;
mod closed_output;
mod commands;
mod comparison;
mod configuration_page;
mod configurations;
mod damage;
#[cfg(target_os = "linux")] // its setsid
mod dashboard;
mod devices;
mod faults;
mod figures;
mod fine_tuning;
mod hostile_names;
mod images;
mod jobs;
mod kills;
mod pictures;
mod report;
mod resume;
mod schema;
#[cfg(feature = "remote")]
mod servers;
mod sizes;
mod stopping;
mod support;
mod unusual_images;
mod unusual_weights;
mod weights;
