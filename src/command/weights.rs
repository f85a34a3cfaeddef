//! The command `xception weights`.

use std::io::Write;

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use xception::models::pretrained::{
    self, PretrainedError, PretrainedWeights, Status, WEIGHTS, cache_dir,
};

use super::display::progress_bar;
use super::output;
use crate::arguments::{WeightsAction, WeightsArguments};
use crate::table::{Align, Table};
use crate::terminal::escaped_path;

/// Width of the names in the lines of `weights verify`, that of the longest.
const NAME_WIDTH: usize = 30;

/// Lists, fetches or verifies published weights.
pub fn run(arguments: &WeightsArguments) -> Result<()> {
    match &arguments.action {
        WeightsAction::List { json: false } => list(),
        WeightsAction::List { json: true } => list_json(),
        WeightsAction::Fetch { name, mirror } => fetch(name, mirror.as_deref()),
        WeightsAction::Verify { names } => verify(names),
    }
}

fn list() -> Result<()> {
    let mut table = Table::new([
        ("name", Align::Left),
        ("source", Align::Left),
        ("classes", Align::Right),
        ("image", Align::Right),
        ("top-1", Align::Right),
        ("top-5", Align::Right),
        ("size", Align::Right),
        ("licence", Align::Left),
    ]);
    let known = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
    let percent = |share: Option<f64>| known(share.map(|share| format!("{share:.2}")));
    for entry in WEIGHTS.iter() {
        let [height, width] = entry.preset.preprocessing().size;
        let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        table.row([
            entry.name.to_owned(),
            entry.source.to_string(),
            known(entry.classes.map(|classes| classes.to_string())),
            format!("{height} x {width}"),
            percent(entry.accuracy.map(|accuracy| accuracy.top1)),
            percent(entry.accuracy.map(|accuracy| accuracy.top5)),
            known(entry.file.bytes.map(megabytes)),
            known(entry.license.map(str::to_owned)),
        ]);
    }
    let mut output = output::result();
    write!(output, "{table}")?;
    writeln!(
        output,
        "\nTop-1 and top-5: percent of ImageNet's validation images, as the publishers report them \
         (--json says where)."
    )?;
    if let Ok(cache) = cache_dir() {
        writeln!(
            output,
            "Fetched weights are kept in {}.",
            escaped_path(&cache)
        )?;
    }
    Ok(())
}

fn list_json() -> Result<()> {
    let rows: Vec<_> = WEIGHTS
        .iter()
        .map(|entry| {
            serde_json::json!({
                "name": entry.name,
                "model": entry.model,
                "source": entry.source,
                "url": entry.file.url,
                "file": entry.file.name,
                "bytes": entry.file.bytes,
                "hash": {
                    "algorithm": entry.file.check.algorithm(),
                    "begins": entry.file.check.expected(),
                },
                "classes": entry.classes,
                "preset": entry.preset,
                "preprocessing": entry.preset.preprocessing(),
                "accuracy": entry.accuracy,
                "license": entry.license,
            })
        })
        .collect();
    writeln!(output::result(), "{}", serde_json::to_string_pretty(&rows)?)?;
    Ok(())
}

fn fetch(name: &str, mirror: Option<&str>) -> Result<()> {
    let entry = pretrained::find(name)?;
    let bar = download_bar(entry);
    let path = pretrained::fetch(entry, &cache_dir()?, mirror, &mut |progress| {
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.received);
    })?;
    bar.finish_and_clear();
    writeln!(output::notes(), "{}", escaped_path(&path))?;
    Ok(())
}

fn download_bar(entry: &PretrainedWeights) -> ProgressBar {
    progress_bar(
        entry.file.bytes.unwrap_or_default(),
        "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} to go",
    )
}

/// Checks the hashes of the weights with these names, or of all that are in the cache.
fn verify(names: &[String]) -> Result<()> {
    let cache = cache_dir()?;
    let entries = match names {
        [] => WEIGHTS.iter().collect(),
        names => names
            .iter()
            .map(|name| pretrained::find(name))
            .collect::<Result<Vec<_>, PretrainedError>>()?,
    };
    let mut output = output::notes();
    let (mut intact, mut bad) = (0, Vec::new());
    for entry in entries {
        let path = cache.join(entry.file.name);
        match pretrained::verify(entry, &cache)? {
            Status::Intact => {
                intact += 1;
                writeln!(
                    output,
                    "{:<NAME_WIDTH$} intact   {}",
                    entry.name,
                    escaped_path(&path)
                )?;
            }
            Status::Damaged { expected, found } => {
                bad.push(entry.name);
                writeln!(
                    output,
                    "{:<NAME_WIDTH$} damaged  {} has {} {found}, expected {expected}",
                    entry.name,
                    escaped_path(&path),
                    entry.file.check.algorithm()
                )?;
            }
            Status::Missing if names.is_empty() => {}
            Status::Missing => {
                bad.push(entry.name);
                writeln!(
                    output,
                    "{:<NAME_WIDTH$} missing  {}",
                    entry.name,
                    escaped_path(&path)
                )?;
            }
        }
    }
    if !bad.is_empty() {
        bail!(
            "damaged or missing: {}; `xception weights fetch NAME` fetches one again",
            bad.join(", ")
        );
    }
    if intact == 0 {
        writeln!(output, "no weights in {} yet", escaped_path(&cache))?;
    }
    Ok(())
}
