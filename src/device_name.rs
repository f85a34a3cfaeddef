//! Devices by name, of this machine and of others.

use std::fmt;
use std::str::FromStr;

use burn::prelude::Device;
use thiserror::Error;

use crate::{Backend, BackendError};

/// The name of a device: that of a [`Backend`], or one that a server on another machine shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceName {
    /// A device of this machine, such as `cuda:1`.
    Local(Backend),
    /// A device of a server, such as `remote:192.0.2.7:3000`.
    Remote(RemoteDevice),
}

/// A device that a server shares, `remote:HOST:PORT`, or `remote:HOST:PORT/N` for one that isn't its first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteDevice {
    address: String,
    index: usize,
}

/// A device that can't be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeviceNameError {
    /// It is none of this machine.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The address of a server isn't one.
    #[error(
        "`{name}` names no device of a server; write `remote:HOST:PORT`, such as `remote:192.0.2.7:3000`, or \
         `remote:HOST:PORT/1` for its second device"
    )]
    Address {
        /// What was given.
        name: String,
    },
    /// The program was built without remote devices.
    #[error(
        "this build has no devices of other machines; build it with `cargo build --release --features remote`"
    )]
    NotBuilt,
    /// The server doesn't give the device.
    #[error("can't connect to {name}: {cause}")]
    Connect {
        /// The device's name.
        name: String,
        /// Why not.
        cause: String,
    },
}

const REMOTE: &str = "remote";

impl DeviceName {
    /// Returns the name of the backend, `remote` for a device of a server, whatever the backend there.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        match self {
            Self::Local(backend) => backend.name(),
            Self::Remote(_) => REMOTE,
        }
    }

    /// Returns the device. One of a server is connected to, which gets the token; a server that doesn't run yet is waited for,
    /// for a quarter of a minute.
    ///
    /// # Errors
    ///
    /// Where this machine has no such device, or the server can't be reached, doesn't take the token or has no such device.
    pub fn connect(&self, token: Option<&str>) -> Result<Device, DeviceNameError> {
        match self {
            Self::Local(backend) => Ok(backend.device()?),
            Self::Remote(remote) => remote.connect(token),
        }
    }
}

impl RemoteDevice {
    #[cfg(feature = "remote")]
    fn connect(&self, token: Option<&str>) -> Result<Device, DeviceNameError> {
        use burn::remote::RemoteHost;

        let mut host = RemoteHost::websocket(&format!("ws://{}", self.address));
        if let Some(token) = token {
            host = host.with_credential(token);
        }
        let options = Device::remote_options(&host).device_index(self.index);
        options.init().map_err(|error| DeviceNameError::Connect {
            name: self.to_string(),
            cause: error.to_string(),
        })
    }

    #[cfg(not(feature = "remote"))]
    fn connect(&self, _token: Option<&str>) -> Result<Device, DeviceNameError> {
        Err(DeviceNameError::NotBuilt)
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Local(backend) => backend.fmt(formatter),
            Self::Remote(remote) => remote.fmt(formatter),
        }
    }
}

impl fmt::Display for RemoteDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{REMOTE}:{}", self.address)?;
        match self.index {
            0 => Ok(()),
            index => write!(formatter, "/{index}"),
        }
    }
}

impl FromStr for DeviceName {
    type Err = DeviceNameError;

    /// Parses the name of a backend's device, or `remote:HOST:PORT`.
    fn from_str(text: &str) -> Result<Self, DeviceNameError> {
        if text == REMOTE || text.starts_with("remote:") {
            let remote = RemoteDevice::parse(text).ok_or_else(|| DeviceNameError::Address {
                name: text.to_owned(),
            })?;
            return match cfg!(feature = "remote") {
                true => Ok(Self::Remote(remote)),
                false => Err(DeviceNameError::NotBuilt),
            };
        }
        Ok(Self::Local(text.parse()?))
    }
}

impl RemoteDevice {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("remote:")?;
        let (address, index) = match rest.split_once('/') {
            Some((address, index)) => (address, index.parse().ok()?),
            None => (rest, 0),
        };
        let (host, port) = address.rsplit_once(':')?;
        // An IPv6 address has brackets, as in a URL.
        let is_host = match host.strip_prefix('[') {
            Some(rest) => rest
                .strip_suffix(']')?
                .parse::<std::net::Ipv6Addr>()
                .is_ok(),
            None => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
                !host.is_empty() && host.chars().all(is_part)
            }
        };
        let port: u16 = port.parse().ok()?;
        (is_host && port > 0).then(|| Self {
            address: format!("{host}:{port}"),
            index,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_names_are_those_of_backends() {
        let name: DeviceName = "flex".parse().unwrap();
        assert_eq!(
            (name.backend(), name.to_string()),
            ("flex", "flex".to_owned())
        );
        assert_eq!(name.connect(None).unwrap(), Device::flex());
        let error = "tpu".parse::<DeviceName>().unwrap_err().to_string();
        assert!(error.contains("flex, ndarray, wgpu"), "{error}");
    }

    #[test]
    fn servers_have_an_address_and_perhaps_a_number() {
        for (text, address, index) in [
            ("remote:192.0.2.7:3000", "192.0.2.7:3000", 0),
            ("remote:gpu-1.example.org:80/3", "gpu-1.example.org:80", 3),
            ("remote:[2001:db8::1]:3000", "[2001:db8::1]:3000", 0),
        ] {
            let remote = RemoteDevice::parse(text).unwrap();
            assert_eq!((remote.address.as_str(), remote.index), (address, index));
            assert_eq!(remote.to_string(), text);
        }
        for text in [
            "remote",
            "remote:",
            "remote:host",
            "remote:host:",
            "remote::3000",
            "remote:host:0",
            "remote:host:65536",
            "remote:a/b:3000",
            "remote:host:3000/",
            "remote:host:3000/x",
            "remote:[::1:3000",
            "remote:::1:3000",
            "remote:user@host:3000",
        ] {
            let error = text.parse::<DeviceName>().unwrap_err();
            assert!(
                matches!(error, DeviceNameError::Address { .. }),
                "{text}: {error}"
            );
        }
    }

    #[test]
    #[cfg(not(feature = "remote"))]
    fn a_build_without_remote_devices_names_the_feature() {
        let error = "remote:localhost:3000".parse::<DeviceName>().unwrap_err();
        assert!(error.to_string().contains("--features remote"), "{error}");
    }
}
