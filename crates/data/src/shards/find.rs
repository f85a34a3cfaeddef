//! The shards of a folder, by the splits that names say.

use std::path::{Path, PathBuf};

use crate::DataError;
use crate::listing::sorted;
use crate::splits::Splits;

/// Finds the shards of each split.
pub(super) fn find(dir: &Path) -> Result<Splits<Vec<PathBuf>>, DataError> {
    let (mut train, mut validation, mut test) = (Vec::new(), Vec::new(), Vec::new());
    let folders = sorted(dir)?.into_iter().filter(|path| path.is_dir());
    let folders: Vec<PathBuf> = folders.filter(|path| split_of(path).is_some()).collect();
    let shards = match folders.is_empty() {
        true => shards_in(dir)?,
        false => Vec::new(),
    };
    for path in &shards {
        match split_of(path) {
            Some(Split::Train) => train.push(path.clone()),
            Some(Split::Validation) => validation.push(path.clone()),
            Some(Split::Test) => test.push(path.clone()),
            None => {
                return Err(DataError::ShardWithoutSplit {
                    shard: path.clone(),
                });
            }
        }
    }
    for folder in &folders {
        let shards = shards_in(folder)?;
        match split_of(folder) {
            Some(Split::Validation) => validation.extend(shards),
            Some(Split::Test) => test.extend(shards),
            _ => train.extend(shards),
        }
    }
    let filled = |shards: Vec<PathBuf>| Some(shards).filter(|shards| !shards.is_empty());
    match (
        filled(train),
        Splits::named(filled(test), filled(validation)),
    ) {
        (Some(train), Some((test, validation))) => Ok(Splits {
            train,
            validation,
            test,
        }),
        _ => Err(DataError::NoShards {
            dir: dir.to_owned(),
        }),
    }
}

/// A split that a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Split {
    Train,
    Validation,
    Test,
}

/// Returns the split that a word of a file's or a folder's name says.
fn split_of(path: &Path) -> Option<Split> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    name.split(|c: char| !c.is_ascii_alphabetic())
        .find_map(|word| match word {
            "train" | "training" => Some(Split::Train),
            "val" | "valid" | "validation" => Some(Split::Validation),
            "test" => Some(Split::Test),
            _ => None,
        })
}

fn shards_in(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let is_shard = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "tar");
    Ok(sorted(dir)?.into_iter().filter(is_shard).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str]) -> Result<Splits<Vec<String>>, DataError> {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let relative = |paths: Vec<PathBuf>| -> Vec<String> {
            let inner = paths
                .iter()
                .map(|path| path.strip_prefix(dir.path()).unwrap());
            inner
                .map(|path| path.to_str().unwrap().to_owned())
                .collect()
        };
        let splits = find(dir.path())?;
        Ok(Splits {
            train: relative(splits.train),
            validation: splits.validation.map(relative),
            test: relative(splits.test),
        })
    }

    #[test]
    fn splits_are_words_of_names_or_folders() {
        let splits = found(&[
            "a-train-1.tar",
            "a-train-0.tar",
            "a-validation-00.tar",
            "train.txt",
        ]);
        let splits = splits.unwrap();
        assert_eq!(splits.train, ["a-train-0.tar", "a-train-1.tar"]);
        assert_eq!(
            (splits.validation, splits.test),
            (None, vec!["a-validation-00.tar".to_owned()])
        );

        let splits = found(&[
            "train/0.tar",
            "val/0.tar",
            "test/0.tar",
            "other/0.tar",
            "1.tar",
        ])
        .unwrap();
        assert_eq!(
            (splits.train.len(), splits.validation.unwrap().len()),
            (1, 1)
        );
        assert_eq!(splits.test, ["test/0.tar"]);
    }

    #[test]
    fn what_has_no_split_or_no_shards_is_an_error() {
        let error = |names: &[&str]| found(names).unwrap_err();
        assert!(matches!(
            error(&["a-train-0.tar", "b.tar"]),
            DataError::ShardWithoutSplit { .. }
        ));
        assert!(matches!(
            error(&["train/0.tar"]),
            DataError::NoShards { .. }
        ));
        assert!(matches!(
            error(&["train-0.zip", "val-0.zip"]),
            DataError::NoShards { .. }
        ));
    }
}
