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
        "unknown data source `{given}`: expected `embedded`, `cifar10:DIR`, `cifar100:DIR`, `folder:DIR`, `list:FILE` or `shards:DIR`{}",
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

    /// A data source that reads a file names none.
    #[error(
        "data source `{kind}` names no file: write `{kind}:FILE`, with FILE the list of the images"
    )]
    NoFile {
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

    /// Too many images that can't be decoded.
    #[error(
        "{count} of {images} images are broken, more than the {allowed} that are passed over: repair or remove them; the last: \
         {last}"
    )]
    BrokenImages {
        /// How many were met.
        count: usize,
        /// How many images there are.
        images: usize,
        /// How many may be broken.
        allowed: usize,
        /// The last one, with causes.
        last: String,
    },

    /// A shard that is damaged, or a sample of it that can't be taken.
    #[error(
        "`{}`{} at byte {offset}: {problem}",
        shard.display(),
        member.as_ref().map(|member| format!(", member `{member}`,")).unwrap_or_default()
    )]
    Shard {
        /// The shard.
        shard: PathBuf,
        /// The member, where it is known.
        member: Option<String>,
        /// Where in the shard, in bytes.
        offset: u64,
        /// The problem.
        problem: String,
    },

    /// A shard whose name doesn't say what it is for.
    #[error(
        "the name of `{}` doesn't say whether it is for training or for testing: have `train`, `val` or `test` in all names, or put \
         the shards into folders of these names",
        shard.display()
    )]
    ShardWithoutSplit {
        /// The shard.
        shard: PathBuf,
    },

    /// A folder without shards for training or for testing.
    #[error(
        "`{}` lacks shards for training or for testing: `.tar` files with `train`, and with `val` or `test`, in their names or \
         in those of their folders",
        dir.display()
    )]
    NoShards {
        /// The folder.
        dir: PathBuf,
    },

    /// A row of a list of images that can't be taken.
    #[error("`{}`, line {line}: {problem}", path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The problem.
        problem: String,
    },

    /// A batch to train on of which no image can be decoded.
    #[error("all images of batch {number} are broken: remove them, or raise recipe.batch_size")]
    EmptyBatch {
        /// The batch's place in its epoch, from 0.
        number: usize,
    },

    /// Training images were to be held back from a data set that has validation images of its own.
    #[error(
        "the data has {images} validation images of its own: leave data.validation_images out, or the images from the data"
    )]
    OwnValidation {
        /// The number of validation images.
        images: usize,
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

    /// Mosaics of images that have sets of classes themselves.
    #[error(
        "mosaics are made of images with one class each, and these have sets of classes: leave data.mosaic out"
    )]
    MosaicOfSets,

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

    /// A part of batches that there isn't.
    #[error(
        "part {index} of {of} parts of a batch: give a number from 0 to below that of the parts"
    )]
    Part {
        /// The part's place.
        index: usize,
        /// The number of parts.
        of: usize,
    },

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
