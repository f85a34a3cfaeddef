//! The command `xception features`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use safetensors::tensor::{Dtype, TensorView};
use xception::models::Network;
use xception::models::preprocessing::NpyWriter;
use xception::models::weights::{Head, write_safetensors};
use xception::train::numbers::counted;
use xception_files::{AtomicFile, name_text};

use super::display::progress_bar;
use super::output;
use crate::arguments::FeaturesArguments;
use crate::batches::{Failures, for_each_batch};
use crate::images::find;
use crate::network::{load_network, to_tensor};
use crate::output::check_folder;
use crate::path_bytes::path_bytes;
use crate::terminal::escaped_path;
use crate::tuning::TuningNote;

/// Writes the pooled features of images.
pub fn run(arguments: &FeaturesArguments) -> Result<()> {
    let device = arguments.device.backend.device()?;
    let form = Form::of(&arguments.out)?;
    check_folder(&arguments.out)?;
    let images = find(&arguments.images)?;
    let loaded = load_network(&arguments.weights, &arguments.input, Head::Unused, &device)?;
    let network = loaded.model.fuse();

    let mut paths = Vec::new();
    let mut rows: Vec<f32> = Vec::new();
    let bar = progress_bar(
        images.len() as u64,
        "{bar:40} {pos}/{len} images, {eta} to go",
    );
    let batch_size = arguments.batch.batch_size as usize;
    let mut failures = Failures::default();
    let mut tuning = TuningNote::start(&device, &bar);
    let preprocessing = &loaded.preprocessing;
    for_each_batch(
        &images,
        preprocessing,
        batch_size,
        &mut failures,
        |batch, failures| {
            let input = to_tensor(batch.inputs, loaded.preprocessing.size, &device);
            let pooled = network.forward_pooled(input).into_data().convert::<f32>();
            let pooled: Vec<f32> = pooled.iter::<f32>().collect();
            tuning.finish();
            let columns = pooled.len() / batch.paths.len();
            for (path, row) in batch.paths.iter().zip(pooled.chunks(columns)) {
                if !row.iter().all(|number| number.is_finite()) {
                    bar.suspend(|| failures.no_numbers(path));
                }
            }
            bar.inc(batch.paths.len() as u64);
            rows.extend(pooled);
            paths.extend(batch.paths);
            Ok(())
        },
    )?;
    bar.finish_and_clear();

    anyhow::ensure!(
        !paths.is_empty(),
        "no image could be read: nothing is written"
    );
    let columns = rows.len() / paths.len();
    write(&arguments.out, form, &paths, &rows, columns)
        .with_context(|| format!("can't write {}", arguments.out.display()))?;
    let mut output = output::notes();
    for path in &paths {
        writeln!(output, "{}", escaped_path(path))?; // the rows' order, without what was skipped
    }
    let rows = paths.len();
    let out = escaped_path(&arguments.out);
    // The file is already written, even if standard error is closed.
    let _ = writeln!(
        std::io::stderr(),
        "{} of {} in {out}",
        counted(rows, "row"),
        counted(columns, "feature")
    );
    failures.check(images.len())
}

/// The format of a file of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Npy,
    Safetensors,
    Csv,
}

impl Form {
    fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        Ok(match &*ending.to_lowercase() {
            "npy" => Self::Npy,
            "safetensors" => Self::Safetensors,
            "csv" => Self::Csv,
            _ => anyhow::bail!(
                "{} has to end in .npy, .safetensors or .csv, which determines its format",
                path.display()
            ),
        })
    }
}

/// Writes a file completely, or not at all.
fn write(path: &Path, form: Form, paths: &[PathBuf], rows: &[f32], columns: usize) -> Result<()> {
    let file = AtomicFile::create(path)?;
    match form {
        Form::Npy => {
            let mut writer = NpyWriter::new(BufWriter::new(file.file()), columns)?;
            writer.write_rows(rows)?;
            writer.finish()?.flush()?;
        }
        Form::Safetensors => write_tensor(file.file(), paths, rows, columns)?,
        Form::Csv => write_table(file.file(), paths, rows, columns)?,
    }
    file.commit()?;
    Ok(())
}

/// Writes the path of each image and its features. If any path isn't UTF-8, a last column has the bytes of such
/// paths.
fn write_table(file: &File, paths: &[PathBuf], rows: &[f32], columns: usize) -> Result<()> {
    let bytes: Vec<_> = paths.iter().map(|path| path_bytes(path)).collect();
    let with_bytes = bytes.iter().any(Option::is_some);
    let mut writer = csv::Writer::from_writer(file);
    let features = (0..columns).map(|column| format!("feature_{column}"));
    let header = std::iter::once("path".to_owned()).chain(features);
    writer.write_record(header.chain(with_bytes.then(|| "path_bytes".to_owned())))?;
    for ((path, bytes), row) in paths.iter().zip(bytes).zip(rows.chunks(columns)) {
        let path = std::iter::once(name_text(path.as_os_str()));
        let record = path.chain(row.iter().map(f32::to_string));
        writer.write_record(record.chain(with_bytes.then(|| bytes.unwrap_or_default())))?;
    }
    writer.flush()?;
    Ok(())
}

/// Writes one tensor, `features`, with the images' paths as a JSON list in the metadata. If any path isn't UTF-8, a
/// second list has the bytes of such paths, and null for the others.
fn write_tensor(file: &File, paths: &[PathBuf], rows: &[f32], columns: usize) -> Result<()> {
    let bytes: Vec<u8> = rows
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let tensor = TensorView::new(Dtype::F32, vec![paths.len(), columns], &bytes)?;
    let names: Vec<_> = paths
        .iter()
        .map(|path| name_text(path.as_os_str()))
        .collect();
    let mut metadata = BTreeMap::from([("paths".to_owned(), serde_json::to_string(&names)?)]);
    let exact: Vec<_> = paths.iter().map(|path| path_bytes(path)).collect();
    if exact.iter().any(Option::is_some) {
        metadata.insert("path_bytes".to_owned(), serde_json::to_string(&exact)?);
    }
    let mut writer = BufWriter::new(file);
    write_safetensors(
        &mut writer,
        vec![("features".to_owned(), tensor)],
        &metadata,
    )?;
    writer.flush()?;
    Ok(())
}
