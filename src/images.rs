//! The images that a command line names.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::RgbImage;
use rayon::prelude::*;
use walkdir::WalkDir;
use xception::models::preprocessing::{
    DecodeOptions, IMAGE_ENDINGS, Preprocessing, PreprocessingError, decode_image, is_image,
    read_image,
};

/// An image, not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A file.
    File(PathBuf),
    /// What came from standard input.
    Input(Vec<u8>),
}

impl ImageSource {
    /// The path, or `-` for standard input.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Input(_) => "-".to_owned(),
        }
    }

    /// The picture.
    pub fn read(&self) -> Result<RgbImage, PreprocessingError> {
        let options = DecodeOptions::default();
        match self {
            Self::File(path) => read_image(path, &options),
            Self::Input(bytes) => decode_image(bytes, "standard input", &options),
        }
    }
}

/// Finds the images that arguments name: files, folders with all their subfolders, patterns such as
/// `photos/*.jpg`, and `-` for standard input, which is an image or a list of paths, one a line.
///
/// A path that isn't there stays in the list, and is an error when it is read.
pub fn find(arguments: &[String]) -> Result<Vec<ImageSource>> {
    let mut images = Vec::new();
    let mut waiting: VecDeque<_> = arguments.iter().cloned().collect();
    while let Some(argument) = waiting.pop_front() {
        let path = Path::new(&argument);
        if argument == "-" {
            match standard_input()? {
                Input::Image(bytes) => images.push(ImageSource::Input(bytes)),
                Input::Paths(paths) => images.extend(paths.into_iter().map(ImageSource::File)),
            }
        } else if path.is_dir() {
            images.extend(folder(path)?);
        } else if !path.exists() && argument.contains(['*', '?', '[']) {
            let found = glob::glob(&argument);
            let found = found.with_context(|| format!("`{argument}` is no pattern"))?;
            let mut paths = found.collect::<Result<Vec<_>, _>>()?;
            anyhow::ensure!(!paths.is_empty(), "no file is like `{argument}`");
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

/// The image files of a folder and its subfolders, in the order of their names.
fn folder(path: &Path) -> Result<Vec<ImageSource>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry.with_context(|| format!("can't search {}", path.display()))?;
        if entry.file_type().is_file() && is_image(entry.path()) {
            files.push(ImageSource::File(entry.into_path()));
        }
    }
    Ok(files)
}

enum Input {
    Image(Vec<u8>),
    Paths(Vec<PathBuf>),
}

fn standard_input() -> Result<Input> {
    let mut bytes = Vec::new();
    let limit = 1 << 30;
    std::io::stdin().take(limit).read_to_end(&mut bytes)?;
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) if !bytes.contains(&0) => {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            Input::Paths(lines.map(PathBuf::from).collect())
        }
        _ => Input::Image(bytes),
    })
}

/// Images that could be read, ready for a network.
pub struct Batch {
    /// Names, in the order of the rows.
    pub names: Vec<String>,
    /// Places in the list of images.
    pub indices: Vec<u32>,
    /// `[names, 3, height, width]`.
    pub inputs: Vec<f32>,
}

/// Reads images in batches, in parallel within a batch, and gives those that could be read to `each`.
/// What can't be read is told on standard error and passed over; returns how many those were.
pub fn for_each_batch(
    images: &[ImageSource],
    preprocessing: &Preprocessing,
    batch_size: usize,
    mut each: impl FnMut(Batch) -> Result<()>,
) -> Result<usize> {
    let mut unreadable = 0;
    let mut index = 0;
    for images in images.chunks(batch_size.max(1)) {
        let inputs: Vec<_> = images
            .par_iter()
            .map(|image| preprocessing.apply(&image.read()?))
            .collect();
        let mut batch = Batch {
            names: Vec::new(),
            indices: Vec::new(),
            inputs: Vec::new(),
        };
        for (image, input) in images.iter().zip(inputs) {
            match input {
                Ok(input) => {
                    batch.names.push(image.name());
                    batch.indices.push(index);
                    batch.inputs.extend(input);
                }
                Err(error) => {
                    unreadable += 1;
                    // A closed standard error is no reason to stop.
                    let _ = writeln!(std::io::stderr(), "skipped: {error}");
                }
            }
            index += 1;
        }
        if !batch.names.is_empty() {
            each(batch)?;
        }
    }
    Ok(unreadable)
}

/// The error for images that were passed over, at the end.
pub fn check_all_read(unreadable: usize, images: usize) -> Result<()> {
    anyhow::ensure!(
        unreadable == 0,
        "{unreadable} of {images} images could not be read"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn finds_files_folders_and_patterns() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        for name in ["b.JPG", "a.png", "sub/c.webp", "notes.txt"] {
            fs::write(path(name), "").unwrap();
        }
        let names = |arguments: &[String]| {
            let found = find(arguments).unwrap();
            let name = |image: &ImageSource| match image {
                ImageSource::File(path) => path.file_name().unwrap().to_owned(),
                ImageSource::Input(_) => "-".into(),
            };
            found.iter().map(name).collect::<Vec<_>>()
        };
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let all = names(&[text(folder.path().to_owned())]);
        assert_eq!(all, ["a.png", "b.JPG", "c.webp"]);
        assert_eq!(names(&[text(path("*.png"))]), ["a.png"]);
        assert_eq!(names(&[text(path("notes.txt"))]), ["notes.txt"]);
        assert_eq!(names(&[text(path("missing.png"))]), ["missing.png"]);
        assert!(find(&[text(path("*.bmp"))]).is_err());
        fs::remove_dir_all(path("sub")).unwrap();
        fs::create_dir(path("sub")).unwrap();
        assert!(find(&[text(path("sub"))]).is_err());
    }
}
