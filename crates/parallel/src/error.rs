//! What can go wrong on a device.

use std::fmt;

use thiserror::Error;

use crate::NamedDevice;

/// A device that stopped to answer, or couldn't do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the device {device} failed: {cause}")]
pub struct DeviceError {
    /// Its name.
    pub device: String,
    /// The reason, as the backend tells it.
    pub cause: String,
}

impl DeviceError {
    /// Returns the error of a device that couldn't do what it was asked to, or perhaps doesn't answer at all.
    pub(crate) fn new(device: &NamedDevice, cause: impl fmt::Display) -> Self {
        // Without what a backend adds on further lines, such as a backtrace.
        let cause = cause.to_string();
        let cause = cause.lines().next().unwrap_or_default();
        Self {
            device: device.name().to_owned(),
            cause: match device.device().sync() {
                Ok(()) => cause.to_owned(),
                Err(_) => "it doesn't answer any more".to_owned(),
            },
        }
    }
}
