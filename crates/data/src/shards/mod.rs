//! Images in tar files, in the layout of WebDataset: for sets larger than memory, in few large files.
//!
//! ```text
//! DIR/train/*.tar  DIR/val/*.tar               or `valid`, `validation` for `val`, or `test`
//! DIR/NAME-train-000.tar  DIR/NAME-val-00.tar  the same words in the names
//! DIR/classes.txt                              names of the classes, one a line, if there are any
//! ```
//!
//! Members of a shard that follow each other and share a name but for the ending are a sample: an image (`.jpg`, `.png`, ...) and its
//! label, the index or the name of a class in `.cls`, or in `.json` an object with `label` or a list of `labels`. Other members
//! are passed over.
//!
//! When the data set is loaded, the headers of all shards are read, and the labels. From then on the samples are a table: any is read
//! by its place in its shard, in whatever order an epoch has.

mod classes;
mod find;
mod index;
mod label;
mod open_files;
mod order;
mod store;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::splits::Splits;
use crate::stored::Storage;
use crate::{DataError, Dataset, LoadOptions, Normalization, StoredImages};
use classes::Classes;
use find::find;
use index::ShardIndex;
pub(crate) use order::streamed_order;
pub(crate) use store::Shards;

/// The kind, as a data source spells it.
pub(crate) const KIND: &str = "shards";

/// Finds the samples of all shards of a folder.
pub(crate) fn load(
    dir: &Path,
    source: String,
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    let splits = find(dir)?;
    let indices = Splits {
        train: read_all(&splits.train)?,
        validation: splits.validation.as_deref().map(read_all).transpose()?,
        test: read_all(&splits.test)?,
    };
    let classes = Classes::of(dir, &indices)?;
    let len =
        |indices: &Vec<ShardIndex>| indices.iter().map(|index| index.lens.len()).sum::<usize>();
    if classes.names.len() < 2 || len(&indices.train) == 0 || len(&indices.test) == 0 {
        return Err(DataError::TooFewClasses {
            dir: dir.to_owned(),
            classes: classes.names.len(),
            train: len(&indices.train),
            test: len(&indices.test),
        });
    }
    let stored = |indices: Vec<ShardIndex>, cache_bytes| {
        let labels = classes.labels(&indices)?;
        let shards = Storage::Shards(Shards::new(dir, &indices, options.shuffle_buffer));
        StoredImages::new(shards, labels, options.preprocessing, cache_bytes)
    };
    let splits = indices.store(options.cache_bytes, len, stored)?;
    Ok(Dataset {
        name: dir
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        source,
        citation: String::new(),
        train: splits.train.into(),
        validation: splits.validation.map(Into::into),
        test: splits.test.into(),
        normalization: Normalization::of(&options.preprocessing)?,
        classes: classes.names,
        mosaic: None,
        skipped: Vec::new(),
    })
}

/// Indexes shards on all cores. Of several errors, that of the first shard is returned.
fn read_all(paths: &[PathBuf]) -> Result<Vec<ShardIndex>, DataError> {
    let indices: Vec<_> = paths
        .par_iter()
        .map(|path| ShardIndex::read(path))
        .collect();
    indices.into_iter().collect()
}
