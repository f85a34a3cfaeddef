//! Images that a file lists with their labels.
//!
//! The file is a table in CSV with a header, or has a JSON object a line (JSON Lines). A row has
//!
//! - `path` (or `file_name`, as with Hugging Face's image folders): the image, relative to the file;
//! - `label`, one class, or `labels`, a set of them: in JSON a list, in CSV separated by `|`;
//! - `split`, in all rows or in none: `train`, `validation` or `test`. Without `test`, the validation images are those to test
//!   with; without splits, every tenth image of a class is, or of all images where they have sets of classes.
//!
//! Classes are in the order of their names, of numbers if all of them are.

mod rows;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use crate::splits::Splits;
use crate::stored::{ImageFiles, LabelSets, LabelTable, Storage};
use crate::stratified::is_tenth;
use crate::{DataError, Dataset, LoadOptions, Normalization, StoredImages};
use rows::{Labels, Row, read_rows};

/// The kind, as a data source spells it.
pub(crate) const KIND: &str = "list";

/// An image of the list.
struct Listed {
    path: PathBuf,
    bytes: u64,
    /// The indices of its classes.
    classes: Vec<u32>,
}

/// Reads the list and finds its images.
pub(crate) fn load(
    file: &Path,
    source: String,
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    let rows = read_rows(file)?;
    let have_sets = check_kinds(file, &rows)?;
    let classes = class_names(&rows);
    let indices: HashMap<&str, u32> = (0..).zip(&classes).map(|(i, name)| (&**name, i)).collect();
    let dir = file.parent().unwrap_or(Path::new(""));

    let mut listed = Vec::with_capacity(rows.len());
    let mut lines = HashMap::new();
    for row in &rows {
        let path = dir.join(&row.path);
        if let Some(other) = lines.insert(path.clone(), row.line) {
            let problem = format!("`{}` is listed in line {other} too", row.path);
            return Err(row.error(file, problem));
        }
        let names = row.labels.names().iter();
        listed.push(Listed {
            bytes: size(&path).map_err(|problem| {
                row.error(file, format!("can't take `{}`: {problem}", row.path))
            })?,
            path,
            classes: names
                .filter_map(|name| indices.get(&**name).copied())
                .collect(),
        });
    }
    let splits = divide(file, &rows, listed, have_sets)?;
    if classes.len() < 2 || splits.test.is_empty() || splits.train.is_empty() {
        return Err(DataError::TooFewClasses {
            dir: file.to_owned(),
            classes: classes.len(),
            train: splits.train.len(),
            test: splits.test.len(),
        });
    }
    let stored = |images: Vec<Listed>, cache_bytes| {
        let mut files = ImageFiles::default();
        for image in &images {
            files.push(dir, &image.path, image.bytes);
        }
        let labels = match have_sets {
            true => {
                let mut sets = LabelSets::new(classes.len());
                images
                    .into_iter()
                    .for_each(|image| sets.push(image.classes));
                LabelTable::Sets(sets)
            }
            false => LabelTable::Classes(
                images
                    .iter()
                    .flat_map(|image| image.classes.first())
                    .copied()
                    .collect(),
            ),
        };
        StoredImages::new(
            Storage::Files(files),
            labels,
            options.preprocessing,
            cache_bytes,
        )
    };
    let splits = splits.store(options.cache_bytes, Vec::len, stored)?;
    Ok(Dataset {
        name: file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        source,
        citation: String::new(),
        train: splits.train.into(),
        validation: splits.validation.map(Into::into),
        test: splits.test.into(),
        normalization: Normalization::of(&options.preprocessing)?,
        classes,
        mosaic: None,
        skipped: Vec::new(),
    })
}

/// Returns the size of an image file, or why it isn't one.
fn size(path: &Path) -> Result<u64, String> {
    match fs::metadata(path) {
        Ok(kind) if kind.is_file() => Ok(kind.len()),
        Ok(_) => Err("it is not a regular file".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns whether images have sets of classes, which either all have or none.
fn check_kinds(file: &Path, rows: &[Row]) -> Result<bool, DataError> {
    let is_set = |row: &Row| matches!(row.labels, Labels::Set(_));
    let have_sets = rows.first().is_some_and(is_set);
    match rows.iter().find(|row| is_set(row) != have_sets) {
        Some(row) => Err(row.error(
            file,
            "`label` and `labels` are both used: give all rows the same one".to_owned(),
        )),
        None => Ok(have_sets),
    }
}

/// Returns the names of all classes in order.
fn class_names(rows: &[Row]) -> Vec<String> {
    let names = rows.iter().flat_map(|row| row.labels.names());
    let names: BTreeSet<&String> = names.collect();
    let mut names: Vec<String> = names.into_iter().cloned().collect();
    let number = |name: &String| name.parse::<u64>();
    if names.iter().all(|name| number(name).is_ok()) {
        names.sort_by_key(|name| number(name).unwrap_or_default());
    }
    names
}

/// Puts the images into the splits that their rows name, or holds out every tenth for testing.
fn divide(
    file: &Path,
    rows: &[Row],
    listed: Vec<Listed>,
    have_sets: bool,
) -> Result<Splits<Vec<Listed>>, DataError> {
    let mut splits = Splits::<Vec<Listed>>::default();
    if rows.iter().all(|row| row.split.is_none()) {
        let strata = listed
            .iter()
            .map(|image| match (have_sets, image.classes.first()) {
                (false, Some(class)) => *class,
                _ => 0,
            });
        let is_test = is_tenth(&strata.collect::<Vec<_>>());
        for (image, is_test) in listed.into_iter().zip(is_test) {
            let split = if is_test {
                &mut splits.test
            } else {
                &mut splits.train
            };
            split.push(image);
        }
        return Ok(splits);
    }
    let (mut validation, mut test) = (Vec::new(), Vec::new());
    for (row, image) in rows.iter().zip(listed) {
        let split = match row.split.as_deref() {
            Some("train" | "training") => &mut splits.train,
            Some("validation" | "val" | "valid") => &mut validation,
            Some("test") => &mut test,
            other => {
                let found =
                    other.map_or("no split".to_owned(), |name| format!("the split `{name}`"));
                let problem = format!(
                    "{found}: give each row `train`, `validation` or `test`, or none of them"
                );
                return Err(row.error(file, problem));
            }
        };
        split.push(image);
    }
    let filled = |images: Vec<Listed>| Some(images).filter(|images| !images.is_empty());
    if let Some((test, validation)) = Splits::named(filled(test), filled(validation)) {
        splits.test = test;
        splits.validation = validation;
    }
    Ok(splits)
}
