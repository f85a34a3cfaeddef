//! The names of data sets: where a run's data comes from, as one string.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use xception_images::Preprocessing;

use crate::cifar::{self, CIFAR10, CIFAR100, SIDE};
use crate::{DataError, Dataset, embedded, folder, folder_preprocessing, list, shards};
use xception_messages::nearest;

/// How images of any size, as those of a folder, are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadOptions {
    /// What they go through.
    pub preprocessing: Preprocessing,
    /// The most bytes of decoded images that stay in memory from epoch to epoch.
    pub cache_bytes: usize,
    /// The samples that the order of shards is mixed over: see [`DataSource::Shards`].
    pub shuffle_buffer: usize,
}

impl LoadOptions {
    /// The bytes of decoded images that stay in memory unless told otherwise: 2 GiB.
    pub const CACHE_BYTES: usize = 2 << 30;
    /// The samples that the order of shards is mixed over unless told otherwise.
    pub const SHUFFLE_BUFFER: usize = 10_000;

    /// Images that go through this preprocessing.
    #[must_use]
    pub fn new(preprocessing: Preprocessing) -> Self {
        Self {
            preprocessing,
            cache_bytes: Self::CACHE_BYTES,
            shuffle_buffer: Self::SHUFFLE_BUFFER,
        }
    }
}

/// Where data comes from. In configurations and on the command line it is one string: `embedded`, `cifar10:DIR`,
/// `cifar100:DIR`, `folder:DIR`, `list:FILE` or `shards:DIR`.
///
/// ```
/// use xception_data::{DataError, DataSource};
///
/// let source: DataSource = "embedded".parse()?;
/// let dataset = source.load()?;
/// assert_eq!(dataset.classes[dataset.train.labels(3)[0] as usize], "cat");
/// # Ok::<(), DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataSource {
    /// The 2,000 training and 1,000 test images of CIFAR-10 that are built into the program.
    Embedded,
    /// CIFAR-10, from its binary files in a folder or its subfolder `cifar-10-batches-bin`.
    Cifar10(PathBuf),
    /// CIFAR-100 with its 100 fine labels, from its binary files in a folder or its subfolder `cifar-100-binary`.
    Cifar100(PathBuf),
    /// A person's own images, in a folder with a subfolder for each class.
    Folder(PathBuf),
    /// Images that a CSV or JSON Lines file lists with a class or a set of classes each.
    List(PathBuf),
    /// Images in tar files, in the layout of WebDataset. An epoch goes through the shards in a random order, and through their
    /// samples in one that is mixed by a shuffle buffer.
    Shards(PathBuf),
}

/// The kind that needs no folder, as it is spelled.
const EMBEDDED: &str = "embedded";
/// All kinds, for hints.
const KINDS: [&str; 6] = [
    EMBEDDED,
    CIFAR10.kind,
    CIFAR100.kind,
    folder::KIND,
    list::KIND,
    shards::KIND,
];

impl DataSource {
    /// Loads the data set, with images of a folder at 299 x 299 pixels: see [`load_as`](Self::load_as).
    ///
    /// # Errors
    ///
    /// [`DataError`] where files are missing, of the wrong size or damaged.
    pub fn load(&self) -> Result<Dataset, DataError> {
        self.load_as(&LoadOptions::new(folder_preprocessing(299)))
    }

    /// Loads the data set. Those whose images have a size of their own are read into memory and checked; of the others, the
    /// images are found, and read and decoded when a batch asks for them.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_as(&self, options: &LoadOptions) -> Result<Dataset, DataError> {
        match self {
            Self::Embedded => embedded::load(self.to_string()),
            Self::Cifar10(dir) => cifar::load(&CIFAR10, dir, self.to_string()),
            Self::Cifar100(dir) => cifar::load(&CIFAR100, dir, self.to_string()),
            Self::Folder(dir) => folder::load(dir, self.to_string(), options),
            Self::List(file) => list::load(file, self.to_string(), options),
            Self::Shards(dir) => shards::load(dir, self.to_string(), options),
        }
    }

    /// Returns the height and width of the images where the data set decides them; `None` where images are brought to the size
    /// that is asked for.
    #[must_use]
    pub fn image_size(&self) -> Option<[usize; 2]> {
        match self {
            Self::Embedded | Self::Cifar10(_) | Self::Cifar100(_) => Some([SIDE; 2]),
            Self::Folder(_) | Self::List(_) | Self::Shards(_) => None,
        }
    }

    /// Returns whether the data set may have validation images of its own.
    #[must_use]
    pub fn may_have_validation(&self) -> bool {
        matches!(self, Self::Folder(_) | Self::List(_) | Self::Shards(_))
    }

    /// Returns whether its images may have sets of classes.
    #[must_use]
    pub fn may_have_sets(&self) -> bool {
        matches!(self, Self::List(_) | Self::Shards(_))
    }

    /// Returns the kind, as it is spelled, and the folder or file.
    fn parts(&self) -> (&'static str, Option<&PathBuf>) {
        match self {
            Self::Embedded => (EMBEDDED, None),
            Self::Cifar10(dir) => (CIFAR10.kind, Some(dir)),
            Self::Cifar100(dir) => (CIFAR100.kind, Some(dir)),
            Self::Folder(dir) => (folder::KIND, Some(dir)),
            Self::List(file) => (list::KIND, Some(file)),
            Self::Shards(dir) => (shards::KIND, Some(dir)),
        }
    }
}

impl FromStr for DataSource {
    type Err = DataError;

    fn from_str(given: &str) -> Result<Self, DataError> {
        let (kind, dir) = match given.split_once(':') {
            Some((kind, dir)) => (kind, Some(dir)),
            None => (given, None),
        };
        let in_folder = |kind| match dir {
            None | Some("") if kind == list::KIND => Err(DataError::NoFile { kind }),
            None | Some("") => Err(DataError::NoFolder { kind }),
            Some(dir) => Ok(PathBuf::from(dir)),
        };
        match (kind, dir) {
            (EMBEDDED, None) => Ok(Self::Embedded),
            (kind, _) if kind == CIFAR10.kind => in_folder(CIFAR10.kind).map(Self::Cifar10),
            (kind, _) if kind == CIFAR100.kind => in_folder(CIFAR100.kind).map(Self::Cifar100),
            (folder::KIND, _) => in_folder(folder::KIND).map(Self::Folder),
            (list::KIND, _) => in_folder(list::KIND).map(Self::List),
            (shards::KIND, _) => in_folder(shards::KIND).map(Self::Shards),
            _ => Err(DataError::UnknownSource {
                given: given.into(),
                hint: hint(kind, dir),
            }),
        }
    }
}

/// Returns the valid spelling nearest to the given one, if one is near.
fn hint(kind: &str, dir: Option<&str>) -> Option<String> {
    let plain: String = kind
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    let nearest = nearest(&plain, KINDS)?;
    Some(match (nearest, dir) {
        (EMBEDDED, _) => nearest.into(),
        (list::KIND, None | Some("")) => format!("{nearest}:FILE"),
        (_, None | Some("")) => format!("{nearest}:DIR"),
        (_, Some(dir)) => format!("{nearest}:{dir}"),
    })
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (kind, None) => f.write_str(kind),
            (kind, Some(dir)) => write!(f, "{kind}:{}", dir.display()),
        }
    }
}

impl JsonSchema for DataSource {
    fn schema_name() -> Cow<'static, str> {
        "DataSource".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let [embedded, folders @ ..] = KINDS;
        let pattern = format!("^({embedded}|({}):.+)$", folders.join("|"));
        json_schema!({"type": "string", "pattern": pattern})
    }
}

impl Serialize for DataSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let (_, Some(dir)) = self.parts()
            && dir.to_str().is_none()
        {
            let problem = format!(
                "the folder `{}` isn't valid UTF-8 and can't be recorded",
                dir.display()
            );
            return Err(ser::Error::custom(problem));
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DataSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(given: &str) -> String {
        given.parse::<DataSource>().unwrap_err().to_string()
    }

    #[test]
    fn valid_spellings_round_trip() {
        for (text, source) in [
            ("embedded", DataSource::Embedded),
            ("cifar10:some dir", DataSource::Cifar10("some dir".into())),
            ("cifar100:C:\\data", DataSource::Cifar100("C:\\data".into())),
        ] {
            assert_eq!(text.parse::<DataSource>().unwrap(), source);
            assert_eq!(source.to_string(), text);
            let json = serde_json::to_string(&source).unwrap();
            assert_eq!(serde_json::from_str::<DataSource>(&json).unwrap(), source);
        }
    }

    #[test]
    fn invalid_spellings_list_the_valid_ones() {
        assert_eq!(
            error("cifra10:data"),
            "unknown data source `cifra10:data`: expected `embedded`, `cifar10:DIR`, `cifar100:DIR`, `folder:DIR`, `list:FILE` or `shards:DIR`; did you mean \
             `cifar10:data`?"
        );
        assert!(error("CIFAR-100").ends_with("did you mean `cifar100:DIR`?"));
        assert!(error("embedded:data").ends_with("did you mean `embedded`?"));
        assert!(error("imagenet:x").ends_with("or `shards:DIR`"));
        assert!(error("").ends_with("or `shards:DIR`"));
        assert!(error("cifar10:").starts_with("data source `cifar10` names no folder"));
        assert!(error("cifar100").starts_with("data source `cifar100` names no folder"));
        assert!(error("list:").starts_with("data source `list` names no file"));
        assert!(error("lists").ends_with("did you mean `list:FILE`?"));
    }
}
