//! Checks of the files that a command is to write.

use std::path::Path;

use anyhow::{Result, ensure};

/// Checks that the folder of an output file exists, before the work for it begins.
pub fn check_folder(out: &Path) -> Result<()> {
    let folder = match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    ensure!(
        folder.is_dir(),
        "can't write {}: there is no folder {}; make it first",
        out.display(),
        folder.display()
    );
    ensure!(
        !out.is_dir(),
        "can't write {}: it is a folder; give the name of a file",
        out.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: &Path| check_folder(path).map_err(|error| error.to_string());
        assert_eq!(check(&folder.path().join("a.npy")), Ok(()));
        assert_eq!(check(Path::new("a.npy")), Ok(()));
        let error = check(&folder.path().join("b/a.npy")).unwrap_err();
        assert!(error.contains("there is no folder"), "{error}");
        let error = check(folder.path()).unwrap_err();
        assert!(error.contains("it is a folder"), "{error}");
    }
}
