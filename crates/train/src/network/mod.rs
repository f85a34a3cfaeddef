//! Networks that the laboratory trains: those of [`xception_models`], and anyone's own.
//!
//! A network is a Burn module that implements [`ImageClassifier`]; its configuration, which stands under `"model"` in
//! JSON, implements [`NetworkConfig`].

mod classifier;
mod config;
mod families;
mod size;
mod trained;

pub use classifier::ImageClassifier;
pub use config::{BoxedError, NetworkConfig, StartingWeights};
pub use size::NetworkSize;
pub use trained::Trained;
