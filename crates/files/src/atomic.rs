//! Replacing a file's contents in one step.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::sync::{parent, sync_folder};

/// A file under a temporary name, which takes its own name when it is committed.
///
/// A file that is replaced keeps its permissions, and a link to it stays a link.
///
/// Dropped without [`commit`](Self::commit), it is removed, and what stood under its name stays.
#[derive(Debug)]
pub struct AtomicFile {
    temporary: NamedTempFile,
    /// Permissions of the file that is replaced.
    permissions: Option<Permissions>,
    path: PathBuf,
}

impl AtomicFile {
    /// Opens a temporary file beside `path`.
    ///
    /// # Errors
    ///
    /// If the folder isn't there or can't be written, or `path` is a folder, a device or a pipe.
    pub fn create(path: &Path) -> io::Result<Self> {
        // A link keeps leading to the file.
        let path = match path.is_symlink() {
            true => &path.canonicalize()?,
            false => path,
        };
        let existing = fs::metadata(path).ok();
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if existing
            .as_ref()
            .is_some_and(|existing| !existing.is_file())
        {
            let message = "it is there already, and is not a regular file";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        let mut name = std::ffi::OsString::from(".");
        // Short enough for any file system, whatever the length of the name.
        let stem: String = path
            .file_stem()
            .ok_or(io::ErrorKind::InvalidFilename)?
            .to_string_lossy()
            .chars()
            .take(32)
            .collect();
        name.push(stem);
        name.push(".");
        let mut builder = Builder::new();
        builder.prefix(&name).suffix(".tmp");
        // Without this, a temporary file is readable by its owner alone; the umask still applies.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        // The kind alone: the library's message names the temporary file.
        let temporary = builder.tempfile_in(parent(path));
        let temporary = temporary.map_err(|error| io::Error::from(error.kind()))?;
        Ok(Self {
            temporary,
            permissions: existing.map(|existing| existing.permissions()),
            path: path.to_owned(),
        })
    }

    /// Returns the temporary file.
    pub fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Returns the temporary path, for writers that open files by name. They may truncate the file, but not replace it.
    pub fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// Syncs the file, renames it to its own name and syncs the folder.
    ///
    /// # Errors
    ///
    /// If the disk is full or the name can't be taken; the temporary file is then removed.
    pub fn commit(self) -> io::Result<()> {
        if let Some(permissions) = &self.permissions {
            self.file().set_permissions(permissions.clone())?;
        }
        self.file().sync_all()?;
        self.temporary
            .persist(&self.path)
            .map_err(|error| error.error)?;
        sync_folder(parent(&self.path))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

/// Writes a whole file, or leaves what was there.
///
/// # Errors
///
/// If [`AtomicFile::create`] or [`AtomicFile::commit`] fails, or writing does.
pub fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(contents)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_a_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_not_committed_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write(&path, b"one").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn folders_and_missing_folders_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        let error = write(&folder.path().join("missing/a"), b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_longest_name_of_a_file_system_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("é".repeat(127));
        write(&path, b"x").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_permissions_and_the_links_to_it() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let error = write(Path::new("/dev/null"), b"").unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_has_the_permissions_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (usual, ours) = (folder.path().join("usual"), folder.path().join("ours"));
        fs::write(&usual, "").unwrap();
        write(&ours, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }
}
