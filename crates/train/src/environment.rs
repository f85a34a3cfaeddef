//! Where a run is made, for its record.

use std::path::PathBuf;
use std::sync::OnceLock;

use burn::prelude::Device;
use xception_parallel::DataParallel;

use crate::files::file_sha256;
use crate::record::EnvironmentRecord;

/// Burn's version, pinned in the workspace's manifest.
pub const BURN_VERSION: &str = "0.22.1";

impl EnvironmentRecord {
    /// Describes this machine and this build.
    pub fn new(backend: &str, device: &Device) -> Self {
        let versions = [
            ("xception", env!("CARGO_PKG_VERSION")),
            ("burn", BURN_VERSION),
        ];
        Self {
            backend: backend.to_owned(),
            device: device_name(device),
            devices: Vec::new(),
            processor: processor(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            versions: versions
                .map(|(name, version)| (name.to_owned(), version.to_owned()))
                .to_vec(),
            program_sha256: None,
        }
    }

    /// Adds the devices that share the work.
    pub(crate) fn with_devices(self, parallel: Option<&DataParallel>) -> Self {
        let Some(parallel) = parallel else {
            return self;
        };
        let names = parallel.devices().iter();
        Self {
            device: parallel.main().name().to_owned(),
            devices: names.map(|device| device.name().to_owned()).collect(),
            ..self
        }
    }

    /// Adds the hash of the program's executable, which is read once.
    pub(crate) fn with_program(self) -> Self {
        static HASH: OnceLock<Option<String>> = OnceLock::new();
        let hash = || file_sha256(&executable()?).ok();
        Self {
            program_sha256: HASH.get_or_init(hash).clone(),
            ..self
        }
    }
}

/// Returns the device as the backend names it.
pub fn device_name(device: &Device) -> String {
    let name = format!("{:?}", device.clone().without_autodiff());
    let inner = name
        .strip_prefix("Device<")
        .and_then(|n| n.strip_suffix('>'));
    inner.unwrap_or(&name).to_owned()
}

/// Returns the file that this program was started from; `None` where that isn't known.
fn executable() -> Option<PathBuf> {
    // The very file that runs, even where another build has taken its path since.
    match cfg!(target_os = "linux") {
        true => Some(PathBuf::from("/proc/self/exe")),
        false => std::env::current_exe().ok(),
    }
}

/// Returns the processor model, from where Linux tells it; empty elsewhere.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(':'));
    model.map_or(String::new(), |(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burns_version_is_the_locked_one() {
        let lock = include_str!("../../../Cargo.lock");
        let entry = format!("name = \"burn\"\nversion = \"{BURN_VERSION}\"");
        assert!(lock.contains(&entry));
    }

    #[test]
    fn describes_the_device() {
        let record = EnvironmentRecord::new("flex", &Device::flex().autodiff());
        assert!(
            record.device.to_lowercase().contains("flex"),
            "{}",
            record.device
        );
        assert!(record.threads > 0);
    }

    #[test]
    fn the_programs_hash_is_that_of_its_file() {
        let record = EnvironmentRecord::new("flex", &Device::flex());
        assert_eq!(record.program_sha256, None);
        let file = std::env::current_exe().unwrap();
        let expected = file_sha256(&file).unwrap();
        assert_eq!(record.with_program().program_sha256, Some(expected));
    }
}
