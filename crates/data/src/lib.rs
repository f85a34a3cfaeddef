//! Data sets: where they come from, how they are checked, and how batches are made of them.
//!
//! A [`DataSource`] names a data set and loads it as a [`Dataset`]; [`Batches`] turns one of its splits into augmented,
//! normalized batches of one epoch; [`fetch()`] downloads what isn't there yet. Nothing here knows a tensor library: a
//! [`Batch`] is plain memory in the order `[batch, channel, height, width]`.
//!
//! The [`Samples`] of a split are a finite table, in memory, in files or in shards. Any is read by its index, so an epoch is an order
//! of indices, and can begin anywhere in it.
//!
//! All that is random is a function of the seed, the epoch and the image's index (see [`Augmentation`] and
//! [`Samples::shuffled`]): neither the number of workers, nor the batch size, nor a restart in the middle of an epoch, nor a
//! [`Part`] of each batch for one of several devices changes what happens to an image.

mod archive;
mod augment;
mod batch_maker;
mod batches;
mod cifar;
mod class_folders;
mod content;
mod dataset;
mod describe;
mod embedded;
mod epoch_order;
mod error;
mod fetch;
mod folder;
mod images;
mod keyed_rng;
mod list;
mod listing;
mod mosaic;
mod normalization;
mod prefetch;
mod samples;
mod shards;
mod source;
mod splits;
mod stored;
mod stratified;
mod targets;
mod unpack;

/// The example of the README, which is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use archive::{Archive, Member, Size};
pub use augment::{Augmentation, ColorJitter, ImageKey, RandomResizedCrop};
pub use batches::{Batch, BatchPlan, Batches, Part, num_batches};
pub use class_folders::{ClassFolders, LabelledFile};
pub use dataset::Dataset;
pub use describe::{Description, SplitDescription};
pub use epoch_order::{Order, epoch_order};
pub use error::DataError;
pub use fetch::{Fetched, Progress, fetch};
pub use folder::{folder_preprocessing, training_files};
pub use images::Images;
pub use listing::Skipped;
pub use mosaic::{Mosaic, Mosaics};
pub use normalization::Normalization;
pub use samples::Samples;
pub use source::{DataSource, LoadOptions};
pub use stored::{BrokenImage, StoredImages};
pub use targets::{Mixture, Targets};
