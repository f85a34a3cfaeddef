//! `.keras` archives: a zip file with `config.json` and `model.weights.h5`.

use std::io::{self, BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::format::HDF5 as HDF5_SIGNATURE;
use super::weights_file::Reader;
use super::{FormatError, WeightsFile};

const FORMAT: &str = "a Keras archive";

/// The model's configuration.
const CONFIG: &str = "config.json";
/// The model's weights.
const WEIGHTS: &str = "model.weights.h5";

/// The longest configuration that is read; Keras' ResNet-152 has 400 KB.
const MAX_CONFIG: u64 = 16 << 20;
/// The most weights that are read: ResNet-152 with its optimizer's state has 730 MB.
const MAX_WEIGHTS: u64 = 1 << 30;

/// The most bytes that a deflated byte can stand for.
const MAX_RATIO: u64 = 1032;

/// Keras' own notes, which it writes first.
const METADATA: &str = "metadata.json";

/// Offsets of the length of an entry's name, and of the name, in a zip file.
const NAME_LENGTH: usize = 26;
const NAME: usize = 30;

/// Returns whether a zip file is a Keras archive, and not one of PyTorch: by its directory; if that is damaged or cut
/// off, by the name of its first entry, which is in `start`, or by the file's own name.
pub(crate) fn is_keras(file: &WeightsFile, start: &[u8]) -> bool {
    let zip = file
        .open()
        .map(|file| ZipArchive::new(BufReader::new(file)));
    if let Ok(Ok(zip)) = zip {
        return zip.index_for_name(WEIGHTS).is_some();
    }
    match first_name(start) {
        Some(name) => [METADATA, CONFIG, WEIGHTS]
            .iter()
            .any(|known| known.as_bytes() == name),
        None => file
            .path()
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("keras")),
    }
}

/// Returns the name of the first entry of a zip file that starts with these bytes.
fn first_name(start: &[u8]) -> Option<&[u8]> {
    let length = start.get(NAME_LENGTH..NAME_LENGTH + 2)?;
    let length = u16::from_le_bytes([length[0], length[1]]);
    start.get(NAME..NAME + usize::from(length))
}

/// An open archive.
pub(crate) struct Archive<'a> {
    path: &'a Path,
    zip: ZipArchive<BufReader<Reader>>,
}

impl<'a> Archive<'a> {
    pub(crate) fn open(file: &'a WeightsFile) -> Result<Self, FormatError> {
        let path = file.path();
        let file = file
            .open()
            .map_err(|error| FormatError::read(path, error))?;
        let zip = ZipArchive::new(BufReader::new(file))
            .map_err(|error| FormatError::malformed(path, FORMAT, error))?;
        Ok(Self { path, zip })
    }

    /// Returns the text of `config.json`.
    pub(crate) fn config(&mut self) -> Result<String, FormatError> {
        let bytes = self.read(CONFIG, MAX_CONFIG, b"")?;
        String::from_utf8(bytes).map_err(|error| FormatError::malformed(self.path, FORMAT, error))
    }

    /// Returns the bytes of `model.weights.h5`.
    ///
    /// # Errors
    ///
    /// If the archive has no such member, or it is damaged, too large, or not HDF5.
    pub(crate) fn weights(&mut self) -> Result<Vec<u8>, FormatError> {
        self.read(WEIGHTS, MAX_WEIGHTS, HDF5_SIGNATURE)
    }

    /// Reads the member of exactly this name into memory, if it begins with `start`. Names are never used as paths.
    fn read(&mut self, name: &str, maximum: u64, start: &[u8]) -> Result<Vec<u8>, FormatError> {
        let path = self.path;
        let malformed = |reason: String| FormatError::malformed(path, FORMAT, reason);
        let too_large = || malformed(format!("{name} takes more than {maximum} bytes"));
        let member = self.zip.by_name(name).map_err(|error| match error {
            ZipError::FileNotFound => malformed(format!("it has no {name}")),
            error => malformed(error.to_string()),
        })?;
        if member.size() > maximum {
            return Err(too_large());
        }
        // The declared size, but no more than the compressed bytes can hold. A vector that grew would take three times as much.
        let possible = member.compressed_size().saturating_mul(MAX_RATIO);
        let capacity = usize::try_from(member.size().min(possible)).unwrap_or(usize::MAX);
        let mut member = member.take(maximum + 1);
        let failed = |error: io::Error| malformed(format!("{name}: {error}"));
        let mut bytes = Vec::new();
        member
            .by_ref()
            .take(start.len() as u64)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes != start {
            return Err(malformed(format!("{name} is in another format")));
        }
        bytes
            .try_reserve_exact(capacity.saturating_sub(bytes.len()))
            .map_err(|error| malformed(format!("{name}: {error}")))?;
        member.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > maximum {
            return Err(too_large());
        }
        Ok(bytes)
    }
}
