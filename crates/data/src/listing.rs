//! What a folder holds, as far as images go.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use xception_files::name_text;
use xception_images::is_image;

use crate::DataError;

/// A file or folder that is passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// Why it can't be used.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let path = name_text(self.path.as_os_str());
        write!(f, "{path}: {}", self.reason)
    }
}

/// The entries of a folder in the order of their names, without hidden ones.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) folders: Vec<PathBuf>,
    /// Regular files with the ending of an image, with their sizes in bytes.
    pub(crate) images: Vec<(PathBuf, u64)>,
    /// Links that lead nowhere or back to the folder or one above it, and what has an image's name but is no file.
    pub(crate) skipped: Vec<Skipped>,
}

impl Listing {
    pub(crate) fn of(dir: &Path) -> Result<Self, DataError> {
        let mut listing = Self::default();
        for path in sorted(dir)? {
            let mut skip = |path, reason| listing.skipped.push(Skipped { path, reason });
            match fs::metadata(&path) {
                Err(error) => skip(path, error.to_string()),
                Ok(kind) if kind.is_dir() => match leads_back(&path, dir) {
                    Some(above) => {
                        let above = name_text(above.as_os_str());
                        skip(path, format!("it is a link back to {above}"));
                    }
                    None => listing.folders.push(path),
                },
                Ok(_) if !is_image(&path) => {}
                Ok(kind) if kind.is_file() => listing.images.push((path, kind.len())),
                Ok(_) => skip(path, "it is not a regular file".to_owned()),
            }
        }
        Ok(listing)
    }
}

/// Returns where a link in `dir` leads, if that is `dir` or a folder above it.
fn leads_back(path: &Path, dir: &Path) -> Option<PathBuf> {
    if !path.is_symlink() {
        return None;
    }
    let (target, dir) = (path.canonicalize().ok()?, dir.canonicalize().ok()?);
    dir.starts_with(&target).then_some(target)
}

/// Returns the entries of a folder in the order of their names, without hidden ones.
pub(crate) fn sorted(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |source| DataError::Read {
        path: dir.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_that_lead_nowhere_or_back_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("in/sub")).unwrap();
        for name in ["in/z.png", "in/notes.txt", "in/.hidden.png", "outside.png"] {
            fs::write(path(name), "").unwrap();
        }
        symlink(path("missing"), path("in/a.png")).unwrap();
        symlink(path("in/c"), path("in/b")).unwrap();
        symlink(path("in/b"), path("in/c")).unwrap();
        symlink(path("in"), path("in/itself")).unwrap();
        symlink("..", path("in/up")).unwrap();
        symlink(path("outside.png"), path("in/y.png")).unwrap();
        let listing = Listing::of(&path("in")).unwrap();
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let names = paths.iter().map(|path| path.file_name().unwrap());
            names
                .map(|name| name.to_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(names(&listing.folders), ["sub"]);
        let images: Vec<_> = listing
            .images
            .iter()
            .map(|(path, _)| path.clone())
            .collect();
        assert_eq!(names(&images), ["y.png", "z.png"]);
        let skipped: Vec<_> = listing
            .skipped
            .iter()
            .map(|file| file.path.clone())
            .collect();
        assert_eq!(names(&skipped), ["a.png", "b", "c", "itself", "up"]);
        let reason = |index: usize| listing.skipped[index].to_string();
        assert!(reason(0).contains("a.png: No such file"), "{}", reason(0));
        assert!(reason(4).contains("it is a link back to"), "{}", reason(4));
    }
}
