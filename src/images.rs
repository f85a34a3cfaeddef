//! The images that a command line names.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::RgbImage;
use walkdir::WalkDir;
use xception::models::preprocessing::{
    DecodeOptions, IMAGE_ENDINGS, PreprocessingError, decode_image, is_image, read_image,
};

use crate::standard_input::{self, Input};
use crate::terminal::escaped_path;

/// A source of an image, which isn't read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A file's path.
    File(PathBuf),
    /// Bytes of an image from standard input.
    Input(Vec<u8>),
    /// An entry of a folder that can't be reached, such as a broken link, with the reason; reading it is an error.
    Unreachable(PathBuf, String),
}

impl ImageSource {
    /// Returns the path, or `-` for standard input.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Unreachable(path, _) => path,
            Self::Input(_) => Path::new("-"),
        }
    }

    /// Reads and decodes the image.
    pub fn read(&self) -> Result<RgbImage, PreprocessingError> {
        let options = DecodeOptions::default();
        match self {
            Self::File(path) => read_image(path, &options),
            Self::Input(bytes) => decode_image(bytes, "standard input", &options),
            Self::Unreachable(path, reason) => Err(PreprocessingError::Read {
                path: path.clone(),
                source: std::io::Error::other(reason.clone()),
            }),
        }
    }
}

/// Finds the images that arguments name: files, folders with all their subfolders, patterns such as `photos/*.jpg`,
/// and `-` for standard input, which is an image or a list of paths, one per line.
///
/// A path that doesn't exist stays in the list, and reading it is an error.
pub fn find(arguments: &[PathBuf]) -> Result<Vec<ImageSource>> {
    let mut images = Vec::new();
    for path in arguments {
        if path.as_os_str() == "-" {
            match standard_input::read(std::io::stdin().lock())? {
                Input::Image(bytes) => images.push(ImageSource::Input(bytes)),
                Input::Paths(paths) => images.extend(paths.into_iter().map(ImageSource::File)),
            }
        } else if path.is_dir() {
            images.extend(folder(path));
        } else if let Some(pattern) = pattern(path) {
            let found = glob::glob(pattern);
            let found = found.with_context(|| format!("`{pattern}` is not a valid pattern"))?;
            let mut paths = found.collect::<Result<Vec<_>, _>>()?;
            anyhow::ensure!(!paths.is_empty(), "no file matches `{pattern}`");
            paths.retain(|path| path.is_file());
            images.extend(paths.into_iter().map(ImageSource::File));
        } else {
            images.push(ImageSource::File(path.to_owned()));
        }
    }
    anyhow::ensure!(
        !images.is_empty(),
        "there are no images: folders are searched for files that end in {}",
        IMAGE_ENDINGS.join(", ")
    );
    Ok(images)
}

/// Returns an argument as a pattern if it is one and names no file.
fn pattern(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    (text.contains(['*', '?', '[']) && !path.exists()).then_some(text)
}

/// Finds the image files of a folder and its subfolders, in the order of their names, and the entries that can't be
/// reached. Each folder is searched once, even if several links lead to it.
fn folder(path: &Path) -> Vec<ImageSource> {
    let mut images = Vec::new();
    let root = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut searched = HashSet::new();
    let link_back = |place: PathBuf, target: &Path| {
        let reason = format!("it is a link back to {}", escaped_path(target));
        ImageSource::Unreachable(place, reason)
    };
    let walk = WalkDir::new(path).follow_links(true).sort_by_file_name();
    let mut walk = walk.into_iter();
    while let Some(entry) = walk.next() {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {
                let Ok(target) = entry.path().canonicalize() else {
                    continue; // its entries tell why
                };
                if entry.depth() > 0 && root.starts_with(&target) {
                    images.push(link_back(entry.into_path(), &target));
                    walk.skip_current_dir();
                } else if !searched.insert(target) {
                    walk.skip_current_dir();
                }
            }
            Ok(entry) if is_image(entry.path()) => {
                images.push(ImageSource::File(entry.into_path()));
            }
            Ok(_) => {}
            Err(error) => {
                let place = error.path().unwrap_or(path).to_owned();
                images.push(match (error.loop_ancestor(), error.io_error()) {
                    (Some(ancestor), _) => link_back(place, ancestor),
                    (None, Some(error)) => ImageSource::Unreachable(place, error.to_string()),
                    (None, None) => ImageSource::Unreachable(place, error.to_string()),
                });
            }
        }
    }
    images
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(arguments: &[PathBuf]) -> Vec<String> {
        let found = find(arguments).unwrap();
        let names = found.iter().map(|image| image.path().file_name().unwrap());
        names
            .map(|name| name.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn finds_files_folders_and_patterns() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        for name in ["b.JPG", "a.png", "sub/c.webp", "notes.txt"] {
            fs::write(path(name), "").unwrap();
        }
        let all = names(&[folder.path().to_owned()]);
        assert_eq!(all, ["a.png", "b.JPG", "c.webp"]);
        assert_eq!(names(&[path("*.png")]), ["a.png"]);
        assert_eq!(names(&[path("notes.txt")]), ["notes.txt"]);
        assert_eq!(names(&[path("missing.png")]), ["missing.png"]);
        assert!(find(&[path("*.bmp")]).is_err());
        fs::remove_dir_all(path("sub")).unwrap();
        fs::create_dir(path("sub")).unwrap();
        assert!(find(&[path("sub")]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_nowhere_do_not_stop_a_search() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        fs::write(path("sub/z.png"), "").unwrap();
        symlink(path("missing"), path("a.png")).unwrap();
        symlink(path("c"), path("b")).unwrap();
        symlink(path("b"), path("c")).unwrap();
        symlink(folder.path(), path("sub/up")).unwrap();
        let found = find(&[folder.path().to_owned()]).unwrap();
        let seen: Vec<_> = found
            .iter()
            .map(|image| {
                let place = image.path().strip_prefix(folder.path()).unwrap();
                let text = match image.read() {
                    Ok(_) => String::new(),
                    Err(error) => xception_messages::with_causes(&error),
                };
                (place.to_str().unwrap(), text)
            })
            .collect();
        let places: Vec<_> = seen.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, ["a.png", "b", "c", "sub/up", "sub/z.png"]);
        assert!(seen[0].1.contains("a.png: No such file"), "{seen:?}");
        assert!(seen[3].1.contains("it is a link back to"), "{seen:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_searched_once_however_many_links_lead_to_it() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        // Links alone make 2^40 paths to the last folder.
        for level in 0..=40 {
            fs::create_dir(path(&format!("d{level}"))).unwrap();
        }
        for level in 0..40 {
            let next = path(&format!("d{}", level + 1));
            symlink(&next, path(&format!("d{level}/x"))).unwrap();
            symlink(&next, path(&format!("d{level}/y"))).unwrap();
        }
        fs::write(path("d40/a.png"), "").unwrap();
        symlink(folder.path(), path("d40/up")).unwrap();
        let found = find(&[path("d0")]).unwrap();
        let files = found
            .iter()
            .filter(|image| matches!(image, ImageSource::File(_)));
        assert_eq!(files.count(), 1, "{found:?}");
    }
}
