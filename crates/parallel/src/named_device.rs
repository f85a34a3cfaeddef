//! A device with its name.

use burn::prelude::Device;

use crate::DeviceError;

/// A device, by the name that a person has for it.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedDevice {
    name: String,
    device: Device,
}

impl NamedDevice {
    /// Gives a device a name, such as `cuda:1` or `remote:192.0.2.7:3000`. It may be in autodiff mode or not.
    pub fn new(name: impl Into<String>, device: Device) -> Self {
        Self {
            name: name.into(),
            device: device.without_autodiff(),
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the device, without autodiff.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Waits until the device has done all it was given.
    ///
    /// # Errors
    ///
    /// Where it can't, such as a device of another machine that the connection is lost to.
    pub fn check(&self) -> Result<(), DeviceError> {
        let synced = self.device.sync();
        synced.map_err(|error| DeviceError::new(self, error))
    }
}
