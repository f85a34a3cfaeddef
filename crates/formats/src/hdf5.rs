//! HDF5 files, within bounds.
//!
//! The crate `hdf5-reader` is pure Rust, checks every offset, follows no link out of the file unless
//! given a resolver, and takes limits on what it may allocate.

use std::path::Path;
use std::sync::Arc;

use hdf5_reader::group::Group;
use hdf5_reader::storage::{BytesStorage, DynStorage, FileStorage};
use hdf5_reader::{ByteOrder, Dataset, Datatype, Hdf5File, OpenOptions};

use xception_files::open_regular;

use super::named_tensors::{ElementType, MAX_ELEMENTS, NamedTensor};
use super::{FormatError, WeightsFile};

pub(crate) const FORMAT: &str = "HDF5";

/// The most bytes that a chunk, a dataset or an object's header may take.
const MAX_CHUNK: usize = 256 << 20;
const MAX_READ: usize = MAX_ELEMENTS * 4;
const MAX_HEADER: usize = 16 << 20;

/// The deepest group: Keras nests models, and each takes two.
pub(crate) const MAX_DEPTH: usize = 16;
/// The most groups and datasets; Keras' ResNet-152 has about 2,500.
pub(crate) const MAX_OBJECTS: usize = 50_000;

/// Opens a file.
pub(crate) fn open(file: &WeightsFile) -> Result<Hdf5File, FormatError> {
    let path = file.path();
    if let Some(content) = file.content() {
        return from_storage(path, Arc::new(BytesStorage::from_owner(content.clone())));
    }
    open_regular(path).map_err(|error| FormatError::read(path, error))?;
    let storage = FileStorage::open(path).map_err(|error| match error {
        hdf5_reader::error::Error::Io(error) => FormatError::read(path, error),
        error => FormatError::malformed(path, FORMAT, error),
    })?;
    from_storage(path, Arc::new(storage))
}

/// Opens a file that is in memory; `path` is for errors.
pub(crate) fn open_bytes(path: &Path, bytes: Vec<u8>) -> Result<Hdf5File, FormatError> {
    from_storage(path, Arc::new(BytesStorage::new(bytes)))
}

fn from_storage(path: &Path, storage: DynStorage) -> Result<Hdf5File, FormatError> {
    let options = OpenOptions::default()
        .with_max_chunk_bytes(MAX_CHUNK)
        .with_max_read_bytes(MAX_READ)
        .with_max_object_header_bytes(MAX_HEADER)
        .with_chunk_cache_bytes(0);
    let malformed = |reason: String| FormatError::malformed(path, FORMAT, reason);
    let length = storage.len();
    let file = Hdf5File::from_storage_with_options(storage, options)
        .map_err(|error| malformed(error.to_string()))?;
    let expected = file.superblock().eof_address;
    if expected > length {
        return Err(malformed(format!(
            "it is cut off: it says that it has {expected} bytes, and has {length}"
        )));
    }
    Ok(file)
}

/// Returns the texts of an attribute; `None` if there is none of this name. An empty list of texts, which h5py
/// writes as an empty list of numbers, has none.
pub(crate) fn strings(group: &Group, name: &str) -> Option<Vec<String>> {
    let attribute = group.attribute(name).ok()?;
    Some(attribute.read_strings().unwrap_or_default())
}

/// Returns the texts of an attribute that Keras cuts into `NAME0`, `NAME1` and so on if it is long.
pub(crate) fn cut_strings(group: &Group, name: &str) -> Option<Vec<String>> {
    if let Some(whole) = strings(group, name) {
        return Some(whole);
    }
    let pieces = (0..MAX_OBJECTS).map_while(|index| strings(group, &format!("{name}{index}")));
    let all: Vec<_> = pieces.flatten().collect();
    (!all.is_empty()).then_some(all)
}

/// Returns a dataset as a tensor that is read on demand.
pub(crate) fn tensor(dataset: Dataset) -> Result<NamedTensor, String> {
    let shape: Result<Vec<_>, _> = dataset
        .shape()
        .iter()
        .map(|&n| usize::try_from(n))
        .collect();
    let shape = shape.map_err(|error| error.to_string())?;
    let element = match dataset.dtype() {
        Datatype::FloatingPoint {
            size: 2,
            byte_order,
        } => order(*byte_order, ElementType::F16),
        Datatype::FloatingPoint {
            size: 4,
            byte_order,
        } => order(*byte_order, ElementType::F32),
        Datatype::FloatingPoint {
            size: 8,
            byte_order,
        } => order(*byte_order, ElementType::F64),
        _ => ElementType::Other,
    };
    let read = move || dataset.read_raw_bytes().map_err(|error| error.to_string());
    Ok(NamedTensor::new(shape, element, read))
}

fn order(order: ByteOrder, element: ElementType) -> ElementType {
    match order {
        ByteOrder::LittleEndian => element,
        ByteOrder::BigEndian => ElementType::Other,
    }
}
