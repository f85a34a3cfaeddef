//! PyTorch's checkpoints.
//!
//! The crate `pytorch-reader` interprets the pickle without running any of its code, reads every
//! container that `torch.save` has written, and bounds what a file can make it allocate.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use pytorch_reader::{DType, PytorchReader};
use tempfile::NamedTempFile;
use xception_files::open_regular;

use super::named_tensors::{ElementType, NamedTensor, NamedTensors};
use super::{FormatError, WeightsFile};

const FORMAT: &str = "a PyTorch checkpoint";

/// Reads the names and shapes of a checkpoint; the numbers are read from it on demand.
///
/// Tensors inside dictionaries get their keys as a prefix, such as `state_dict.conv1.weight`.
///
/// # Errors
///
/// If the file can't be read, is damaged, or holds something else. A file in memory is read by way of a temporary one, so that it can't
/// be read where there are no files, as in a web page.
pub fn read_pytorch(file: impl Into<WeightsFile>) -> Result<NamedTensors, FormatError> {
    let file = file.into();
    if let Some(content) = file.content() {
        let copy = on_disk(content.as_ref()).map_err(|error| {
            let reason =
                format!("it can only be read from a disk ({error}): save it as safetensors");
            FormatError::malformed(file.path(), FORMAT, reason)
        })?;
        return read_file(file.path(), copy.path(), Some(Arc::clone(&copy)));
    }
    open_regular(file.path()).map_err(|error| FormatError::read(file.path(), error))?;
    read_file(file.path(), file.path(), None)
}

/// Writes bytes to a temporary file.
fn on_disk(bytes: &[u8]) -> io::Result<Arc<NamedTempFile>> {
    let mut copy = NamedTempFile::new()?;
    copy.write_all(bytes)?;
    copy.flush()?;
    Ok(Arc::new(copy))
}

/// Reads a file, which may be a temporary one. `name` is for errors.
fn read_file(
    name: &Path,
    path: &Path,
    temporary: Option<Arc<NamedTempFile>>,
) -> Result<NamedTensors, FormatError> {
    let malformed = |error| FormatError::malformed(name, FORMAT, error);
    let (reader, copy) = match PytorchReader::new(path) {
        Ok(reader) => (reader, temporary),
        Err(error) => {
            let copy = without_zip64_end(path).ok().flatten();
            let copy = copy.ok_or_else(|| malformed(error))?;
            let reader = PytorchReader::new(copy.path()).map_err(malformed)?;
            (reader, Some(Arc::new(copy)))
        }
    };
    let tensors = reader.into_tensors().into_iter().map(|(name, tensor)| {
        let shape = tensor.shape().to_vec();
        let element = element(tensor.dtype());
        let copy = copy.clone();
        let read = move || {
            let _kept_until_read = &copy;
            tensor.read().map_err(|error| error.to_string())
        };
        (name, NamedTensor::new(shape, element, read))
    });
    Ok(NamedTensors {
        tensors: tensors.collect(),
        ..NamedTensors::default()
    })
}

/// Lengths of the records at the end of an archive: of the whole directory in both forms, and of
/// what points to the 64-bit one.
const END: u64 = 22;
const END64: u64 = 56;
const LOCATOR64: u64 = 20;

/// Copies an archive without the 64-bit records at its end, if it has such and doesn't need
/// them, as PyTorch writes them.
///
/// The crate `zip` 9.8 expects the directory to reach to the 32-bit record, and takes what is 76 bytes
/// after its start for its start if that happens to be an entry: which it is in an archive whose
/// first name has 30 letters, so in a checkpoint whose file's name had 21 when it was saved.
fn without_zip64_end(path: &Path) -> io::Result<Option<NamedTempFile>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let Some(start) = length.checked_sub(END + LOCATOR64 + END64) else {
        return Ok(None);
    };
    let mut records = [0; (END + LOCATOR64 + END64) as usize];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut records)?;
    let (end64, rest) = records.split_at(END64 as usize);
    let (locator, end) = rest.split_at(LOCATOR64 as usize);
    let both = end64.starts_with(b"PK\x06\x06") && locator.starts_with(b"PK\x06\x07");
    if !both || !end.starts_with(b"PK\x05\x06") {
        return Ok(None);
    }
    let mut copy = NamedTempFile::new()?;
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut file.take(start), &mut copy)?;
    copy.write_all(end)?;
    copy.flush()?;
    Ok(Some(copy))
}

fn element(dtype: DType) -> ElementType {
    match dtype {
        DType::F16 => ElementType::F16,
        DType::BF16 => ElementType::BF16,
        DType::F32 => ElementType::F32,
        DType::F64 => ElementType::F64,
        _ => ElementType::Other,
    }
}
