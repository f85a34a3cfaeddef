//! Images that are stored in files, and decoded when a batch asks for them.

mod broken;
mod cache;
mod files;
mod label_table;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use image::RgbImage;
use sha2::{Digest, Sha256};
use xception_images::{DecodeLimits, DecodeOptions, Preprocessing, decode_image};
use xception_messages::with_causes;

use crate::content::{Content, Sample, SampleError};
use crate::dataset::CHANNELS;
use crate::shards::{Shards, streamed_order};
use crate::stratified::{draw, evenly, first};
use crate::{DataError, Normalization, epoch_order};
pub use broken::BrokenImage;
pub(crate) use broken::BrokenImages;
use cache::Cache;
pub(crate) use files::ImageFiles;
pub(crate) use label_table::{LabelSets, LabelTable};

/// Images of any size in files or shards, with a class or a set of classes each: a table, or a choice of its images.
///
/// Clones and parts share the table.
#[derive(Debug, Clone)]
pub struct StoredImages {
    table: Arc<Table>,
    /// The places in the table that are chosen, rising; all where there is no choice.
    choice: Option<Arc<[u32]>>,
    /// The part of the choice that this is.
    range: Range<usize>,
}

#[derive(Debug)]
struct Table {
    storage: Storage,
    labels: LabelTable,
    preprocessing: Preprocessing,
    cache: Cache,
    broken: BrokenImages,
    /// Of the storage and the labels.
    digest: [u8; 32],
}

/// Where the bytes of images are.
#[derive(Debug)]
pub(crate) enum Storage {
    /// A file an image.
    Files(ImageFiles),
    /// Members of tar files.
    Shards(Shards),
}

impl Storage {
    fn len(&self) -> usize {
        match self {
            Self::Files(files) => files.len(),
            Self::Shards(shards) => shards.len(),
        }
    }

    fn digest(&self) -> [u8; 32] {
        match self {
            Self::Files(files) => files.digest(),
            Self::Shards(shards) => shards.digest(),
        }
    }

    fn name(&self, place: usize) -> String {
        match self {
            Self::Files(files) => files.name(place),
            Self::Shards(shards) => shards.name(place),
        }
    }

    fn read(&self, place: usize, limit: u64) -> Result<Vec<u8>, DataError> {
        match self {
            Self::Files(files) => files.read(place, limit),
            Self::Shards(shards) => shards.read(place, limit),
        }
    }
}

impl StoredImages {
    /// Puts a table together, with at most `cache_bytes` bytes of decoded images that stay in memory.
    ///
    /// # Errors
    ///
    /// [`DataError::Images`] where there are more images than can be counted, or labels for another number, and
    /// [`DataError::Preprocessing`] or [`DataError::Scaling`] where images can't be prepared like that.
    pub(crate) fn new(
        storage: Storage,
        labels: LabelTable,
        preprocessing: Preprocessing,
        cache_bytes: usize,
    ) -> Result<Self, DataError> {
        preprocessing.check()?;
        Normalization::of(&preprocessing)?;
        let images = storage.len();
        if images != labels.len() || u32::try_from(images).is_err() {
            let problem = format!("{images} images with {} labels", labels.len());
            return Err(DataError::Images { problem });
        }
        let mut digest = Sha256::new_with_prefix(storage.digest());
        labels.update_digest(&mut digest);
        Ok(Self {
            table: Arc::new(Table {
                cache: Cache::new(images, preprocessing.input_len(), cache_bytes),
                broken: BrokenImages::none_of(images),
                digest: digest.finalize().into(),
                storage,
                labels,
                preprocessing,
            }),
            choice: None,
            range: 0..images,
        })
    }

    /// Returns the number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// Returns the height and width that images are brought to.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.table.preprocessing.size
    }

    /// Returns the number of all classes, where images have sets of them.
    #[must_use]
    pub fn set_classes(&self) -> Option<usize> {
        self.table.labels.set_classes()
    }

    /// Returns an image's classes, rising; one where each image has one class.
    ///
    /// # Panics
    ///
    /// Where `index` isn't below [`len`](Self::len).
    #[must_use]
    pub fn labels(&self, index: usize) -> &[u32] {
        self.table.labels.of(self.place(index))
    }

    /// Returns an image's file, or its shard and member, as text.
    ///
    /// # Panics
    ///
    /// Where `index` isn't below [`len`](Self::len).
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        self.table.storage.name(self.place(index))
    }

    /// Returns the images of a range of indices, which is cut to what there is.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let within = |index: usize| self.range.start + index.min(self.len());
        Self {
            range: within(range.start)..within(range.end).max(within(range.start)),
            ..self.clone()
        }
    }

    /// Returns `count` of the images in their order: the first of each class, in the proportions of the classes; of images with
    /// sets of classes, evenly spaced ones. `None` where `count` is 0 or above [`len`](Self::len).
    #[must_use]
    pub fn limit(&self, count: usize) -> Option<Self> {
        let chosen = match self.strata() {
            Some(strata) => first(&strata, count)?,
            None => evenly(self.len(), count)?,
        };
        Some(self.select(&chosen))
    }

    /// Divides the images in two parts, of which the second has `count` images, drawn at random: always the same ones, in the
    /// proportions of the classes where each image has one class. Both keep their order. `None` where one would be empty.
    #[must_use]
    pub fn split(&self, count: usize) -> Option<(Self, Self)> {
        let strata = self.strata().unwrap_or_else(|| vec![0; self.len()]);
        let (left, drawn) = draw(&strata, count)?;
        Some((self.select(&left), self.select(&drawn)))
    }

    /// Returns each image's class, where it has only one.
    fn strata(&self) -> Option<Vec<u32>> {
        match &self.table.labels {
            LabelTable::Sets(_) => None,
            LabelTable::Classes(_) => {
                Some((0..self.len()).map(|index| self.labels(index)[0]).collect())
            }
        }
    }

    fn select(&self, indices: &[usize]) -> Self {
        let places = indices.iter().map(|&index| self.place(index) as u32);
        Self {
            table: self.table.clone(),
            choice: Some(places.collect()),
            range: 0..indices.len(),
        }
    }

    /// Returns an image's place in the table.
    fn place(&self, index: usize) -> usize {
        assert!(index < self.len(), "image {index} of {}", self.len());
        let index = self.range.start + index;
        match &self.choice {
            Some(places) => places[index] as usize,
            None => index,
        }
    }

    /// Returns the order in which an epoch goes through the images; of shards one that reads few of them at a time.
    pub(crate) fn shuffled(&self, seed: u64, epoch: u64) -> Vec<u32> {
        match &self.table.storage {
            Storage::Files(_) => epoch_order(seed, epoch, self.len() as u32),
            Storage::Shards(shards) => {
                let lens = shards.lens_of((0..self.len()).map(|index| self.place(index)));
                streamed_order(seed, epoch, &lens, shards.shuffle_buffer)
            }
        }
    }

    /// Returns an image, yet to be decoded, with its classes.
    pub(crate) fn sample(&self, index: usize) -> Sample<'_> {
        Sample {
            content: Content::Stored(self.image(index)),
            labels: Cow::Borrowed(self.labels(index)),
        }
    }

    /// Returns an image, yet to be decoded.
    pub(crate) fn image(&self, index: usize) -> StoredImage<'_> {
        StoredImage {
            table: &self.table,
            place: self.place(index),
        }
    }

    /// Returns the count of the table's broken images.
    pub(crate) fn broken(&self) -> &BrokenImages {
        &self.table.broken
    }

    pub(crate) fn update_digest(&self, digest: &mut Sha256) {
        let [height, width] = self.size();
        for number in [height, width, self.len()] {
            digest.update((number as u64).to_le_bytes());
        }
        digest.update(self.table.digest);
        if self.len() < self.table.labels.len() {
            for index in 0..self.len() {
                digest.update((self.place(index) as u32).to_le_bytes());
            }
        }
    }
}

/// An image of a table, not decoded yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredImage<'a> {
    table: &'a Table,
    place: usize,
}

impl<'a> StoredImage<'a> {
    /// Returns what images of the table go through.
    pub(crate) fn preprocessing(&self) -> &'a Preprocessing {
        &self.table.preprocessing
    }

    /// Reads the encoded image.
    pub(crate) fn read(&self) -> Result<Vec<u8>, SampleError> {
        // One byte more is enough for the decoder to refuse what is too large.
        let limit = DecodeLimits::default().max_bytes.saturating_add(1);
        Ok(self.table.storage.read(self.place, limit)?)
    }

    /// Returns where the image is, as text.
    pub(crate) fn name(&self) -> String {
        self.table.storage.name(self.place)
    }

    /// Returns the error for an image that a decoder gives up on.
    pub(crate) fn broken(&self, error: &(dyn std::error::Error + 'static)) -> SampleError {
        SampleError::Broken(BrokenImage {
            name: self.name(),
            reason: with_causes(error),
        })
    }

    /// Returns the pixels, `[3, height, width]`, after all of the preprocessing but the scaling: those that are held in memory, or
    /// decoded now, and then held if there is a place.
    pub(crate) fn pixels(&self) -> Result<Cow<'a, [u8]>, SampleError> {
        let cache = &self.table.cache;
        if let Some(pixels) = cache.get(self.place) {
            return Ok(Cow::Borrowed(pixels));
        }
        let bytes = self.read()?;
        let decode = |name: &str| {
            let image = decode_image(&bytes, name, &DecodeOptions::default())?;
            self.preprocessing().transform(&image)
        };
        // A name costs something, and is wanted in errors alone.
        let image = decode("").or_else(|_| decode(&self.name()));
        let image = image.map_err(|error| self.broken(&error))?;
        Ok(match cache.keep(self.place, planes(&image)) {
            Ok(pixels) => Cow::Borrowed(pixels),
            Err(pixels) => Cow::Owned(pixels),
        })
    }
}

/// Returns an image's red, its green and its blue, `[3, height, width]`.
fn planes(image: &RgbImage) -> Vec<u8> {
    let interleaved = image.as_raw();
    let mut planes = Vec::with_capacity(interleaved.len());
    for channel in 0..CHANNELS {
        planes.extend(interleaved.iter().skip(channel).step_by(CHANNELS));
    }
    planes
}
