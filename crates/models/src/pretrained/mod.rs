//! Weights that others have published for these networks: their addresses, hashes, preprocessing and accuracy, and a
//! cache folder into which they are downloaded.
//!
//! ```no_run
//! use xception_models::pretrained;
//!
//! let loaded = pretrained::load("xception.keras", &burn::prelude::Device::flex())?;
//! println!("{} for images of {:?}", loaded.config.name(), loaded.preprocessing.size);
//! # Ok::<(), pretrained::PretrainedError>(())
//! ```
//!
//! Two environment variables change the source and the destination of downloads: `XCEPTION_MIRROR` (an address that
//! has files of the same names) and `XCEPTION_CACHE` (a folder).

mod cache;
mod error;
mod fetch;
mod load;
mod publication;
mod registry;
mod weights;

pub use cache::cache_dir;
pub use error::PretrainedError;
pub use fetch::{Status, fetch, verify};
pub use load::load;
pub(crate) use publication::{Publication, keras_file, torchvision_file};
pub use registry::WEIGHTS;
pub use weights::{Accuracy, PretrainedWeights, find};
/// The types of downloads.
pub use xception_fetch::{Check, FetchError, File, Progress};
