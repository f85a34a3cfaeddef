//! The files of a report, each written in full or not at all.

use std::fs;
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
    xception_files::write(path, content.as_bytes()).map_err(|source| ReportError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_file_it_can_not_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("absent/a.txt");
        let error = write_whole(&path, "").unwrap_err().to_string();
        assert!(error.contains("absent"), "{error}");
    }
}
