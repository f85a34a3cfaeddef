//! Files that are never half written, and folders that one process works in.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

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
    let text = fs::read_to_string(path).map_err(|cause| file_error("read", path, cause))?;
    serde_json::from_str(&text).map_err(|error| TrainError::Damaged {
        path: path.to_owned(),
        cause: error.to_string(),
    })
}

/// Makes a folder and its parents, where they are not there yet.
///
/// # Errors
///
/// Where that is not allowed.
pub fn create_folder(path: &Path) -> Result<(), TrainError> {
    fs::create_dir_all(path).map_err(|cause| file_error("make the folder", path, cause))
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

    /// The folder.
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
