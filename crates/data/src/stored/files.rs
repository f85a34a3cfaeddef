//! Images that are files.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use xception_files::{name_text, open_regular};

use crate::DataError;

/// The files of a table of images, in its order. A folder's name is stored once.
#[derive(Debug, Default)]
pub(crate) struct ImageFiles {
    folders: Vec<PathBuf>,
    /// The index of each folder, by its path.
    by_path: HashMap<PathBuf, u32>,
    /// The index of each file's folder, and its name in there.
    files: Vec<(u32, Box<OsStr>)>,
    digest: Sha256,
}

impl ImageFiles {
    /// Appends a file of so many bytes, which goes into the digest by its path within `root`.
    pub(crate) fn push(&mut self, root: &Path, path: &Path, bytes: u64) {
        let (folder, name) = (
            path.parent().unwrap_or(Path::new("")),
            path.file_name().unwrap_or_default(),
        );
        let folder = match self.by_path.get(folder) {
            Some(&index) => index,
            None => {
                let index = self.folders.len() as u32;
                self.folders.push(folder.to_owned());
                self.by_path.insert(folder.to_owned(), index);
                index
            }
        };
        self.files.push((folder, name.into()));
        let inner = path.strip_prefix(root).unwrap_or(path);
        for part in inner {
            self.digest.update(part.as_encoded_bytes());
            self.digest.update(b"/");
        }
        self.digest.update([0]);
        self.digest.update(bytes.to_le_bytes());
    }

    /// Returns the number of files.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns the SHA-256 of the paths and sizes of all files.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    fn path(&self, index: usize) -> PathBuf {
        let (folder, name) = &self.files[index];
        self.folders[*folder as usize].join(Path::new(name))
    }

    /// Returns a file's path as text.
    pub(crate) fn name(&self, index: usize) -> String {
        name_text(self.path(index).as_os_str())
    }

    /// Reads a file, of which at most `limit` bytes.
    pub(crate) fn read(&self, index: usize, limit: u64) -> Result<Vec<u8>, DataError> {
        let path = self.path(index);
        let mut bytes = Vec::new();
        match open_regular(&path).and_then(|file| {
            bytes.reserve(file.metadata()?.len().min(limit) as usize);
            file.take(limit).read_to_end(&mut bytes)
        }) {
            Ok(_) => Ok(bytes),
            Err(source) => Err(DataError::Read { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(root: &str, entries: &[(&str, u64)]) -> ImageFiles {
        let mut files = ImageFiles::default();
        for (path, bytes) in entries {
            files.push(Path::new(root), &Path::new(root).join(path), *bytes);
        }
        files
    }

    #[test]
    fn paths_come_back_and_folders_are_stored_once() {
        let files = files("/data", &[("a/1.png", 5), ("a/2.png", 5), ("b/1.png", 5)]);
        let paths: Vec<_> = (0..files.len()).map(|index| files.path(index)).collect();
        assert_eq!(
            paths,
            ["/data/a/1.png", "/data/a/2.png", "/data/b/1.png"].map(PathBuf::from)
        );
        assert_eq!(files.folders.len(), 2);
    }

    #[test]
    fn the_digest_sees_names_and_sizes_and_not_the_place() {
        let base = files("/data", &[("a/1.png", 5)]).digest();
        assert_eq!(base, files("elsewhere", &[("a/1.png", 5)]).digest());
        assert_ne!(base, files("/data", &[("a/1.png", 6)]).digest());
        assert_ne!(base, files("/data", &[("b/1.png", 5)]).digest());
        assert_ne!(base, files("/data", &[("a", 5), ("1.png", 5)]).digest());
    }

    #[test]
    fn no_more_than_the_limit_is_read_and_a_lost_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        std::fs::write(&path, b"12345").unwrap();
        let mut files = ImageFiles::default();
        files.push(dir.path(), &path, 5);
        assert_eq!(files.read(0, 9).unwrap(), b"12345");
        assert_eq!(files.read(0, 2).unwrap(), b"12");
        std::fs::remove_file(&path).unwrap();
        let error = files.read(0, 9).unwrap_err().to_string();
        assert!(error.contains("a.png"), "{error}");
    }
}
