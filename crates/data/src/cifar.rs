//! The binary files of CIFAR-10 and CIFAR-100, as <https://www.cs.toronto.edu/~kriz/cifar.html> distributes them.
//!
//! A file is a row of records without a header: one byte of label (CIFAR-10) or two, coarse and fine (CIFAR-100), then
//! 1,024 bytes each of red, green and blue, row by row.

use crate::dataset::CHANNELS;
use crate::{DataError, Dataset, Images, Normalization};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The side of an image, in pixels.
pub(crate) const SIDE: usize = 32;
/// The bytes of an image.
const IMAGE_BYTES: usize = CHANNELS * SIDE * SIDE;

/// The publication that CIFAR-10 and CIFAR-100 ask to be cited.
pub(crate) const CIFAR_CITATION: &str = "Alex Krizhevsky, \"Learning Multiple Layers of Features from Tiny Images\", \
                                         technical report, University of Toronto, 2009";

/// The classes of CIFAR-10, by label.
pub(crate) const CIFAR10_CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

/// One of the two data sets: its files and their layout.
pub(crate) struct Cifar {
    /// The data source's kind, which is also the name to fetch it by.
    pub kind: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// The folder that the archive unpacks to.
    pub folder: &'static str,
    /// The training files.
    pub train: &'static [&'static str],
    /// The test file.
    pub test: &'static [&'static str],
    /// The records of a training file.
    pub train_records: usize,
    /// The records of a test file.
    pub test_records: usize,
    /// The file of class names, one a line.
    pub class_names: &'static str,
    /// The class names to use where that file is missing.
    default_classes: Option<&'static [&'static str]>,
    classes: usize,
    /// The bytes of label ahead of a record's image; the last of them counts.
    label_bytes: usize,
    normalization: Normalization,
}

/// CIFAR-10.
pub(crate) const CIFAR10: Cifar = Cifar {
    kind: "cifar10",
    name: "CIFAR-10",
    folder: "cifar-10-batches-bin",
    train: &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    test: &["test_batch.bin"],
    train_records: 10_000,
    test_records: 10_000,
    class_names: "batches.meta.txt",
    default_classes: Some(&CIFAR10_CLASSES),
    classes: 10,
    label_bytes: 1,
    normalization: Normalization::CIFAR10,
};

/// CIFAR-100 with its fine labels.
pub(crate) const CIFAR100: Cifar = Cifar {
    kind: "cifar100",
    name: "CIFAR-100",
    folder: "cifar-100-binary",
    train: &["train.bin"],
    test: &["test.bin"],
    train_records: 50_000,
    test_records: 10_000,
    class_names: "fine_label_names.txt",
    default_classes: None,
    classes: 100,
    label_bytes: 2,
    normalization: Normalization::CIFAR100,
};

/// Reads the data set from `dir` or from the folder that its archive unpacks to inside it.
pub(crate) fn load(cifar: &Cifar, dir: &Path, source: String) -> Result<Dataset, DataError> {
    let dir = cifar.locate(dir)?;
    Ok(Dataset {
        name: cifar.name.into(),
        source,
        citation: CIFAR_CITATION.into(),
        classes: cifar.read_class_names(&dir)?,
        train: cifar
            .read_split(&dir, cifar.train, cifar.train_records)?
            .into(),
        validation: None,
        test: cifar
            .read_split(&dir, cifar.test, cifar.test_records)?
            .into(),
        normalization: cifar.normalization,
        mosaic: None,
        skipped: Vec::new(),
    })
}

impl Cifar {
    /// Returns the bytes of a file of `records` records.
    pub(crate) const fn file_bytes(&self, records: usize) -> u64 {
        (records * (self.label_bytes + IMAGE_BYTES)) as u64
    }

    /// Returns the folder that has all of the files, or else, for an error to name what is missing, some of them.
    fn locate(&self, dir: &Path) -> Result<PathBuf, DataError> {
        let folders = [dir.to_path_buf(), dir.join(self.folder)];
        let files = || self.train.iter().chain(self.test);
        let whole = folders
            .iter()
            .find(|dir| files().all(|file| dir.join(file).exists()));
        let part = || {
            folders
                .iter()
                .find(|dir| files().any(|file| dir.join(file).exists()))
        };
        whole
            .or_else(part)
            .cloned()
            .ok_or_else(|| DataError::NotThere {
                dataset: self.name,
                kind: self.kind,
                dir: dir.to_path_buf(),
                subfolder: self.folder,
            })
    }

    fn read_split(&self, dir: &Path, files: &[&str], records: usize) -> Result<Images, DataError> {
        let mut pixels = Vec::with_capacity(files.len() * records * IMAGE_BYTES);
        let mut labels = Vec::with_capacity(files.len() * records);
        for file in files {
            let path = dir.join(file);
            let bytes = self.read_file(&path, self.file_bytes(records))?;
            self.parse_records(&path, &bytes, &mut pixels, &mut labels)?;
        }
        Images::new([SIDE, SIDE], pixels, labels, self.classes)
    }

    /// Reads a file that must have `expected` bytes; a larger one isn't read to its end.
    fn read_file(&self, path: &Path, expected: u64) -> Result<Vec<u8>, DataError> {
        let read_error = |source| DataError::Read {
            path: path.to_path_buf(),
            source,
        };
        let size_error = |found| DataError::FileSize {
            path: path.to_path_buf(),
            expected,
            found,
            kind: self.kind,
        };
        let file = File::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => DataError::MissingFile {
                path: path.to_path_buf(),
                expected,
                kind: self.kind,
            },
            _ => read_error(source),
        })?;
        let found = file.metadata().map_err(read_error)?.len();
        if found != expected {
            return Err(size_error(found));
        }
        let mut bytes = Vec::with_capacity(expected as usize);
        file.take(expected)
            .read_to_end(&mut bytes)
            .map_err(read_error)?;
        if bytes.len() as u64 != expected {
            return Err(size_error(bytes.len() as u64)); // it shrank meanwhile
        }
        Ok(bytes)
    }

    /// Appends the pixels and labels of the records of a file.
    fn parse_records(
        &self,
        path: &Path,
        bytes: &[u8],
        pixels: &mut Vec<u8>,
        labels: &mut Vec<u32>,
    ) -> Result<(), DataError> {
        for (record, bytes) in bytes
            .chunks_exact(self.label_bytes + IMAGE_BYTES)
            .enumerate()
        {
            let (label, image) = bytes.split_at(self.label_bytes);
            let label = u32::from(label[self.label_bytes - 1]);
            if label as usize >= self.classes {
                return Err(DataError::RecordLabel {
                    path: path.to_path_buf(),
                    record,
                    label,
                    classes: self.classes,
                    kind: self.kind,
                });
            }
            pixels.extend_from_slice(image);
            labels.push(label);
        }
        Ok(())
    }

    fn read_class_names(&self, dir: &Path) -> Result<Vec<String>, DataError> {
        let path = dir.join(self.class_names);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => {
                return match self.default_classes {
                    Some(classes) if source.kind() == io::ErrorKind::NotFound => {
                        Ok(classes.iter().map(ToString::to_string).collect())
                    }
                    _ => Err(DataError::Read { path, source }),
                };
            }
        };
        // The files end in an empty line.
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let names: Vec<String> = lines.map(String::from).collect();
        if names.len() != self.classes {
            let (expected, found) = (self.classes, names.len());
            return Err(DataError::ClassNames {
                path,
                expected,
                found,
                kind: self.kind,
            });
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Samples;
    use std::fs;
    use tempfile::{TempDir, tempdir};

    /// The layout of a data set with files of few records.
    fn small(cifar: Cifar) -> Cifar {
        Cifar {
            train_records: 4,
            test_records: 2,
            ..cifar
        }
    }

    /// Writes files whose record `r` has label `r % classes` and pixels `r`.
    fn write(cifar: &Cifar) -> TempDir {
        let dir = tempdir().unwrap();
        let files = cifar.train.iter().map(|file| (file, cifar.train_records));
        for (file, records) in files.chain(cifar.test.iter().map(|file| (file, cifar.test_records)))
        {
            let record = |r: usize| {
                let mut record = vec![7; cifar.label_bytes]; // a coarse label, to be passed over
                record[cifar.label_bytes - 1] = (r % cifar.classes) as u8;
                record.extend([r as u8; IMAGE_BYTES]);
                record
            };
            fs::write(
                dir.path().join(file),
                (0..records).flat_map(record).collect::<Vec<u8>>(),
            )
            .unwrap();
        }
        dir
    }

    fn labels(samples: &Samples) -> Vec<u32> {
        (0..samples.len())
            .flat_map(|index| samples.labels(index).to_vec())
            .collect()
    }

    #[test]
    fn cifar10_reads_its_files_in_order() {
        let cifar = small(CIFAR10);
        let dir = write(&cifar);
        let data = load(&cifar, dir.path(), "here".into()).unwrap();
        assert_eq!(labels(&data.train)[..6], [0, 1, 2, 3, 0, 1]);
        assert_eq!((data.train.len(), data.test.len()), (20, 2));
        assert_eq!(data.train.pixels(5).unwrap()[..], [1; IMAGE_BYTES]);
        assert_eq!(data.classes, CIFAR10_CLASSES);
        assert_eq!(data.source, "here");
    }

    #[test]
    fn a_whole_subfolder_is_preferred_to_remains_of_files() {
        let cifar = small(CIFAR10);
        let dir = write(&cifar);
        let whole = write(&cifar);
        fs::remove_file(dir.path().join("data_batch_3.bin")).unwrap();
        fs::rename(whole.path(), dir.path().join("cifar-10-batches-bin")).unwrap();
        assert_eq!(
            load(&cifar, dir.path(), String::new()).unwrap().train.len(),
            20
        );
    }

    #[test]
    fn cifar100_reads_fine_labels_from_the_subfolder() {
        let cifar = small(CIFAR100);
        let dir = write(&cifar);
        let names: String = (0..100).map(|i| format!("class{i}\n")).collect::<String>() + "\n";
        fs::write(dir.path().join("fine_label_names.txt"), names).unwrap();
        let parent = tempdir().unwrap();
        fs::rename(dir.path(), parent.path().join("cifar-100-binary")).unwrap();
        let data = load(&cifar, parent.path(), String::new()).unwrap();
        assert_eq!(labels(&data.train), [0, 1, 2, 3]);
        assert_eq!(data.classes[99], "class99");
    }

    #[test]
    fn canonical_sizes() {
        assert_eq!(CIFAR10.file_bytes(CIFAR10.train_records), 30_730_000);
        assert_eq!(CIFAR100.file_bytes(CIFAR100.train_records), 153_700_000);
        assert_eq!(CIFAR100.file_bytes(CIFAR100.test_records), 30_740_000);
    }

    #[test]
    fn an_empty_folder_names_the_remedy() {
        let dir = tempdir().unwrap();
        let error = load(&CIFAR10, dir.path(), String::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("subfolder `cifar-10-batches-bin`"),
            "{error}"
        );
        assert!(error.contains("`xception data fetch cifar10 "), "{error}");
    }

    #[test]
    fn missing_truncated_and_oversized_files_are_errors() {
        let cifar = small(CIFAR10);
        let dir = write(&cifar);
        let path = dir.path().join("data_batch_3.bin");
        let whole = fs::read(&path).unwrap();
        for wrong in [whole.len() - 1, whole.len() + 1, 0] {
            let mut bytes = whole.clone();
            bytes.resize(wrong, 0);
            fs::write(&path, bytes).unwrap();
            let error = load(&cifar, dir.path(), String::new())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(&format!(
                    "data_batch_3.bin` has {wrong} bytes, expected 12292"
                )),
                "{error}"
            );
        }
        fs::remove_file(&path).unwrap();
        let error = load(&cifar, dir.path(), String::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("data_batch_3.bin` is missing (expected 12292 bytes)"),
            "{error}"
        );
    }

    #[test]
    fn a_label_out_of_range_is_an_error() {
        let cifar = small(CIFAR10);
        let dir = write(&cifar);
        let path = dir.path().join("test_batch.bin");
        let mut bytes = fs::read(&path).unwrap();
        bytes[1 + IMAGE_BYTES] = 10;
        fs::write(&path, bytes).unwrap();
        let error = load(&cifar, dir.path(), String::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("test_batch.bin`, record 1: label 10"),
            "{error}"
        );
    }

    #[test]
    fn class_names_must_be_complete() {
        let cifar = small(CIFAR10);
        let dir = write(&cifar);
        fs::write(dir.path().join("batches.meta.txt"), "one\ntwo\n\n").unwrap();
        let error = load(&cifar, dir.path(), String::new())
            .unwrap_err()
            .to_string();
        assert!(error.contains("names 2 classes, expected 10"), "{error}");
    }
}
