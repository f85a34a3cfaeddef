//! The program as a user runs it.

mod ablation;
mod bad_input;
mod commands;
mod resume;
mod support;
