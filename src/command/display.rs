//! What is shown while something runs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use xception::train::training::Display;

use crate::arguments::DisplayArgument;

/// The display that was asked for, or what fits the terminal.
pub fn display(asked: Option<DisplayArgument>) -> Display {
    match asked {
        Some(DisplayArgument::Dashboard) => Display::Dashboard,
        Some(DisplayArgument::Lines) => Display::Lines,
        Some(DisplayArgument::Quiet) => Display::Quiet,
        None => Display::detect(),
    }
}

/// A progress bar on standard error, where that is a terminal.
pub fn progress_bar(total: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
