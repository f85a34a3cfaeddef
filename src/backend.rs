//! Burn's backends by name.

use std::fmt;
use std::str::FromStr;

use burn::prelude::Device;
use burn::tensor::DeviceType;
use thiserror::Error;

/// A backend of this build, with the index of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    entry: &'static Entry,
    index: usize,
}

/// An error in the name of a backend or the number of a device.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BackendError {
    /// No backend has this name.
    #[error("there is no backend `{name}`; the backends are {known}")]
    Unknown {
        /// The name given.
        name: String,
        /// All known names.
        known: String,
    },
    /// The program was built without this backend.
    #[error(
        "this build has no backend `{name}`; build it with `cargo build --release --features {name}` \
         (this build has {built})"
    )]
    NotBuilt {
        /// Name of the backend, and of the feature that adds it.
        name: &'static str,
        /// Names of the backends in this build.
        built: String,
    },
    /// The part after the colon isn't a number.
    #[error("`{found}` is no device number; write `{backend}:0` for the first device")]
    Index {
        /// The text after the colon.
        found: String,
        /// Name of the backend.
        backend: &'static str,
    },
    /// The machine has no device of this number.
    #[error("backend `{backend}` has no device {index} on this machine, it finds {found}{hint}")]
    NoDevice {
        /// Name of the backend.
        backend: &'static str,
        /// The device's number.
        index: usize,
        /// Number of devices on the machine.
        found: usize,
        /// Requirements that may be missing.
        hint: &'static str,
    },
}

/// A row of the table of backends.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: &'static str,
    about: &'static str,
    /// Requirements of the backend, as the end of a message.
    needs: &'static str,
    device_type: Option<DeviceType>,
}

/// Expands to the device type if the feature is on, else to `None`.
macro_rules! built {
    ($feature:literal, $device_type:ident) => {{
        #[cfg(feature = $feature)]
        let device_type = Some(DeviceType::$device_type);
        #[cfg(not(feature = $feature))]
        let device_type = None;
        device_type
    }};
}

/// All backends; those of this build have a device type.
static BACKENDS: [Entry; 7] = [
    Entry {
        name: "flex",
        about: "processor, in pure Rust",
        needs: "",
        device_type: built!("flex", Flex),
    },
    Entry {
        name: "ndarray",
        about: "processor, on the ndarray crate (deprecated by Burn)",
        needs: "",
        device_type: built!("ndarray", NdArray),
    },
    Entry {
        name: "wgpu",
        about: "graphics card, through Vulkan, Metal or DirectX",
        needs: "; it needs a driver for Vulkan, Metal or DirectX 12",
        device_type: built!("wgpu", Wgpu),
    },
    Entry {
        name: "vulkan",
        about: "graphics card, through Vulkan with SPIR-V kernels",
        needs: "; it needs a Vulkan driver",
        device_type: built!("vulkan", Vulkan),
    },
    Entry {
        name: "metal",
        about: "Apple graphics, through Metal",
        needs: "; it needs macOS",
        device_type: built!("metal", Metal),
    },
    Entry {
        name: "cuda",
        about: "NVIDIA graphics card, through CUDA",
        needs: "; it needs the NVIDIA driver and CUDA",
        device_type: built!("cuda", Cuda),
    },
    Entry {
        name: "rocm",
        about: "AMD graphics card, through ROCm",
        needs: "; it needs ROCm",
        device_type: built!("rocm", Rocm),
    },
];

impl Backend {
    /// Iterates over all backends: name, description, and the first device if this build has the backend.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str, Option<Self>)> {
        BACKENDS.iter().map(|entry| {
            let built = entry.device_type.is_some();
            (
                entry.name,
                entry.about,
                built.then_some(Self { entry, index: 0 }),
            )
        })
    }

    /// Returns the name, such as `flex`.
    pub fn name(&self) -> &'static str {
        self.entry.name
    }

    /// Lists all devices that the backend finds on this machine.
    pub fn devices(&self) -> Vec<Device> {
        match self.entry.device_type.clone() {
            Some(device_type) => Device::enumerate(device_type).into_vec(),
            None => Vec::new(),
        }
    }

    /// Returns the device with this number.
    ///
    /// # Errors
    ///
    /// If the machine has no such device.
    pub fn device(&self) -> Result<Device, BackendError> {
        let mut devices = self.devices();
        if self.index >= devices.len() {
            return Err(BackendError::NoDevice {
                backend: self.entry.name,
                index: self.index,
                found: devices.len(),
                hint: self.entry.needs,
            });
        }
        Ok(devices.swap_remove(self.index))
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self.index {
            0 => formatter.write_str(self.entry.name),
            index => write!(formatter, "{}:{index}", self.entry.name),
        }
    }
}

impl FromStr for Backend {
    type Err = BackendError;

    /// Parses a name, or a name and the number of a device, such as `cuda:1`.
    fn from_str(text: &str) -> Result<Self, BackendError> {
        let (name, index) = match text.split_once(':') {
            Some((name, index)) => (name, Some(index)),
            None => (text, None),
        };
        let entry = BACKENDS.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| BackendError::Unknown {
            name: name.to_owned(),
            known: names(|_| true),
        })?;
        if entry.device_type.is_none() {
            return Err(BackendError::NotBuilt {
                name: entry.name,
                built: names(|entry| entry.device_type.is_some()),
            });
        }
        let index = index.map_or(Ok(0), str::parse);
        let index = index.map_err(|_| BackendError::Index {
            found: text.to_owned(),
            backend: entry.name,
        })?;
        Ok(Self { entry, index })
    }
}

fn names(wanted: impl Fn(&Entry) -> bool) -> String {
    let names = BACKENDS.iter().filter(|entry| wanted(entry));
    names.map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_processor_and_refuses_a_second_one() {
        let backend: Backend = "flex".parse().unwrap();
        assert_eq!(backend.device().unwrap(), Device::flex());
        let error = "flex:1".parse::<Backend>().unwrap().device().unwrap_err();
        assert!(error.to_string().contains("no device 1"), "{error}");
    }

    #[test]
    fn a_backend_that_is_not_built_names_its_feature() {
        for (name, _, built) in Backend::all() {
            match built {
                Some(backend) => assert_eq!(name.parse::<Backend>().unwrap(), backend),
                None => {
                    let error = name.parse::<Backend>().unwrap_err().to_string();
                    assert!(error.contains(&format!("--features {name}")), "{error}");
                }
            }
        }
    }

    #[test]
    fn other_names_and_numbers_are_errors() {
        let error = "tpu".parse::<Backend>().unwrap_err().to_string();
        assert!(error.contains("flex, ndarray, wgpu"), "{error}");
        let error = "flex:x".parse::<Backend>().unwrap_err().to_string();
        assert!(error.contains("flex:0"), "{error}");
    }
}
