//! The safetensors format.

use std::io::{Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex};

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::named_tensors::{ElementType, NamedTensor, NamedTensors};
use super::{FormatError, WeightsFile};

const FORMAT: &str = "safetensors";

/// The longest header that is read; the format's own limit is 100 MB, a header here takes 100 KB.
const MAX_HEADER: u64 = 16 << 20;

/// Reads the names and shapes of a safetensors file; the numbers are read from it on demand.
///
/// # Errors
///
/// If the file can't be read, or its header doesn't describe exactly the bytes that follow.
pub fn read_safetensors(file: impl Into<WeightsFile>) -> Result<NamedTensors, FormatError> {
    let file = file.into();
    let path = file.path();
    let io = |error| FormatError::read(path, error);
    let malformed = |reason: String| FormatError::malformed(path, FORMAT, reason);

    let mut file = file.open().map_err(io)?;
    let file_length = file.length().map_err(io)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|_| malformed("it is too short".to_owned()))?;
    let header_length = u64::from_le_bytes(length);
    if header_length > MAX_HEADER || header_length + 8 > file_length {
        return Err(malformed(format!(
            "it says that its header takes {header_length} bytes, of a file of {file_length}"
        )));
    }
    let mut header = vec![0; header_length as usize];
    file.read_exact(&mut header).map_err(io)?;
    // The crate checks here that every tensor's bytes fit its shape and type, without gaps.
    let header: Metadata =
        serde_json::from_slice(&header).map_err(|error| malformed(error.to_string()))?;
    let start = header_length + 8;
    let found = file_length - start;
    if header.data_len() as u64 != found {
        return Err(malformed(format!(
            "its tensors take {} bytes, but {found} follow the header",
            header.data_len()
        )));
    }

    let file = Arc::new(Mutex::new(file));
    let tensors = header.tensors().into_iter().map(|(name, info)| {
        let (begin, end) = info.data_offsets;
        let file = Arc::clone(&file);
        let read = move || {
            let mut bytes = vec![0; end - begin];
            let mut file = file.lock().map_err(|error| error.to_string())?;
            file.seek(SeekFrom::Start(start + begin as u64))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(|error| error.to_string())?;
            Ok(bytes)
        };
        (
            name,
            NamedTensor::new(info.shape.clone(), element(info.dtype), read),
        )
    });
    Ok(NamedTensors {
        tensors: tensors.collect(),
        metadata: header
            .metadata()
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect(),
    })
}

fn element(dtype: Dtype) -> ElementType {
    match dtype {
        Dtype::F16 => ElementType::F16,
        Dtype::BF16 => ElementType::BF16,
        Dtype::F32 => ElementType::F32,
        Dtype::F64 => ElementType::F64,
        _ => ElementType::Other,
    }
}
