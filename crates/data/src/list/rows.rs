//! The rows of a list of images.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use xception_files::open_regular;

use crate::DataError;

/// What separates the classes of a set in CSV.
const SEPARATOR: char = '|';

/// A row of a list.
pub(super) struct Row {
    /// The line of the file on which it begins, from 1.
    pub line: u64,
    pub path: String,
    pub labels: Labels,
    pub split: Option<String>,
}

/// The classes of an image, by their names.
pub(super) enum Labels {
    /// One, in a vector of length 1.
    Class(Vec<String>),
    /// At least one.
    Set(Vec<String>),
}

impl Labels {
    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::Class(names) | Self::Set(names) => names,
        }
    }
}

impl Row {
    /// Returns an error in this row.
    pub(super) fn error(&self, file: &Path, problem: String) -> DataError {
        error(file, self.line, problem)
    }
}

fn error(file: &Path, line: u64, problem: String) -> DataError {
    DataError::List {
        path: file.to_owned(),
        line,
        problem,
    }
}

/// A row as it is written: in CSV, where every value is text, or in JSON.
#[derive(Deserialize)]
struct Written<Class, Set> {
    #[serde(alias = "file_name")]
    path: String,
    label: Option<Class>,
    labels: Option<Set>,
    split: Option<String>,
}

/// A class: its name, or a number, which is its name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(u64),
}

impl Name {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl<Class, Set> Written<Class, Set> {
    fn into_row(
        self,
        line: u64,
        class: impl Fn(Class) -> String,
        set: impl Fn(Set) -> Vec<String>,
    ) -> Result<Row, String> {
        let labels = match (self.label, self.labels) {
            (Some(label), None) => Labels::Class(vec![class(label)]),
            (None, Some(labels)) => Labels::Set(set(labels)),
            (None, None) => return Err("neither `label` nor `labels`".to_owned()),
            (Some(_), Some(_)) => return Err("both `label` and `labels`".to_owned()),
        };
        if labels.names().is_empty() || labels.names().iter().any(String::is_empty) {
            return Err("a class without a name: give each image at least one class".to_owned());
        }
        Ok(Row {
            line,
            path: self.path,
            labels,
            split: self.split.filter(|split| !split.is_empty()),
        })
    }
}

/// Reads all rows of a file: in CSV where its name ends in `.csv`, else a JSON object a line.
pub(super) fn read_rows(path: &Path) -> Result<Vec<Row>, DataError> {
    let failed = |source| DataError::Read {
        path: path.to_owned(),
        source,
    };
    let file = open_regular(path).map_err(failed)?;
    let ending = path.extension().unwrap_or_default();
    match ending.eq_ignore_ascii_case("csv") {
        true => read_csv(path, file),
        false => read_json(path, file),
    }
}

fn read_csv(path: &Path, file: File) -> Result<Vec<Row>, DataError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(file);
    let wrong = |line, cause: csv::Error| error(path, line, cause.to_string());
    let header = reader.headers().map_err(|cause| wrong(1, cause))?.clone();
    let mut record = csv::StringRecord::new();
    let mut rows = Vec::new();
    loop {
        let line = reader.position().line();
        if !reader
            .read_record(&mut record)
            .map_err(|cause| wrong(line, cause))?
        {
            return Ok(rows);
        }
        let written: Written<String, String> = record
            .deserialize(Some(&header))
            .map_err(|cause| wrong(line, cause))?;
        let set = |names: String| {
            names
                .split(SEPARATOR)
                .map(|name| name.trim().to_owned())
                .collect()
        };
        let row = written.into_row(line, |name| name, set);
        rows.push(row.map_err(|problem| error(path, line, problem))?);
    }
}

fn read_json(path: &Path, file: File) -> Result<Vec<Row>, DataError> {
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(BufReader::new(file).lines()) {
        let text = text.map_err(|source| DataError::Read {
            path: path.to_owned(),
            source,
        })?;
        if text.trim().is_empty() {
            continue;
        }
        let set = |names: Vec<Name>| names.into_iter().map(Name::into_text).collect();
        let row = serde_json::from_str::<Written<Name, Vec<Name>>>(&text)
            .map_err(|cause| cause.to_string())
            .and_then(|written| written.into_row(line, Name::into_text, set));
        rows.push(row.map_err(|problem| error(path, line, problem))?);
    }
    Ok(rows)
}
