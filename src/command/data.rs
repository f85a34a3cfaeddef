//! The command `xception data`.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use xception::train::data::{self, Archive, DataSource, Description};
use xception::train::numbers::counted;

use super::display::progress_bar;
use super::output;
use super::skipped::tell_skipped_files;
use crate::arguments::{DataAction, DataArguments};
use crate::batches::tell_skipped;
use crate::terminal::{escaped, escaped_lines, escaped_path};

/// Fetches, verifies or describes a data set.
pub fn run(arguments: &DataArguments) -> Result<()> {
    match &arguments.action {
        DataAction::Fetch { name, dir, mirror } => fetch(name, dir, mirror.as_deref()),
        DataAction::Verify { source } => verify(source),
        DataAction::Describe { source, json } => describe(source, *json),
    }
}

fn fetch(name: &str, dir: &Path, mirror: Option<&str>) -> Result<()> {
    let archive = Archive::named(name)?;
    let bar = progress_bar(
        archive.bytes,
        "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} to go",
    );
    let fetched = data::fetch(&archive, dir, mirror, &mut |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.received);
    })?;
    bar.finish_and_clear();
    let mut output = output::notes();
    match fetched.already_there {
        true => writeln!(output, "{} is there already", escaped_path(&fetched.folder))?,
        false => writeln!(output, "{}", escaped_path(&fetched.folder))?,
    }
    writeln!(output, "use it with --data {name}:{}", escaped_path(dir))?;
    Ok(())
}

fn verify(source: &DataSource) -> Result<()> {
    let data = source.load()?;
    tell_skipped_files(&data.skipped);
    let broken = data.broken_images()?;
    if !broken.is_empty() {
        for image in &broken {
            tell_skipped(&image.to_string());
        }
        anyhow::bail!("{} can't be decoded", counted(broken.len(), "image"));
    }
    let mut output = output::notes();
    writeln!(
        output,
        "{}: {} training and {} test images of {} classes read well",
        escaped(&source.to_string()),
        data.train.len(),
        data.test.len(),
        data.classes.len()
    )?;
    writeln!(output, "sha256 {}", data.sha256())?;
    Ok(())
}

fn describe(source: &DataSource, json: bool) -> Result<()> {
    let data = source.load()?;
    tell_skipped_files(&data.skipped);
    let description = Description::of(&data)?;
    let mut output = output::result();
    match json {
        true => writeln!(output, "{}", serde_json::to_string_pretty(&description)?)?,
        false => writeln!(output, "{}", escaped_lines(&description.to_string()))?,
    }
    Ok(())
}
