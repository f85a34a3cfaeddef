//! Renames that survive a power failure.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Renames a file or folder whose contents are synced, and syncs the folder it is in now.
///
/// # Errors
///
/// If [`std::fs::rename`] fails, or a folder can't be synced.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder(parent(to))
}

/// Syncs the names in a folder to the disk. Does nothing on systems and file systems without such a call.
///
/// # Errors
///
/// If the folder can't be opened or the disk fails.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let unsupported = [io::ErrorKind::InvalidInput, io::ErrorKind::Unsupported];
    match File::open(folder)?.sync_all() {
        Err(error) if !unsupported.contains(&error.kind()) => Err(error),
        _ => Ok(()),
    }
}

/// Returns the folder that a path is in, `.` for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renames_into_a_synced_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        fs::create_dir(&from).unwrap();
        rename(&from, &to).unwrap();
        assert!(to.is_dir() && !from.exists());
        let error = sync_folder(&from).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_bare_name_is_in_the_current_folder() {
        assert_eq!(parent(Path::new("a.json")), Path::new("."));
        assert_eq!(parent(Path::new("runs/a.json")), Path::new("runs"));
    }
}
