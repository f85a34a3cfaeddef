//! A person's own images: a folder with a subfolder for each class.
//!
//! ```text
//! DIR/CLASS/*.jpg                         every tenth image of a class is a test image
//! DIR/train/CLASS/*  DIR/test/CLASS/*     or `val`, `valid`, `validation` for `test`
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use xception_images::{
    DecodeOptions, Filter, Preprocessing, Resize, ResizeMode, Scaling, read_image,
};
use xception_messages::with_causes;

use crate::dataset::CHANNELS;
use crate::{ClassFolders, DataError, Dataset, Images, Normalization, Skipped};

/// The kind, as a data source spells it.
pub(crate) const KIND: &str = "folder";

/// One image in so many is a test image where the folder has no split of its own.
const TEST_SHARE: usize = 10;
/// Names of the folder of training images.
const TRAIN: &str = "train";
/// Names of the folder of test images, the first that is there.
const TEST: [&str; 4] = ["test", "val", "valid", "validation"];
/// The most bytes of pixels that are held.
const MAX_BYTES: usize = 16 << 30;

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

/// The image files of a folder in two splits.
struct Split {
    classes: Vec<String>,
    train: Vec<Labelled>,
    test: Vec<Labelled>,
    /// What is no image that can be read, and is passed over.
    skipped: Vec<Skipped>,
}

impl Split {
    /// Finds the folder's own splits, or holds out images for testing.
    fn find(dir: &Path) -> Result<Self, DataError> {
        let own = TEST
            .iter()
            .map(|name| dir.join(name))
            .find(|path| path.is_dir());
        let (train, test) = match (dir.join(TRAIN), own) {
            (train, Some(test)) if train.is_dir() => {
                (ClassFolders::find(&train)?, ClassFolders::find(&test)?)
            }
            _ => {
                let all = ClassFolders::find(dir)?;
                let (train, test) = hold_out(all.images);
                return Ok(Self {
                    classes: all.classes,
                    train,
                    test,
                    skipped: all.skipped,
                });
            }
        };
        if train.classes != test.classes {
            return Err(DataError::OtherClasses {
                dir: dir.to_owned(),
                train: train.classes.join(", "),
                test: test.classes.join(", "),
            });
        }
        Ok(Self {
            classes: train.classes,
            train: train.images,
            test: test.images,
            skipped: [train.skipped, test.skipped].concat(),
        })
    }
}

/// Returns the files that `folder:DIR` has for training.
///
/// # Errors
///
/// Where the folder can't be read, or has no subfolder with images.
pub fn training_files(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let train = Split::find(dir)?.train.into_iter();
    Ok(train.map(|(file, _)| file).collect())
}

/// Reads all images of a folder, prepared for a network but for the scaling of pixels.
pub(crate) fn load(
    dir: &Path,
    source: String,
    preprocessing: &Preprocessing,
) -> Result<Dataset, DataError> {
    let normalization = Normalization::of(preprocessing)?;
    let Split {
        classes,
        train,
        test,
        skipped,
    } = Split::find(dir)?;
    if classes.len() < 2 || test.is_empty() || train.is_empty() {
        return Err(DataError::TooFewClasses {
            dir: dir.to_owned(),
            classes: classes.len(),
            train: train.len(),
            test: test.len(),
        });
    }
    let read = |files| read_all(files, classes.len(), preprocessing).map(Arc::new);
    Ok(Dataset {
        name: dir
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        source,
        citation: String::new(),
        train: read(&train)?,
        validation: None,
        test: read(&test)?,
        classes,
        normalization,
        mosaics: None,
        skipped,
    })
}

/// An image and its class.
type Labelled = (PathBuf, u32);

/// Returns every tenth image of each class for testing, the last of each ten; of fewer than ten the last, unless
/// it is the only one.
fn hold_out(images: Vec<Labelled>) -> (Vec<Labelled>, Vec<Labelled>) {
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for class in images.chunk_by(|a, b| a.1 == b.1) {
        let fewer = class.len() < TEST_SHARE;
        for (index, image) in class.iter().enumerate() {
            let last = match fewer {
                true => class.len() > 1 && index + 1 == class.len(),
                false => (index + 1) % TEST_SHARE == 0,
            };
            if last { &mut test } else { &mut train }.push(image.clone());
        }
    }
    (train, test)
}

fn read_all(
    files: &[Labelled],
    classes: usize,
    preprocessing: &Preprocessing,
) -> Result<Images, DataError> {
    let [height, width] = preprocessing.size;
    let length = CHANNELS * height * width;
    let bytes = files.len().saturating_mul(length);
    if bytes > MAX_BYTES {
        return Err(DataError::TooManyPixels {
            images: files.len(),
            size: preprocessing.size,
            bytes,
            limit: MAX_BYTES,
        });
    }
    let mut pixels = vec![0; bytes];
    let failed: Vec<_> = pixels
        .par_chunks_mut(length)
        .zip(files)
        .filter_map(|(planes, (file, _))| {
            let image = read_image(file, &DecodeOptions::default());
            let image = image.and_then(|image| preprocessing.transform(&image));
            match image {
                Ok(image) => {
                    for (index, byte) in image.as_raw().iter().enumerate() {
                        planes[(index % CHANNELS) * height * width + index / CHANNELS] = *byte;
                    }
                    None
                }
                Err(error) => Some(with_causes(&error)),
            }
        })
        .collect();
    if !failed.is_empty() {
        return Err(DataError::UnreadableImages {
            count: failed.len(),
            total: files.len(),
            first: failed.into_iter().take(5).collect::<Vec<_>>().join("; "),
        });
    }
    let labels = files.iter().map(|(_, label)| *label).collect();
    Images::new(preprocessing.size, pixels, labels, classes)
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
        load(dir, "folder:x".into(), &folder_preprocessing(8))
    }

    #[test]
    fn holds_every_tenth_image_out() {
        let dir = folder(&[("cat", 20), ("dog", 3), ("empty", 0)]);
        let data = loaded(dir.path()).unwrap();
        assert_eq!(data.classes, ["cat", "dog"]);
        assert_eq!((data.train.len(), data.test.len()), (20, 3));
        assert_eq!(data.test.labels(), [0, 0, 1]);
        assert_eq!(data.test.image(0)[..3], [9, 9, 9]);
        assert_eq!(data.test.image(0)[64..66], [100, 100]);
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
        let dir = folder(&[("a", 2), ("b", 2)]);
        fs::write(dir.path().join("a/broken.png"), "no").unwrap();
        let error = loaded(dir.path()).unwrap_err().to_string();
        assert!(error.contains("broken.png"), "{error}");
    }
}
