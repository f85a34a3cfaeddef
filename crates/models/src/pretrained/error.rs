//! The errors of published weights.

use thiserror::Error;
use xception_fetch::FetchError;

use crate::weights::WeightsError;

/// An error of finding, fetching or loading published weights.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PretrainedError {
    /// The registry has no weights of this name.
    #[error("there are no weights `{name}`{hint}; those known are {known}", hint = hint(.nearest))]
    UnknownWeights {
        /// The name given.
        name: String,
        /// The known name closest to it.
        nearest: Option<String>,
        /// All known names.
        known: String,
    },
    /// No cache folder is known.
    #[error(
        "this machine names no folder for caches: set XCEPTION_CACHE to a folder for the weights"
    )]
    NoCache,
    /// The weights belong to another network.
    #[error("the weights `{name}` are not of the network {expected}")]
    OtherNetwork {
        /// Name of the weights.
        name: String,
        /// The network requested.
        expected: &'static str,
    },
    /// The file can't be loaded.
    #[error(transparent)]
    Load(#[from] WeightsError),
    /// A download or its check failed.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

fn hint(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|name| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default()
}
