//! What can go wrong with published weights.

use thiserror::Error;
use xception_fetch::FetchError;

use crate::weights::WeightsError;

/// An error of the registry of published weights.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PretrainedError {
    /// Weights that the registry doesn't have.
    #[error("there are no weights `{name}`{hint}; those known are {known}", hint = hint(.nearest))]
    UnknownWeights {
        /// The name that was asked for.
        name: String,
        /// The known name that is most like it.
        nearest: Option<String>,
        /// All known names.
        known: String,
    },
    /// There is no folder for caches.
    #[error(
        "this machine names no folder for caches: set XCEPTION_CACHE to a folder for the weights"
    )]
    NoCache,
    /// Weights of another network.
    #[error("the weights `{name}` are not of the network {expected}")]
    OtherNetwork {
        /// The name of the weights.
        name: String,
        /// The network that was asked for.
        expected: &'static str,
    },
    /// The file can't be loaded.
    #[error(transparent)]
    Load(#[from] WeightsError),
    /// A download or its check fails.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

fn hint(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|name| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default()
}
