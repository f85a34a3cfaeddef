//! A folder with a subfolder of images for each class.

use std::path::{Path, PathBuf};

use xception_files::name_text;
use xception_images::{IMAGE_ENDINGS, Labels, is_image};

use crate::listing::Listing;
use crate::{DataError, Skipped};

/// An image file whose class is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// The index of its class.
    pub class: u32,
}

/// The image files of a folder with a subfolder for each class, in the order of their names, each with the index of its
/// class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassFolders {
    /// Names of the classes: the subfolders, sorted.
    pub classes: Vec<String>,
    /// The images, class by class.
    pub images: Vec<LabelledFile>,
    /// What was passed over, such as links that lead nowhere.
    pub skipped: Vec<Skipped>,
}

impl ClassFolders {
    /// Finds the classes and their images.
    ///
    /// # Errors
    ///
    /// Where the folder can't be read, or has no subfolder with images.
    pub fn find(dir: &Path) -> Result<Self, DataError> {
        let mut classes = Vec::new();
        let mut images = Vec::new();
        let Listing {
            folders,
            mut skipped,
            ..
        } = Listing::of(dir)?;
        for class in folders {
            let files = Listing::of(&class)?;
            let label = classes.len() as u32;
            if !files.images.is_empty() {
                classes.push(name_text(class.file_name().unwrap_or_default()));
            }
            let labelled = |(path, bytes)| LabelledFile {
                path,
                bytes,
                class: label,
            };
            images.extend(files.images.into_iter().map(labelled));
            // Only images count here, not whatever else may be a link.
            let images = files.skipped.into_iter();
            skipped.extend(images.filter(|file| is_image(&file.path)));
        }
        if images.is_empty() {
            return Err(DataError::NoClassFolders {
                dir: dir.to_owned(),
                endings: IMAGE_ENDINGS.join(", "),
            });
        }
        Ok(Self {
            classes,
            images,
            skipped,
        })
    }

    /// Returns which of a network's classes each folder is: the one of its name, where all folders have the names
    /// of classes; else the one of its number; else, where there are as many folders as classes, that
    /// of its place.
    ///
    /// # Errors
    ///
    /// Where none of these holds.
    pub fn class_indices(
        &self,
        names: Option<&Labels>,
        classes: usize,
    ) -> Result<Vec<usize>, DataError> {
        let by_name = |folder: &String| {
            let mut known = names.iter().flat_map(|names| names.iter());
            known.position(|name| name.eq_ignore_ascii_case(folder))
        };
        let by_number = |folder: &String| folder.parse().ok().filter(|&index| index < classes);
        let all = |index: &dyn Fn(&String) -> Option<usize>| -> Option<Vec<usize>> {
            self.classes.iter().map(index).collect()
        };
        let by_place = || (self.classes.len() == classes).then(|| (0..classes).collect());
        all(&by_name)
            .or_else(|| all(&by_number))
            .or_else(by_place)
            .ok_or_else(|| {
                let unknown = self
                    .classes
                    .iter()
                    .filter(|folder| by_name(folder).is_none());
                DataError::UnknownClasses {
                    first: unknown.take(5).cloned().collect::<Vec<_>>().join(", "),
                    folders: self.classes.len(),
                    classes,
                }
            })
    }
}
