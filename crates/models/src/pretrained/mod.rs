//! The weights that others have published for these networks: where they are, how they are recognized, what they expect
//! of an image and how well they do; and a cache folder to fetch them into.
//!
//! ```no_run
//! use xception_models::pretrained;
//!
//! let loaded = pretrained::load("xception.keras", &burn::prelude::Device::flex())?;
//! println!("{} for images of {:?}", loaded.config.name(), loaded.preprocessing.size);
//! # Ok::<(), pretrained::PretrainedError>(())
//! ```
//!
//! Two environment variables change where files come from and go to: `XCEPTION_MIRROR` (an address under which the files
//! of the same names lie) and `XCEPTION_CACHE` (a folder).

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
/// What the download is made of.
pub use xception_fetch::{Check, FetchError, File, Progress};
