//! A person's own images, or ImageNet's: a folder with a subfolder for each class.
//!
//! ```text
//! DIR/CLASS/*.jpg                         every tenth image of a class is a test image
//! DIR/train/CLASS/*  DIR/test/CLASS/*     or `val`, `valid`, `validation` for `test`
//! ```
//!
//! Where there is `test` and one of the other three, the latter has validation images. The files are listed when the data set
//! is loaded, and read when a batch asks for them.

use std::path::{Path, PathBuf};

use xception_images::{Filter, Preprocessing, Resize, ResizeMode, Scaling};

use crate::splits::Splits;
use crate::stored::{ImageFiles, LabelTable, Storage};
use crate::stratified::is_tenth;
use crate::{
    ClassFolders, DataError, Dataset, LabelledFile, LoadOptions, Normalization, Skipped,
    StoredImages,
};

/// The kind, as a data source spells it.
pub(crate) const KIND: &str = "folder";

/// Name of the folder of training images.
const TRAIN: &str = "train";
/// Name of the folder of test images.
const TEST: &str = "test";
/// Names of the folder of validation images, of which the first that is there counts.
const VALIDATION: [&str; 3] = ["val", "valid", "validation"];

/// Returns what images of a folder go through where no weights decide it: the shorter side resized, the center
/// cropped, and [-1, 1], as Xception takes them.
pub fn folder_preprocessing(size: usize) -> Preprocessing {
    Preprocessing {
        size: [size, size],
        resize: Resize {
            filter: Filter::Bilinear,
            antialias: true,
            mode: ResizeMode::ShortestSide,
        },
        crop_fraction: 1.0,
        scaling: Scaling::MinusOneToOne,
    }
}

/// The image files of a folder in its splits.
struct Found {
    classes: Vec<String>,
    splits: Splits<Vec<LabelledFile>>,
    /// What is no image that can be read, and is passed over.
    skipped: Vec<Skipped>,
}

impl Found {
    /// Finds the folder's own splits, or holds out images for testing.
    fn find(dir: &Path) -> Result<Self, DataError> {
        let folder = |name: &str| Some(dir.join(name)).filter(|path| path.is_dir());
        let others = VALIDATION.iter().find_map(|name| folder(name));
        let Some((train, splits)) = folder(TRAIN).zip(Splits::named(folder(TEST), others)) else {
            let all = ClassFolders::find(dir)?;
            let (train, test) = hold_out(all.images);
            return Ok(Self {
                classes: all.classes,
                splits: Splits {
                    train,
                    validation: None,
                    test,
                },
                skipped: all.skipped,
            });
        };
        let (test, validation) = splits;
        let train = ClassFolders::find(&train)?;
        let mut skipped = train.skipped;
        let mut of_same_classes = |folder: &Path| {
            let found = ClassFolders::find(folder)?;
            skipped.extend(found.skipped);
            match found.classes == train.classes {
                true => Ok(found.images),
                false => Err(DataError::OtherClasses {
                    dir: dir.to_owned(),
                    train: train.classes.join(", "),
                    test: found.classes.join(", "),
                }),
            }
        };
        let splits = Splits {
            test: of_same_classes(&test)?,
            validation: validation.as_deref().map(of_same_classes).transpose()?,
            train: train.images,
        };
        Ok(Self {
            classes: train.classes,
            splits,
            skipped,
        })
    }
}

/// Returns the files that `folder:DIR` has for training.
///
/// # Errors
///
/// Where the folder can't be read, or has no subfolder with images.
pub fn training_files(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let train = Found::find(dir)?.splits.train.into_iter();
    Ok(train.map(|file| file.path).collect())
}

/// Finds all images of a folder.
pub(crate) fn load(
    dir: &Path,
    source: String,
    options: &LoadOptions,
) -> Result<Dataset, DataError> {
    let Found {
        classes,
        splits,
        skipped,
    } = Found::find(dir)?;
    if classes.len() < 2 || splits.test.is_empty() || splits.train.is_empty() {
        return Err(DataError::TooFewClasses {
            dir: dir.to_owned(),
            classes: classes.len(),
            train: splits.train.len(),
            test: splits.test.len(),
        });
    }
    let stored = |files: Vec<LabelledFile>, cache_bytes| {
        let labels = files.iter().map(|file| file.class).collect();
        let mut table = ImageFiles::default();
        for file in &files {
            table.push(dir, &file.path, file.bytes);
        }
        let (storage, labels) = (Storage::Files(table), LabelTable::Classes(labels));
        StoredImages::new(storage, labels, options.preprocessing, cache_bytes)
    };
    let splits = splits.store(options.cache_bytes, Vec::len, stored)?;
    Ok(Dataset {
        name: dir
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        source,
        citation: String::new(),
        train: splits.train.into(),
        validation: splits.validation.map(Into::into),
        test: splits.test.into(),
        classes,
        normalization: Normalization::of(&options.preprocessing)?,
        mosaic: None,
        skipped,
    })
}

/// Returns the images to train with, and every tenth of each class for testing.
fn hold_out(images: Vec<LabelledFile>) -> (Vec<LabelledFile>, Vec<LabelledFile>) {
    let labels: Vec<u32> = images.iter().map(|image| image.class).collect();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (image, is_test) in images.into_iter().zip(is_tenth(&labels)) {
        if is_test { &mut test } else { &mut train }.push(image);
    }
    (train, test)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use image::RgbImage;
    use xception_images::Labels;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn broken_links_are_skipped_and_kept_for_the_program_to_tell() {
        use std::os::unix::fs::symlink;

        let dir = folder(&[("cat", 3), ("dog", 3)]);
        let path = |name: &str| dir.path().join(name);
        symlink(path("missing"), path("cat/a.png")).unwrap();
        symlink(path("missing"), path("cat/notes")).unwrap();
        symlink(dir.path(), path("dog/up")).unwrap();
        symlink(path("missing"), path("eel")).unwrap();
        symlink(dir.path(), path("up")).unwrap();
        let data = loaded(dir.path()).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (4, 2));
        let skipped: Vec<_> = data.skipped.iter().map(|file| file.path.clone()).collect();
        assert_eq!(skipped, ["eel", "up", "cat/a.png"].map(path));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn classes_whose_names_are_no_text_stay_apart() {
        use std::os::unix::ffi::OsStrExt;

        let dir = folder(&[("one", 2), ("two", 2)]);
        for (from, to) in [("one", b"caf\xe8"), ("two", b"caf\xe9")] {
            let to = dir.path().join(std::ffi::OsStr::from_bytes(to));
            fs::rename(dir.path().join(from), to).unwrap();
        }
        assert_eq!(
            loaded(dir.path()).unwrap().classes,
            ["caf\\xE8", "caf\\xE9"]
        );
    }

    fn folder(classes: &[(&str, u32)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (class, count) in classes {
            let class = dir.path().join(class);
            fs::create_dir_all(&class).unwrap();
            for index in 0..*count {
                let pixel = image::Rgb([index as u8, 100, 200]);
                let image = RgbImage::from_pixel(12, 9, pixel);
                image.save(class.join(format!("{index:02}.png"))).unwrap();
            }
            fs::write(class.join("notes.txt"), "").unwrap();
        }
        dir
    }

    fn loaded(dir: &Path) -> Result<Dataset, DataError> {
        load(
            dir,
            "folder:x".into(),
            &LoadOptions::new(folder_preprocessing(8)),
        )
    }

    #[test]
    fn holds_every_tenth_image_out() {
        let dir = folder(&[("cat", 20), ("dog", 3), ("empty", 0)]);
        let data = loaded(dir.path()).unwrap();
        assert_eq!(data.classes, ["cat", "dog"]);
        assert_eq!((data.train.len(), data.test.len()), (20, 3));
        assert_eq!([0, 1, 2].map(|index| data.test.labels(index)[0]), [0, 0, 1]);
        let pixels = data.test.pixels(0).unwrap();
        assert_eq!(pixels[..3], [9, 9, 9]);
        assert_eq!(pixels[64..66], [100, 100]);
        assert_eq!(data.normalization.mean, [0.5; 3]);
    }

    #[test]
    fn takes_a_split_that_is_there() {
        let dir = folder(&[("train/a", 2), ("train/b", 2), ("val/a", 1), ("val/b", 3)]);
        let data = loaded(dir.path()).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (4, 4));
        fs::remove_dir_all(dir.path().join("val/b")).unwrap();
        let error = loaded(dir.path()).unwrap_err().to_string();
        assert!(error.contains("a, b"), "{error}");
    }

    #[test]
    fn folders_are_classes_by_name_number_or_place() {
        let indices = |folders: &[&str], classes: usize| {
            let found = ClassFolders {
                classes: folders.iter().map(|name| (*name).to_owned()).collect(),
                images: Vec::new(),
                skipped: Vec::new(),
            };
            let names = Labels::parse("owl\ncat\ndog");
            found.class_indices(Some(&names), classes)
        };
        assert_eq!(indices(&["Dog", "owl"], 3).unwrap(), [2, 0]);
        assert_eq!(indices(&["0", "2"], 3).unwrap(), [0, 2]);
        assert_eq!(indices(&["n01", "n02", "n03"], 3).unwrap(), [0, 1, 2]);
        let error = indices(&["cat", "fox"], 3).unwrap_err().to_string();
        assert!(error.contains("fox") && error.contains('3'), "{error}");
        assert!(indices(&["0", "3"], 3).is_err());
    }

    #[test]
    fn what_is_no_such_folder_is_an_error() {
        let dir = folder(&[("only", 3)]);
        let error = loaded(dir.path()).unwrap_err().to_string();
        assert!(error.contains("1 class"), "{error}");
        let dir = folder(&[]);
        let error = loaded(dir.path()).unwrap_err().to_string();
        assert!(error.contains("subfolder"), "{error}");
    }
}
