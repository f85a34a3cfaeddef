//! Loading of a network from a weights file, whatever its format and source.

use std::path::Path;

use burn::prelude::*;
use burn::tensor::activation::{sigmoid, softmax};
use xception_formats::{
    Format, KerasFile, NamedTensors, WeightsFile, read_burnpack, read_pytorch, read_safetensors,
};

use super::background;
use super::compare::{compare, is_head};
use super::keras;
use super::layer::{Dialect, Origin, Part, parts};
use super::layout::Layout;
use super::metadata::Metadata;
use super::source::Source;
use super::{WeightsError, limits, parameters, torch_names};
use crate::preprocessing::{Labels, Preprocessing};
use crate::{Model, ModelConfig};

/// The classifier that a loaded network gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Head {
    /// The classifier of the file.
    #[default]
    Keep,
    /// A new classifier with random weights and this number of classes, for fine-tuning. The file may have any
    /// classifier, or none.
    New(usize),
    /// A placeholder of a single class with random weights, for programs that use the features alone. The file may
    /// have any classifier, or none.
    Unused,
}

/// Options of [`load`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadOptions {
    /// The classifier that the network gets.
    pub head: Head,
    /// Whether tensors that the network doesn't use are allowed in the file.
    pub allow_unused: bool,
    /// Prefix of the network's names, such as `ema.`, if the file holds several networks.
    pub prefix: Option<String>,
    /// Configuration of the network, if names and shapes don't determine it: they don't show the small stem, an
    /// activation between depthwise and pointwise convolutions, or the output stride.
    pub config: Option<ModelConfig>,
}

/// A network with the conventions that belong to its weights.
#[derive(Debug)]
pub struct Loaded {
    /// Source of the weights.
    pub source: Source,
    /// Configuration of the network, with the source's padding, batch-norm epsilon and so on.
    pub config: ModelConfig,
    /// The network.
    pub model: Model,
    /// Preprocessing of the network's images.
    pub preprocessing: Preprocessing,
    /// Names of the classes: those in the file, or ImageNet's if there are 1000 classes.
    pub labels: Option<Labels>,
    /// Whether the network was trained to name every class of an image, by cross-entropy with sigmoid, rather than its one class,
    /// with softmax.
    pub multi_label: bool,
}

impl Loaded {
    /// Returns the probabilities that logits stand for: their softmax, which sums to 1 over the classes, or, of a
    /// [multi-label](Self::multi_label) network, the sigmoid of each.
    ///
    /// # Shapes
    ///
    /// - `logits` and output: `[batch, classes]`
    pub fn probabilities(&self, logits: Tensor<2>) -> Tensor<2> {
        match self.multi_label {
            true => sigmoid(logits),
            false => softmax(logits, 1),
        }
    }
}

/// Loads a network from a file of any known format and source, both of which are recognized by the file's content. The file is given by
/// its path, or is a [`WeightsFile`] in memory.
///
/// # Errors
///
/// If the file can't be read, holds no known network, or its tensors aren't exactly those of the network, except for
/// the differences that the options allow.
pub fn load(
    file: impl Into<WeightsFile>,
    options: &LoadOptions,
    device: &Device,
) -> Result<Loaded, WeightsError> {
    let file = file.into();
    let path = file.path();
    let (tensors, found) = match Format::of(&file)? {
        Format::Safetensors => by_names(path, read_safetensors(&file)?, options)?,
        Format::Pytorch => by_names(path, read_pytorch(&file)?, options)?,
        Format::Burnpack => {
            let tensors = without_variant(read_burnpack(&file)?);
            by_names(path, with_present_names(tensors), options)?
        }
        Format::Hdf5 => of_keras(path, KerasFile::read_hdf5(&file)?, options)?,
        Format::KerasArchive => of_keras(path, KerasFile::read_archive(&file)?, options)?,
    };
    make(path, &tensors, found, options, device)
}

/// Strips the prefix that a variant of [`Model`] puts before the paths of its parameters.
fn without_variant(tensors: NamedTensors) -> NamedTensors {
    let variant = Model::VARIANTS.iter().find(|variant| {
        let mut names = tensors.names();
        names.any(|name| name.starts_with(**variant))
    });
    match variant {
        Some(variant) => tensors.strip(variant),
        None => tensors,
    }
}

/// Gives the parameters of separable convolutions, which have a pointwise part too, their present paths, which differ from
/// those of earlier versions.
fn with_present_names(tensors: NamedTensors) -> NamedTensors {
    let present = |name: &str| {
        let renamed = [
            (".depthwise.", ".spatial."),
            (".depthwise_norm.", ".norm_between."),
        ];
        renamed.into_iter().find_map(|(earlier, present)| {
            let (layer, parameter) = name.split_once(earlier)?;
            let separable = tensors.contains(&format!("{layer}.pointwise.weight"));
            separable.then(|| format!("{layer}{present}{parameter}"))
        })
    };
    let names: Vec<_> = tensors.names().map(present).collect();
    let renamed = tensors.tensors.into_iter().zip(names);
    NamedTensors {
        tensors: renamed
            .map(|((name, tensor), present)| (present.unwrap_or(name), tensor))
            .collect(),
        metadata: tensors.metadata,
    }
}

/// A network found in a file, as the file describes it.
struct Found {
    source: Source,
    config: ModelConfig,
    preprocessing: Preprocessing,
    labels: Option<Labels>,
    multi_label: bool,
    names: Names,
}

/// The scheme of the tensors' names.
#[derive(Clone, Copy, PartialEq)]
enum Names {
    /// Names of PyTorch, in this source's form.
    Torch(Source),
    /// Names of the tables for Keras.
    Keras,
    /// Paths of parameters in this crate's modules.
    Module,
}

/// Finds the network by the names of its tensors, and strips their prefix.
fn by_names(
    path: &Path,
    tensors: NamedTensors,
    options: &LoadOptions,
) -> Result<(NamedTensors, Found), WeightsError> {
    let prefix = prefix(path, &tensors, options)?;
    find(path, tensors.strip(&prefix), options)
}

/// Finds the network in a Keras file, and checks that its head can be loaded.
fn of_keras(
    path: &Path,
    file: KerasFile,
    options: &LoadOptions,
) -> Result<(NamedTensors, Found), WeightsError> {
    let keras = keras::find(path, file)?;
    let trusted = options.head != Head::Keep || options.config.is_some();
    if let Some(reason) = keras.strange_head.filter(|_| !trusted) {
        return Err(WeightsError::UnknownHead {
            path: path.to_owned(),
            reason,
        });
    }
    let found = Found {
        source: Source::Keras,
        config: keras.config,
        preprocessing: keras.preprocessing,
        labels: None,
        multi_label: false,
        names: Names::Keras,
    };
    Ok((keras.tensors, found))
}

/// Makes the network and fills in its parameters.
fn make(
    path: &Path,
    tensors: &NamedTensors,
    found: Found,
    options: &LoadOptions,
    device: &Device,
) -> Result<Loaded, WeightsError> {
    let file_config = options
        .config
        .clone()
        .unwrap_or_else(|| found.config.clone());
    limits::check(path, &file_config, tensors.tensors.len())?;
    let all_parts = found.parts(&file_config, tensors, device)?;
    let config = match options.head {
        Head::Keep => file_config,
        Head::New(classes) => file_config.with_new_head().with_classes(classes),
        Head::Unused => file_config.with_new_head().with_classes(1),
    };

    let model = config.init(device)?;
    let shapes = parameters::shapes(&model);
    limits::check_parameters(path, &shapes)?;
    // Besides the classifier, a network with a new one may lack more of the file, such as auxiliary classifiers.
    let new_head = options.head != Head::Keep;
    let is_replaced = |part: &Part| {
        new_head && (is_head(&part.parameter) || !shapes.contains_key(&part.parameter))
    };
    let (replaced, parts): (Vec<_>, Vec<_>) = all_parts.into_iter().partition(is_replaced);
    // In a Keras file, the only tensors left over are those of a head that no network here has; a new head replaces
    // it.
    let ignored = |name: &str| {
        options.allow_unused
            || name.ends_with("num_batches_tracked")
            || (new_head && (found.names == Names::Keras || names_one_of(&replaced, name)))
    };
    let mismatch = compare(&parts, &shapes, tensors, ignored);
    if mismatch.only_the_head_is_missing && mismatch.unused.is_empty() {
        return Err(WeightsError::NoClassifier {
            path: path.to_owned(),
            network: config.name(),
            missing: mismatch.missing,
        });
    }
    if !mismatch.is_empty() {
        return Err(WeightsError::Mismatch {
            path: path.to_owned(),
            network: config.name(),
            mismatch: Box::new(mismatch),
        });
    }
    let model = parameters::fill(model, &parts, tensors)
        .map_err(|reason| WeightsError::malformed(path, "weights", reason))?;
    let labels = match options.head {
        Head::Keep => found
            .labels
            .or_else(|| (config.classes() == 1000).then(Labels::imagenet_1k)),
        Head::New(_) | Head::Unused => None,
    };
    Ok(Loaded {
        source: found.source,
        config,
        model,
        preprocessing: found.preprocessing,
        labels,
        multi_label: found.multi_label && options.head == Head::Keep,
    })
}

/// Returns the prefix of the network's names.
fn prefix(
    path: &Path,
    tensors: &NamedTensors,
    options: &LoadOptions,
) -> Result<String, WeightsError> {
    if let Some(prefix) = &options.prefix {
        return Ok(prefix.clone());
    }
    let prefixes = torch_names::prefixes(tensors);
    if prefixes.len() > 1 {
        return Err(WeightsError::SeveralNetworks {
            path: path.to_owned(),
            prefixes,
        });
    }
    Ok(prefixes.into_iter().next().unwrap_or_default())
}

/// Finds the network by the names of its tensors, which have no prefix.
fn find(
    path: &Path,
    tensors: NamedTensors,
    options: &LoadOptions,
) -> Result<(NamedTensors, Found), WeightsError> {
    let metadata = Metadata::from_texts(&tensors.metadata, path)?;
    let by_names = ModelConfig::find_torch(&tensors);
    let names = by_names
        .as_ref()
        .map_or(Names::Module, |(source, _)| Names::Torch(*source));
    if let Some(metadata) = metadata {
        let found = Found {
            source: metadata.source,
            config: metadata.config,
            preprocessing: metadata.preprocessing,
            labels: metadata.labels,
            multi_label: metadata.multi_label,
            names,
        };
        return Ok((tensors, found));
    }
    let Some((source, config)) = by_names else {
        let first = tensors.names().take(5).map(str::to_owned);
        return Err(WeightsError::UnknownNetwork {
            path: path.to_owned(),
            count: tensors.tensors.len(),
            first: first.collect(),
        });
    };
    let callers = options.config.as_ref();
    let (tensors, config) = background::leave_out(tensors, source, config, callers);
    let found = Found {
        preprocessing: source.preprocessing(&config),
        labels: None,
        multi_label: false,
        source,
        config,
        names,
    };
    Ok((tensors, found))
}

impl Found {
    /// Lists the parameters of a network of this configuration, with their names in the file.
    fn parts(
        &self,
        config: &ModelConfig,
        tensors: &NamedTensors,
        device: &Device,
    ) -> Result<Vec<Part>, WeightsError> {
        Ok(match self.names {
            Names::Torch(source) => parts(&config.torch_layers(source), Dialect::Torch),
            Names::Keras => keras::parts(config, tensors),
            Names::Module => parameters::shapes(&config.init(device)?)
                .into_keys()
                .map(|parameter| Part {
                    origin: Origin::Tensor {
                        name: parameter.clone(),
                        layout: Layout::Same,
                    },
                    parameter,
                })
                .collect(),
        })
    }
}

/// Returns whether a tensor belongs to one of these parts, or to several layers in place of one, such as `fc.1.weight`
/// instead of the usual `fc.weight`, or `classifier.1.weight` instead of `classifier.6.weight`.
fn names_one_of(parts: &[Part], name: &str) -> bool {
    parts.iter().any(|part| {
        let tensors = part.origin.tensors();
        let mut modules = tensors.iter().filter_map(|(own, _)| own.rsplit_once('.'));
        modules.any(|(module, _)| {
            let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
            let module = match module.rsplit_once('.') {
                Some((list, index)) if is_number(index) => list,
                _ => module,
            };
            let rest = name.strip_prefix(module);
            rest.is_some_and(|rest| rest.starts_with('.'))
        })
    })
}
