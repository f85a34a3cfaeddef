//! Reads bytes as a file of each format, down to the numbers. The tests and the fuzz targets share these functions.

use std::io::Write;

use xception_formats::{
    Format, FormatError, KerasFile, NamedTensor, NamedTensors, WeightsFile, elements,
    read_burnpack, read_pytorch, read_safetensors,
};

/// The most numbers that are read of one file; larger tensors are only listed.
const MAX_NUMBERS: usize = 1 << 22;

/// The tensors and numbers that were read, or the error's message, in which the file is called `FILE`.
pub type Outcome = Result<Counts, String>;

/// Amounts that a reader found in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tensors in the file.
    pub tensors: usize,
    /// Numbers that could be read.
    pub numbers: usize,
    /// Tensors whose numbers are damaged or in a type that isn't read.
    pub unreadable: usize,
}

/// Reads bytes as safetensors.
pub fn safetensors(bytes: &[u8]) -> Outcome {
    read(bytes, |file| read_safetensors(file).map(counts_of))
}

/// Reads bytes as a PyTorch checkpoint.
pub fn pytorch(bytes: &[u8]) -> Outcome {
    read(bytes, |file| read_pytorch(file).map(counts_of))
}

/// Reads bytes as burnpack.
pub fn burnpack(bytes: &[u8]) -> Outcome {
    read(bytes, |file| read_burnpack(file).map(counts_of))
}

/// Reads bytes as HDF5 that Keras wrote.
pub fn keras_hdf5(bytes: &[u8]) -> Outcome {
    read(bytes, |file| {
        KerasFile::read_hdf5(file).map(counts_of_layers)
    })
}

/// Reads bytes as a `.keras` archive.
pub fn keras_archive(bytes: &[u8]) -> Outcome {
    read(bytes, |file| {
        KerasFile::read_archive(file).map(counts_of_layers)
    })
}

/// Writes bytes to a scratch file, tells its format, and reads it; and reads the bytes in memory, which has to come out alike.
fn read(bytes: &[u8], reader: impl Fn(&WeightsFile) -> Result<Counts, FormatError>) -> Outcome {
    let mut file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    file.write_all(bytes).map_err(|error| error.to_string())?;
    let path = file.path();
    let in_memory = WeightsFile::in_memory("FILE", bytes.to_vec());
    let formats = [&path.into(), &in_memory].map(|file| Format::of(file).ok());
    assert_eq!(formats[0], formats[1]);
    let [on_disk, in_memory] = [&path.into(), &in_memory].map(|file| {
        reader(file).map_err(|error| {
            error
                .to_string()
                .replace(&path.display().to_string(), "FILE")
        })
    });
    assert_eq!(on_disk.as_ref().ok(), in_memory.as_ref().ok());
    on_disk
}

fn counts_of(tensors: NamedTensors) -> Counts {
    count(tensors.tensors.values())
}

fn counts_of_layers(file: KerasFile) -> Counts {
    let layers = file.layers.into_iter();
    let weights: Vec<_> = layers
        .flat_map(|layer| layer.into_weights().into_values())
        .collect();
    count(weights.iter())
}

fn count<'a>(tensors: impl Iterator<Item = &'a NamedTensor>) -> Counts {
    let mut counts = Counts::default();
    let mut asked = 0_usize;
    for tensor in tensors {
        counts.tensors += 1;
        asked = asked.saturating_add(elements(tensor.shape()).unwrap_or(usize::MAX));
        if asked > MAX_NUMBERS {
            break;
        }
        match tensor.read() {
            Ok(numbers) => counts.numbers += numbers.len(),
            Err(_) => counts.unreadable += 1,
        }
    }
    counts
}
