//! Burnpack, the format of Burn's own records.

use burn_pack::{Bytes, DType, Reader};
use xception_files::open_regular;

use super::named_tensors::{ElementType, NamedTensor, NamedTensors};
use super::{FormatError, WeightsFile};

const FORMAT: &str = "burnpack";

/// Reads the names and shapes of a burnpack file; the numbers are read from it on demand.
///
/// The names are paths of parameters in a module.
///
/// # Errors
///
/// If the file can't be read, or is damaged.
pub fn read_burnpack(file: impl Into<WeightsFile>) -> Result<NamedTensors, FormatError> {
    let file = file.into();
    let path = file.path();
    let malformed = |error: burn_pack::Error| FormatError::malformed(path, FORMAT, error);
    let reader = match file.content() {
        Some(content) => Reader::from_bytes(Bytes::from_bytes_vec(content.as_ref().to_vec())),
        None => {
            open_regular(path).map_err(|error| FormatError::read(path, error))?;
            Reader::from_file_exact(path)
        }
    };
    let reader = reader.map_err(malformed)?;
    let metadata = reader.metadata().clone();
    let mut tensors = NamedTensors {
        metadata,
        ..NamedTensors::default()
    };
    for tensor in reader.into_tensors().map_err(malformed)? {
        let name = tensor.name.clone();
        let element = match tensor.dtype {
            DType::F16 => ElementType::F16,
            DType::BF16 => ElementType::BF16,
            DType::F32 => ElementType::F32,
            DType::F64 => ElementType::F64,
            _ => ElementType::Other,
        };
        let shape = tensor.shape.iter().copied().collect();
        let read = move || {
            let bytes = tensor.to_bytes().map_err(|error| error.to_string())?;
            Ok(bytes.to_vec())
        };
        tensors
            .tensors
            .insert(name, NamedTensor::new(shape, element, read));
    }
    Ok(tensors)
}
