//! The display of progress and warnings while a command runs.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use xception::train::training::Display;

use crate::arguments::DisplayArgument;

/// Returns the display requested, or else the one that suits the terminal.
///
/// # Errors
///
/// If the dashboard is requested and standard output is no terminal.
pub fn display(asked: Option<DisplayArgument>) -> Result<Display> {
    Ok(match asked {
        Some(DisplayArgument::Dashboard) => {
            ensure!(
                std::io::stdout().is_terminal(),
                "--display dashboard needs a terminal on standard output: --display lines doesn't"
            );
            Display::Dashboard
        }
        Some(DisplayArgument::Lines) => Display::Lines,
        Some(DisplayArgument::Quiet) => Display::Quiet,
        None => Display::detect(),
    })
}

/// Makes a progress bar on standard error, hidden unless that is a terminal.
pub fn progress_bar(total: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
