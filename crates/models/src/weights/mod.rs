//! Weights from and to files, with what has to come with them.
//!
//! [`load`] tells a file's format and network by its content:
//!
//! - safetensors, and PyTorch checkpoints of any age, of timm's `legacy_xception`, its older form
//!   by Cadene, torchvision's Inception V3 and ResNets;
//! - Keras' files since its second major release: the legacy HDF5 layout, `.weights.h5` and `.keras`
//!   archives, of Xception, Inception V3 and ResNet-50, 101 and 152, also under a person's own head;
//! - what this crate writes: safetensors under those names, and burnpack.
//!
//! The source of the weights decides the padding side, the batch-norm epsilon, whether average
//! pools count padding, where strides are, and what images go through: [`Loaded`] has it all.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use burn::prelude::*;
//! use xception_models::weights::{LoadOptions, load};
//!
//! let device = Device::flex();
//! let loaded = load(Path::new("xception.safetensors"), &LoadOptions::default(), &device)?;
//! println!("{} from {}", loaded.config.name(), loaded.source);
//! # Ok::<(), xception_models::weights::WeightsError>(())
//! ```
//!
//! Files may come from anywhere: nothing in them is executed, what they declare is checked against
//! what they hold, and what is wrong is an error.

mod compare;
mod error;
pub(crate) mod family;
mod keras;
mod keras_assign;
pub(crate) mod layer;
pub(crate) mod layout;
mod limits;
mod load;
mod metadata;
mod parameters;
mod save;
mod source;
mod torch_names;

pub use error::{Mismatch, Misshapen, WeightsError};
pub use load::{Head, LoadOptions, Loaded, load};
pub use save::{export_names, save_burnpack, save_safetensors, write_burnpack};
pub use source::Source;
pub use xception_formats::{FormatError, NamedTensors, read_burnpack, write_safetensors};
