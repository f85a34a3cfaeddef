//! Writing of a network to a weights file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use burn::module::Module;
use burn::store::ModuleSnapshot;
use burn_pack::Writer;
use safetensors::{Dtype, View};
use xception_files::AtomicFile;

use super::layer::{Dialect, Origin, parts};
use super::metadata::Metadata;
use super::parameters::values;
use super::{Loaded, WeightsError};
use crate::ModelConfig;
use xception_formats::write_safetensors;

/// A tensor to be written to a file.
struct Saved {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for Saved {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Lists the path of each parameter in a network, including running statistics, with its name in timm, torchvision or
/// pytorchcv, whichever the network was checked against, in the order of the layers there.
pub fn export_names(config: &ModelConfig) -> Vec<(String, String)> {
    let layers = config.torch_layers(config.export_source());
    let names = parts(&layers, Dialect::Torch).into_iter();
    names
        .filter_map(|part| match part.origin {
            Origin::Tensor { name, .. } => Some((part.parameter, name)),
            _ => None,
        })
        .collect()
}

/// Writes a network as safetensors under the names of timm, torchvision or pytorchcv, whichever it was checked against, so
/// that `load_state_dict` accepts it there. The options that names and shapes don't show go into the
/// metadata, for [`load`](super::load). The same network always produces the same bytes.
///
/// # Errors
///
/// If the file can't be written.
pub fn save_safetensors(loaded: &Loaded, path: &Path) -> Result<(), WeightsError> {
    let failed = |reason: String| WeightsError::save(path, "safetensors", reason);
    let layers = loaded.config.torch_layers(loaded.config.export_source());
    // During training, `valid` merges the running statistics of the threads.
    let mut values = values(&loaded.model.valid());
    let mut saved = Vec::new();
    for part in parts(&layers, Dialect::Torch) {
        let data = values
            .remove(&part.parameter)
            .ok_or_else(|| failed(format!("the network has no {}", part.parameter)))?;
        let Origin::Tensor { name, layout } = part.origin else {
            continue;
        };
        let shape: Vec<usize> = data.shape().iter().copied().collect();
        let numbers = data
            .convert::<f32>()
            .try_to_vec::<f32>()
            .map_err(|error| failed(format!("{error:?}")))?;
        let numbers = layout.into_file(numbers, &shape);
        if let Some(norm) = name.strip_suffix(".running_var") {
            // PyTorch also stores the number of batches behind the statistics.
            let count = Saved {
                dtype: Dtype::I64,
                shape: Vec::new(),
                bytes: vec![0; 8],
            };
            saved.push((format!("{norm}.num_batches_tracked"), count));
        }
        let tensor = Saved {
            dtype: Dtype::F32,
            shape: layout.shape_in_file(&shape),
            bytes: numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
        };
        saved.push((name, tensor));
    }
    let mut metadata = metadata(loaded)?;
    metadata.insert("format".to_owned(), "pt".to_owned());
    let io = |error| WeightsError::write(path, error);
    let file = AtomicFile::create(path).map_err(io)?;
    let mut writer = BufWriter::new(file.file());
    write_safetensors(&mut writer, saved, &metadata).map_err(io)?;
    writer.flush().map_err(io)?;
    drop(writer);
    file.commit().map_err(io)
}

/// Writes a network as burnpack, with its configuration and preprocessing in the metadata. The same network always
/// produces the same bytes.
///
/// # Errors
///
/// If the file can't be written.
pub fn save_burnpack(loaded: &Loaded, path: &Path) -> Result<(), WeightsError> {
    write_burnpack(&loaded.model, &metadata(loaded)?, path)
}

/// Writes the parameters of any module as burnpack, under their paths in the module, with texts as metadata. The same
/// module gives the same bytes.
///
/// # Errors
///
/// Where the file can't be written.
pub fn write_burnpack<M: Module>(
    module: &M,
    metadata: &BTreeMap<String, String>,
    path: &Path,
) -> Result<(), WeightsError> {
    let io = |error| WeightsError::write(path, error);
    let file = AtomicFile::create(path).map_err(io)?;
    let mut tensors = module.valid().collect(None, None, false);
    for tensor in &mut tensors {
        // The identities of parameters are random numbers, which would make each file different.
        tensor.param_id = None;
    }
    let mut writer = Writer::new(tensors).auto_extension(false);
    for (key, value) in metadata {
        writer = writer.with_metadata(key, value);
    }
    writer
        .write_to_file_in_place(file.temporary_path())
        .map_err(|error| WeightsError::save(path, "burnpack", error))?;
    file.commit().map_err(io)
}

fn metadata(loaded: &Loaded) -> Result<BTreeMap<String, String>, WeightsError> {
    let metadata = Metadata {
        config: loaded.config.clone(),
        preprocessing: loaded.preprocessing,
        source: loaded.source,
        labels: loaded.labels.clone(),
        multi_label: loaded.multi_label,
    };
    metadata
        .to_texts()
        .map_err(|error| WeightsError::save(Path::new("the metadata"), "JSON", error))
}
