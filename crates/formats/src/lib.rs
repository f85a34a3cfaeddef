//! Tensors from weights files, by their names.
//!
//! | format | reader |
//! |---|---|
//! | safetensors | [`read_safetensors`], and [`write_safetensors`] |
//! | PyTorch checkpoints of any age | [`read_pytorch`] |
//! | Keras: legacy HDF5, `.weights.h5`, `.keras` | [`KerasFile`], which has layers rather than tensors |
//! | burnpack | [`read_burnpack`] |
//!
//! [`Format::of`] tells them apart. A [`WeightsFile`] is on the disk or in memory. Nothing here knows a network. Files may come from
//! anywhere: nothing in them is executed, what they declare is checked against what they hold, and their sizes are bounded before
//! anything is allocated.

mod archive;
mod burnpack;
mod error;
mod format;
mod hdf5;
mod keras_config;
mod keras_file;
mod keras_layer;
mod keras_legacy;
mod keras_saved;
mod named_tensors;
mod pytorch;
mod safetensors;
mod safetensors_writer;
mod weights_file;

/// The examples of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use ::safetensors::tensor::TensorView;
pub use ::safetensors::{Dtype, View};
pub use burnpack::read_burnpack;
pub use error::FormatError;
pub use format::Format;
pub use keras_config::KerasConfig;
pub use keras_file::KerasFile;
pub use keras_layer::{KerasLayer, Kind, number};
pub use named_tensors::{ElementType, NamedTensor, NamedTensors, elements};
pub use pytorch::read_pytorch;
pub use safetensors::read_safetensors;
pub use safetensors_writer::write_safetensors;
pub use weights_file::WeightsFile;
