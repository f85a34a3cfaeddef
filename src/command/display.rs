//! The display of progress and warnings while a command runs.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use xception::train::config::RunConfig;
use xception::train::data::Dataset;
use xception::train::training::{Display, Run};

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

/// Prints a warning on standard error, beside any display. A closed standard error is no reason to stop.
pub fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "warning: {text}");
}

/// Warns if batches are smaller than the recipe's because there are too few images.
pub fn warn_of_capped_batch(variant: Option<&str>, config: &RunConfig, data: &Dataset) {
    let (asked, images) = (config.recipe.batch_size, Run::batch_size(config, data));
    if images < asked {
        let label = variant.map_or_else(String::new, |name| format!("{name}: "));
        warn(&format!(
            "{label}recipe.batch_size is {asked}, but there are only {images} training images: each batch has all of them"
        ));
    }
}
