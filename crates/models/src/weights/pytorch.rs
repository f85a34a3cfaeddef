//! PyTorch's checkpoints.
//!
//! The crate `pytorch-reader` interprets the pickle without running any of its code, reads every
//! container that `torch.save` has written, and bounds what a file can make it allocate.

use std::path::Path;

use pytorch_reader::{DType, PytorchReader};

use super::WeightsError;
use super::named_tensors::{ElementType, NamedTensor, NamedTensors};

const FORMAT: &str = "a PyTorch checkpoint";

/// Reads the names and shapes of a checkpoint; the numbers are read from it on demand.
///
/// Tensors inside dictionaries get their keys as a prefix, such as `state_dict.conv1.weight`.
///
/// # Errors
///
/// Where the file can't be read, is damaged, or holds something else.
pub fn read_pytorch(path: &Path) -> Result<NamedTensors, WeightsError> {
    let reader =
        PytorchReader::new(path).map_err(|error| WeightsError::malformed(path, FORMAT, error))?;
    let tensors = reader.into_tensors().into_iter().map(|(name, tensor)| {
        let shape = tensor.shape().to_vec();
        let element = element(tensor.dtype());
        let read = move || tensor.read().map_err(|error| error.to_string());
        (name, NamedTensor::new(shape, element, read))
    });
    Ok(NamedTensors {
        tensors: tensors.collect(),
        ..NamedTensors::default()
    })
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
