//! The formats that weights come in, told apart by a file's first bytes.

use std::io::Read;

use super::{FormatError, WeightsFile};

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// safetensors.
    Safetensors,
    /// A PyTorch checkpoint of any age.
    Pytorch,
    /// HDF5, as Keras writes it: the legacy layout, or `.weights.h5`.
    Hdf5,
    /// A `.keras` archive.
    KerasArchive,
    /// Burn's own format.
    Burnpack,
}

/// The signature that an HDF5 file starts with.
pub(crate) const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
/// The signature of a zip archive: `.keras`, and PyTorch's files since version 1.6.
const ZIP: &[u8] = b"PK\x03\x04";
/// The magic number of a burnpack file, little-endian.
const BURNPACK: &[u8] = b"NRUB";
/// The first byte of a pickle in protocols 2 to 5: PyTorch's files before version 1.6.
const PICKLE: u8 = 0x80;
/// Offset and text of a tar archive's magic number: PyTorch's first files.
const TAR: (usize, &[u8]) = (257, b"ustar");

impl Format {
    /// Detects the format of a file by its first bytes. Its name only counts if a zip archive is cut off within them.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or is in another format.
    pub fn of(file: impl Into<WeightsFile>) -> Result<Self, FormatError> {
        let file = file.into();
        let path = file.path();
        let io = |error| FormatError::read(path, error);
        let mut start = Vec::new();
        file.open()
            .map_err(io)?
            .take(512)
            .read_to_end(&mut start)
            .map_err(io)?;
        let unknown = || FormatError::Unknown {
            path: path.to_owned(),
        };
        if start.starts_with(HDF5) {
            return Ok(Self::Hdf5);
        }
        if start.starts_with(ZIP) {
            return Ok(if crate::archive::is_keras(&file, &start) {
                Self::KerasArchive
            } else {
                Self::Pytorch
            });
        }
        if start.starts_with(BURNPACK) {
            return Ok(Self::Burnpack);
        }
        if start.get(8) == Some(&b'{') {
            return Ok(Self::Safetensors);
        }
        let tar = start
            .get(TAR.0..)
            .is_some_and(|rest| rest.starts_with(TAR.1));
        if tar || start.first() == Some(&PICKLE) {
            return Ok(Self::Pytorch);
        }
        Err(unknown())
    }
}
