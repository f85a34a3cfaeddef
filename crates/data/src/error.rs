//! What can go wrong with data, with the values seen and the way out.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use xception_fetch::FetchError;
use xception_images::PreprocessingError;

/// An error of the data module.
///
/// The display text holds the cause, the values and the remedy; an error of the operating system or of a decoder is the
/// `source`, for the program to append.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// A data source is spelled in a way that isn't known.
    #[error(
        "unknown data source `{given}`: expected `embedded`, `cifar10:DIR`, `cifar100:DIR` or `folder:DIR`{}",
        hint.as_ref().map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default()
    )]
    UnknownSource {
        /// The text given.
        given: String,
        /// The nearest valid spelling, where one is near.
        hint: Option<String>,
    },

    /// A data source that reads a folder names none.
    #[error(
        "data source `{kind}` names no folder: write `{kind}:DIR`, with DIR the folder that holds the files"
    )]
    NoFolder {
        /// The data source's kind.
        kind: &'static str,
    },

    /// A folder of images has no subfolder with images.
    #[error(
        "`{}` has no subfolder with images: make one for each class, with files that end in {endings}",
        dir.display()
    )]
    NoClassFolders {
        /// The folder.
        dir: PathBuf,
        /// What images end in.
        endings: String,
    },

    /// Folders that are none of a network's classes.
    #[error(
        "the network has {classes} classes, and none for the subfolders {first}: name the {folders} subfolders \
         like classes or with their indices, or give the names of all classes with --labels"
    )]
    UnknownClasses {
        /// Some of the folders.
        first: String,
        /// How many folders there are.
        folders: usize,
        /// How many classes the network has.
        classes: usize,
    },

    /// The training and the test images of a folder have other classes.
    #[error(
        "`{}` has training images of {train} but test images of {test}: give both the same subfolders",
        dir.display()
    )]
    OtherClasses {
        /// The folder.
        dir: PathBuf,
        /// Classes of the training images.
        train: String,
        /// Classes of the test images.
        test: String,
    },

    /// Too little to learn from.
    #[error(
        "`{}` gives {classes} class{} with {train} training and {test} test images: at least two classes with two \
         images each are needed",
        dir.display(), if *classes == 1 { "" } else { "es" }
    )]
    TooFewClasses {
        /// The folder.
        dir: PathBuf,
        /// Classes found.
        classes: usize,
        /// Training images found.
        train: usize,
        /// Test images found.
        test: usize,
    },

    /// Images of a folder can't be read.
    #[error("{count} of {total} images can't be read; repair or remove them: {first}")]
    UnreadableImages {
        /// How many can't be read.
        count: usize,
        /// How many there are.
        total: usize,
        /// The first five, with causes.
        first: String,
    },

    /// An option of the augmentation is out of its range.
    #[error("`data.augmentation.{option}` is {found}, but has to be {expected}")]
    Augmentation {
        /// The option's name.
        option: String,
        /// Its value.
        found: String,
        /// The values that are allowed.
        expected: String,
    },

    /// Images that no mosaic can be made of.
    #[error(
        "mosaics of {grid} x {grid} images with {labels} classes can't be made of {images} images with {classes} classes with \
         an image: lower data.mosaic.grid or data.mosaic.labels"
    )]
    Mosaic {
        /// Images in a row and in a column.
        grid: usize,
        /// Classes of a mosaic.
        labels: usize,
        /// The images there are.
        images: usize,
        /// The classes that have an image.
        classes: usize,
    },

    /// More pixels than are held in memory.
    #[error(
        "{images} images of {} x {} pixels are {bytes} bytes, more than the {limit} that are held: lower data.image_size",
        size[0], size[1]
    )]
    TooManyPixels {
        /// Number of images.
        images: usize,
        /// Height and width.
        size: [usize; 2],
        /// Bytes of their pixels.
        bytes: usize,
        /// The most that is held.
        limit: usize,
    },

    /// Images in Caffe's channel order, which training doesn't make.
    #[error("images can't be trained on in the channel order blue, green, red")]
    Scaling,

    /// None of a data set's files is where they were looked for.
    #[error(
        "no {dataset} binary files in `{}` or its subfolder `{subfolder}`: give the folder that holds them, or run \
         `xception data fetch {kind} {}`",
        dir.display(), dir.display()
    )]
    NotThere {
        /// The data set's name.
        dataset: &'static str,
        /// The data source's kind, which is also the name to fetch it by.
        kind: &'static str,
        /// The folder looked into.
        dir: PathBuf,
        /// The subfolder looked into as well.
        subfolder: &'static str,
    },

    /// A file of a data set is missing where others are.
    #[error(
        "`{}` is missing (expected {expected} bytes): copy it there, or run `xception data fetch {kind} DIR`",
        path.display()
    )]
    MissingFile {
        /// The file.
        path: PathBuf,
        /// The size that the format prescribes.
        expected: u64,
        /// The name to fetch the data set by.
        kind: &'static str,
    },

    /// A file of a data set is of the wrong size.
    #[error(
        "`{}` has {found} bytes, expected {expected}: it is damaged or belongs to another data set; delete it and run \
         `xception data fetch {kind} DIR`",
        path.display()
    )]
    FileSize {
        /// The file.
        path: PathBuf,
        /// The size that the format prescribes.
        expected: u64,
        /// The size found.
        found: u64,
        /// The name to fetch the data set by.
        kind: &'static str,
    },

    /// A record holds a label that names no class.
    #[error(
        "`{}`, record {record}: label {label} is not below the number of classes, {classes}; the file is damaged or \
         belongs to another data set; delete it and run `xception data fetch {kind} DIR`",
        path.display()
    )]
    RecordLabel {
        /// The file.
        path: PathBuf,
        /// The record's number, from 0.
        record: usize,
        /// The label found.
        label: u32,
        /// The number of classes.
        classes: usize,
        /// The name to fetch the data set by.
        kind: &'static str,
    },

    /// A file of class names holds the wrong number of them.
    #[error(
        "`{}` names {found} classes, expected {expected}, one a line: delete it and run `xception data fetch {kind} DIR`",
        path.display()
    )]
    ClassNames {
        /// The file.
        path: PathBuf,
        /// The number of classes of the data set.
        expected: usize,
        /// The number of names found.
        found: usize,
        /// The name to fetch the data set by.
        kind: &'static str,
    },

    /// Images were put together from parts that don't fit.
    #[error("inconsistent images: {problem}")]
    Images {
        /// What doesn't fit, with the values.
        problem: String,
    },

    /// An image sheet built into the program doesn't decode to what it must hold.
    #[error(
        "the built-in sheet `{sheet}` is unusable: {problem}; the program is damaged, install it again"
    )]
    Sheet {
        /// The sheet's file name.
        sheet: &'static str,
        /// The problem.
        problem: String,
    },

    /// A number of images was asked for that the split can't give.
    #[error(
        "{asked} {split} images asked for: give a number from 1 to {available}, the size of the split"
    )]
    Limit {
        /// `training` or `test`.
        split: &'static str,
        /// The number asked for.
        asked: usize,
        /// The number there is.
        available: usize,
    },

    /// Batches of no image were asked for.
    #[error("batch size 0: give a batch size of at least 1")]
    BatchSize,

    /// An epoch was to be resumed behind its end.
    #[error(
        "batch {start} to start at, of an epoch of {batches} batches: give a number from 0 to {batches}"
    )]
    StartBatch {
        /// The batch to start at.
        start: usize,
        /// The number of batches of the epoch.
        batches: usize,
    },

    /// The crop of the augmentation may miss the image.
    #[error(
        "crop padding {padding} with images of {height}x{width} pixels: give a padding below {}, the shorter side, or a \
         crop can miss the image",
        height.min(width)
    )]
    CropPadding {
        /// The padding given.
        padding: usize,
        /// The images' height.
        height: usize,
        /// The images' width.
        width: usize,
    },

    /// Images can't be prepared like that.
    #[error(transparent)]
    Preprocessing(#[from] PreprocessingError),

    /// The operating system gave no thread for preparing batches.
    #[error(
        "can't start data worker {worker} of {workers}: set fewer workers, or 0 to prepare batches without any"
    )]
    Worker {
        /// The worker's number, from 1.
        worker: usize,
        /// The number of workers asked for.
        workers: usize,
        /// The operating system's error.
        source: io::Error,
    },

    /// A file or folder can't be read.
    #[error("can't read `{}`: check that it exists and that you may read it", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// A file or folder can't be written.
    #[error("can't write `{}`: check the free space and that you may write there", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// There is no archive of this name.
    #[error("unknown data set `{given}`: those that can be fetched are {known}")]
    UnknownArchive {
        /// The name given.
        given: String,
        /// The names there are.
        known: String,
    },

    /// A download or its check fails.
    #[error(transparent)]
    Fetch(#[from] FetchError),

    /// The archive can't be unpacked.
    #[error("can't unpack `{}`: delete it and run this again", path.display())]
    Unpack {
        /// The archive.
        path: PathBuf,
        /// The decoder's error.
        source: io::Error,
    },

    /// An archive holds an entry that must not be unpacked.
    #[error("`{}` holds the entry `{entry}`, which {problem}: nothing of it was unpacked; delete the archive", path.display())]
    Entry {
        /// The archive.
        path: PathBuf,
        /// The entry's path.
        entry: String,
        /// The problem.
        problem: String,
    },

    /// An archive lacks a file.
    #[error("`{}` lacks `{member}`: nothing of it was unpacked; delete the archive", path.display())]
    MissingMember {
        /// The archive.
        path: PathBuf,
        /// The file missing.
        member: String,
    },
}
