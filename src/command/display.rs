//! What is shown while something runs.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use xception::train::config::RunConfig;
use xception::train::data::Dataset;
use xception::train::training::{Display, Run};

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

/// Prints a warning on standard error, whatever else is shown. A closed standard error is no reason to stop.
pub fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "warning: {text}");
}

/// Warns where a batch has fewer images than the recipe asks for, because there are no more.
pub fn warn_of_capped_batch(variant: Option<&str>, config: &RunConfig, data: &Dataset) {
    let (asked, images) = (config.recipe.batch_size, Run::batch_size(config, data));
    if images < asked {
        let label = variant.map_or_else(String::new, |name| format!("{name}: "));
        warn(&format!(
            "{label}recipe.batch_size is {asked}, but there are only {images} training images: each batch has all of them"
        ));
    }
}
