//! Files that are never half written, and folders that one process works in.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::TrainError;

/// Writes a file in full or not at all.
///
/// # Errors
///
/// Where the folder can't be written.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), TrainError> {
    xception_files::write(path, contents).map_err(|cause| file_error("write", path, cause))
}

/// Writes a value as JSON, in full or not at all.
///
/// # Errors
///
/// As [`write()`].
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| TrainError::Damaged {
        path: path.to_owned(),
        cause: error.to_string(),
    })?;
    text.push('\n');
    write(path, text.as_bytes())
}

/// Reads a value from JSON.
///
/// # Errors
///
/// Where the file can't be read or is not such a value.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, TrainError> {
    let bytes = fs::read(path).map_err(|cause| file_error("read", path, cause))?;
    serde_json::from_slice(&bytes).map_err(|error| TrainError::Damaged {
        path: path.to_owned(),
        cause: error.to_string(),
    })
}

/// Returns a file's SHA-256 in hexadecimal.
///
/// # Errors
///
/// Where the file can't be read.
pub(crate) fn file_sha256(path: &Path) -> Result<String, TrainError> {
    let failed = |error| file_error("read", path, error);
    let mut digest = Sha256::new();
    let mut file = xception_files::open_regular(path).map_err(failed)?;
    std::io::copy(&mut file, &mut digest).map_err(failed)?;
    Ok(format!("{:x}", digest.finalize()))
}

/// Makes a folder and its parents, where they are not there yet, and syncs their names.
///
/// # Errors
///
/// Where that is not allowed.
pub fn create_folder(path: &Path) -> Result<(), TrainError> {
    let failed = |cause| file_error("make the folder", path, cause);
    let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let new: Vec<&Path> = path.ancestors().take_while(missing).collect();
    fs::create_dir_all(path).map_err(failed)?;
    for parent in new.iter().filter_map(|folder| folder.parent()) {
        let parent = match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        };
        xception_files::sync_folder(parent).map_err(failed)?;
    }
    Ok(())
}

/// Removes a file or a folder with all that is in it; what isn't there is no error.
///
/// # Errors
///
/// Where that is not allowed.
pub(crate) fn remove(path: &Path) -> Result<(), TrainError> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file_error("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Removes the temporary files that killed processes have left in a folder in which no other process writes now.
///
/// # Errors
///
/// Where the folder can't be read, or a file not removed.
pub(crate) fn remove_leftovers(folder: &Path) -> Result<(), TrainError> {
    let failed = |cause| file_error("read", folder, cause);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if is_leftover(&entry.file_name().to_string_lossy()) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Returns whether a name is one of those that files have while they are written: `.STEM.RANDOM.tmp` with
/// [`xception_files`], `NAME.PID-NUMBER.tmp` with Burn.
fn is_leftover(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".tmp") else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let ours = |stem: &str| stem.starts_with('.') && stem[1..].contains('.');
    let burns = |stem: &str| {
        let end = stem.rsplit_once('.').map(|(_, end)| end);
        let numbers = end.and_then(|end| end.split_once('-'));
        numbers.is_some_and(|(process, number)| is_number(process) && is_number(number))
    };
    ours(stem) || burns(stem)
}

pub(crate) fn file_error(action: &'static str, path: &Path, cause: std::io::Error) -> TrainError {
    TrainError::File {
        action,
        path: path.to_owned(),
        cause,
    }
}

/// A folder that this process alone works in, until it is dropped.
#[derive(Debug)]
pub struct LockedFolder {
    path: PathBuf,
    _lock: File,
}

impl LockedFolder {
    /// Makes the folder where it is not there yet, and locks it. The lock ends with the process,
    /// however that ends.
    ///
    /// # Errors
    ///
    /// Where the folder can't be made or another process has it.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        create_folder(path)?;
        let file = path.join(".lock");
        let lock = File::create(&file).map_err(|cause| file_error("write", &file, cause))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(TrainError::InUse {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(cause)) => Err(file_error("lock", &file, cause)),
        }
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = LockedFolder::open(&path).unwrap();
        let error = LockedFolder::open(&path).unwrap_err();
        assert!(matches!(error, TrainError::InUse { .. }), "{error}");
        drop(first);
        LockedFolder::open(&path).unwrap();
    }

    #[test]
    fn only_temporary_files_are_leftovers() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let kept = ["record.json", "notes.tmp", ".tmp", ".lock", "a-1.tmp"];
        let left = [
            ".record.aB3xYz.tmp",
            "model.bpk.4711-0.tmp",
            ".model.Q1w2E3.4711-12.tmp",
        ];
        for name in kept.iter().chain(&left) {
            fs::write(path(name), "").unwrap();
        }
        remove_leftovers(folder.path()).unwrap();
        assert!(kept.iter().all(|name| path(name).exists()));
        assert!(!left.iter().any(|name| path(name).exists()));
    }

    #[test]
    fn files_and_folders_are_removed_where_they_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        remove(&path).unwrap();
        create_folder(&path.join("b/c")).unwrap();
        remove(&path).unwrap();
        fs::write(&path, "").unwrap();
        remove(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn text_that_is_not_unicode_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        fs::write(&path, [b'"', 0xff, b'"']).unwrap();
        let error = read_json::<String>(&path).unwrap_err();
        assert!(matches!(error, TrainError::Damaged { .. }), "{error}");
    }

    #[test]
    fn json_is_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        write_json(&path, &[1, 2]).unwrap();
        write_json(&path, &[3]).unwrap();
        assert_eq!(read_json::<Vec<u8>>(&path).unwrap(), [3]);
        let error = write(&folder.path().join("missing/x"), b"").unwrap_err();
        assert!(error.to_string().contains("can't write"), "{error}");
    }
}
