//! Whole files or none: each is written beside its place and then moved there.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::ReportError;

/// Makes `folder` and the folders above it.
pub(super) fn make_folder(folder: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(folder).map_err(|source| ReportError::Folder {
        path: folder.to_owned(),
        source,
    })
}

/// Writes `content` to the file at `path`, replacing what was there.
pub(super) fn write_whole(path: &Path, content: &str) -> Result<(), ReportError> {
    try_write(path, content).map_err(|source| ReportError::Write {
        path: path.to_owned(),
        source,
    })
}

fn try_write(path: &Path, content: &str) -> std::io::Result<()> {
    let mut builder = tempfile::Builder::new();
    // A temporary file is private; a report is for everyone whom the umask lets read it.
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    let mut file = builder.tempfile_in(path.parent().unwrap_or_else(|| Path::new(".")))?;
    file.write_all(content.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_whole(&path, "one").unwrap();
        write_whole(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn names_the_file_it_can_not_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("absent/a.txt");
        let error = write_whole(&path, "").unwrap_err().to_string();
        assert!(error.contains("absent"), "{error}");
    }
}
