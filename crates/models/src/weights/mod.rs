//! Reading and writing of weights files, together with the conventions that belong to the weights.
//!
//! [`load`] recognizes a file's format and network by its content:
//!
//! - safetensors, and PyTorch checkpoints of any age: timm's `legacy_xception` and `inception_resnet_v2`, their older
//!   forms by Cadene, timm's `xception41`, `xception65` and `xception71`, also with pre-activation, and `mobilenetv1_100`,
//!   torchvision's GoogLeNet, Inception V3, ResNets, ResNeXts and VGG-16, and pytorchcv's `bninception` and ShuffleNets;
//! - files of Keras since its second major release: the legacy HDF5 layout, `.weights.h5` and `.keras` archives of
//!   Xception, Inception V3, Inception-ResNet V2, MobileNet, ResNet-50, 101 and 152 and VGG-16, also with a custom head; of
//!   the first release, the legacy layout of VGG-16;
//! - files of this crate: safetensors under those names, and burnpack.
//!
//! The source of the weights determines the padding, the batch-norm epsilon, whether average pools count padding,
//! which convolutions have the strides, and the preprocessing of images: [`Loaded`] holds them all.
//!
//! Weights of Inception-ResNet V2 that still have TF-Slim's background class as the first of 1001 are loaded without it.
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
//! Files may come from untrusted sources: nothing in them is executed, the sizes that they declare are checked
//! against their content, and an invalid file is an error.

mod background;
pub(crate) mod bgr;
mod class_scores;
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

pub use class_scores::{ClassScore, LogitsError};
pub use error::{Mismatch, Misshapen, WeightsError};
pub use load::{Head, LoadOptions, Loaded, load};
pub use save::{export_names, save_burnpack, save_safetensors, write_burnpack};
pub use source::Source;
pub use xception_formats::{
    FormatError, NamedTensors, WeightsFile, read_burnpack, write_safetensors,
};
