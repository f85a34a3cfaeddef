//! `xception features`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use safetensors::tensor::{Dtype, TensorView};
use xception::models::Network;
use xception::models::preprocessing::NpyWriter;
use xception_files::AtomicFile;

use super::display::progress_bar;
use crate::arguments::FeaturesArguments;
use crate::images::{check_all_read, find, for_each_batch};
use crate::network::{load_network, to_tensor};

/// Writes the pooled features of images.
pub fn run(arguments: &FeaturesArguments) -> Result<()> {
    let device = arguments.device.backend.device()?;
    let form = Form::of(&arguments.out)?;
    let images = find(&arguments.images)?;
    let loaded = load_network(&arguments.weights, &arguments.input, &device)?;
    let network = loaded.model.fuse();

    let mut names = Vec::new();
    let mut rows: Vec<f32> = Vec::new();
    let bar = progress_bar(
        images.len() as u64,
        "{bar:40} {pos}/{len} images, {eta} to go",
    );
    let batch_size = arguments.batch.batch_size as usize;
    let unreadable = for_each_batch(&images, &loaded.preprocessing, batch_size, |batch| {
        let input = to_tensor(batch.inputs, loaded.preprocessing.size, &device);
        let pooled = network.forward_pooled(input).into_data().convert::<f32>();
        rows.extend(pooled.iter::<f32>());
        bar.inc(batch.names.len() as u64);
        names.extend(batch.names);
        Ok(())
    })?;
    bar.finish_and_clear();

    anyhow::ensure!(
        !names.is_empty(),
        "no image could be read: nothing is written"
    );
    let columns = rows.len() / names.len();
    write(&arguments.out, form, &names, &rows, columns)
        .with_context(|| format!("can't write {}", arguments.out.display()))?;
    let mut output = std::io::stdout();
    for name in &names {
        writeln!(output, "{name}")?; // the rows' order, without what was skipped
    }
    let rows = names.len();
    eprintln!(
        "{rows} rows of {columns} features in {}",
        arguments.out.display()
    );
    check_all_read(unreadable, images.len())
}

/// What a file of features looks like.
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
                "{} has to end in .npy, .safetensors or .csv, which says its form",
                path.display()
            ),
        })
    }
}

/// Writes a file in full or not at all.
fn write(path: &Path, form: Form, names: &[String], rows: &[f32], columns: usize) -> Result<()> {
    let file = AtomicFile::create(path)?;
    match form {
        Form::Npy => {
            let mut writer = NpyWriter::new(BufWriter::new(file.file()), columns)?;
            writer.write_rows(rows)?;
            writer.finish()?.flush()?;
        }
        Form::Safetensors => write_safetensors(file.file(), names, rows, columns)?,
        Form::Csv => {
            let mut writer = csv::Writer::from_writer(file.file());
            let features = (0..columns).map(|column| format!("feature_{column}"));
            writer.write_record(std::iter::once("path".to_owned()).chain(features))?;
            for (name, row) in names.iter().zip(rows.chunks(columns)) {
                let numbers = row.iter().map(f32::to_string);
                writer.write_record(std::iter::once(name.clone()).chain(numbers))?;
            }
            writer.flush()?;
        }
    }
    file.commit()?;
    Ok(())
}

/// One tensor, `features`, with the images' names as a JSON list in the metadata.
fn write_safetensors(file: &File, names: &[String], rows: &[f32], columns: usize) -> Result<()> {
    let bytes: Vec<u8> = rows
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let tensor = TensorView::new(Dtype::F32, vec![names.len(), columns], &bytes)?;
    let metadata = [("paths".to_owned(), serde_json::to_string(names)?)];
    let bytes = safetensors::serialize([("features", tensor)], Some(metadata.into()))?;
    let mut writer = BufWriter::new(file);
    writer.write_all(&bytes)?;
    writer.flush()?;
    Ok(())
}
