//! The configuration of a network.

use std::error::Error;
use std::fmt::Debug;
use std::path::Path;

use burn::prelude::Device;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xception_models::pretrained::PretrainedWeights;
use xception_models::weights::Head;
use xception_models::{Complexity, ModelError};

use super::{ImageClassifier, Trained};
use crate::TrainError;

/// An error of any type.
pub type BoxedError = Box<dyn Error + Send + Sync>;

/// The configuration of a network: what stands under `"model"` in the JSON of a run or an ablation.
///
/// Implement it for a type with serde's derives, `#[serde(deny_unknown_fields)]`, and a field for the number of
/// classes with `#[serde(default)]`. Mistakes in a file then have a line, a column and the nearest valid name, and axes
/// and variants reach every field as `model.FIELD`. With schemars' `JsonSchema` the type has
/// [schemas](crate::config::schema) too.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::prelude::*;
/// use serde::{Deserialize, Serialize};
/// use xception_train::config::RunConfig;
/// use xception_train::{BoxedError, ImageClassifier, NetworkConfig};
///
/// #[derive(Module, Debug)]
/// struct MeanColor {
///     hidden: Linear,
///     classifier: Linear,
/// }
///
/// impl ImageClassifier for MeanColor {
///     fn forward(&self, images: Tensor<4>) -> Tensor<2> {
///         let color = images.mean_dim(3).mean_dim(2).flatten(1, 3); // [batch, 3]
///         self.classifier.forward(burn::tensor::activation::relu(self.hidden.forward(color)))
///     }
/// }
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct MeanColorConfig {
///     units: usize,
///     #[serde(default)]
///     classes: usize,
/// }
///
/// impl NetworkConfig for MeanColorConfig {
///     type Network = MeanColor;
///
///     fn name(&self) -> String {
///         "mean color".to_owned()
///     }
///
///     fn classes(&self) -> usize {
///         self.classes
///     }
///
///     fn with_classes(self, classes: usize) -> Self {
///         Self { classes, ..self }
///     }
///
///     fn init(&self, device: &Device) -> Result<MeanColor, BoxedError> {
///         Ok(MeanColor {
///             hidden: LinearConfig::new(3, self.units).init(device),
///             classifier: LinearConfig::new(self.units, self.classes).init(device),
///         })
///     }
/// }
///
/// let config: RunConfig<MeanColorConfig> = RunConfig::parse(r#"{"model": {"units": 8}}"#, &[])?;
/// assert_eq!(config.model.units, 8);
/// let error = RunConfig::<MeanColorConfig>::parse(r#"{"model": {"unit": 8}}"#, &[]).unwrap_err();
/// assert!(error.to_string().starts_with("line 1, column 12: `model.unit`: there is no such key; did you mean `units`?"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait NetworkConfig:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The network.
    type Network: ImageClassifier + 'static;

    /// The number of classes that a configuration has if none was given; `None` if any number was meant to be there. It
    /// is consulted only for configurations that were not read with [`RunConfig`](crate::config::RunConfig).
    const DEFAULT_CLASSES: Option<usize> = None;

    /// Returns the network's name, for people.
    fn name(&self) -> String;

    /// Returns the number of classes.
    fn classes(&self) -> usize;

    /// Sets the number of classes, which is that of the data unless the file gives another.
    #[must_use]
    fn with_classes(self, classes: usize) -> Self;

    /// Makes the network, with random weights.
    ///
    /// The laboratory calls it on the processor whatever the device, right after it has seeded Burn's generator, so that
    /// a seed means the same weights on every backend.
    ///
    /// # Errors
    ///
    /// If there is no such network.
    fn init(&self, device: &Device) -> Result<Self::Network, BoxedError>;

    /// Checks that every option is in its range. [`ModelError::OutOfRange`] names the option by its key, and the error of
    /// a file then has the option's line and column.
    ///
    /// # Errors
    ///
    /// If an option is out of its range.
    fn check(&self) -> Result<(), ModelError> {
        Ok(())
    }

    /// Returns the configuration with the width at which the network has this complexity, for images of this height and
    /// width, in pixels. Without an implementation there is no width to choose.
    ///
    /// # Errors
    ///
    /// If no width comes close enough.
    fn fit(self, _complexity: Complexity, _image_size: [usize; 2]) -> Result<Self, ModelError> {
        Err(ModelError::OutOfRange {
            option: "complexity",
            found: "given".to_owned(),
            expected: "left out, since this network has no width to choose".to_owned(),
        })
    }

    /// Returns the height and width of the images that the network is for, in pixels: images of a folder are brought to
    /// it if the configuration of the run does not say otherwise.
    fn image_size(&self) -> usize {
        32
    }

    /// Returns the key under `"model"` that the options stand under; `None` if they stand there directly.
    fn options_key(&self) -> Option<&str> {
        None
    }

    /// Writes a trained network to a file.
    ///
    /// # Errors
    ///
    /// If the file can't be written.
    fn save(trained: &Trained<Self>, path: &Path) -> Result<(), TrainError> {
        trained.write(path)
    }

    /// Reads a trained network from a file that [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or holds another network.
    fn load(path: &Path, device: &Device) -> Result<Trained<Self>, TrainError> {
        Trained::read(path, device)
    }

    /// Reads the network that a run starts from. Without an implementation it takes what [`load`](Self::load) takes, and
    /// keeps its classifier.
    ///
    /// # Errors
    ///
    /// If the weights can't be read, or a new classifier is wanted and there is no implementation that makes one.
    fn load_starting(
        weights: &StartingWeights,
        device: &Device,
    ) -> Result<Trained<Self>, TrainError> {
        match (weights.head, weights.published) {
            (Head::Keep, None) => Self::load(weights.path, device),
            (Head::Keep, Some(published)) => Err(TrainError::PublishedWeights {
                name: published.name.to_owned(),
            }),
            (Head::New(_) | Head::Unused, _) => Err(TrainError::NewHead),
        }
    }
}

/// Weights that a run starts from instead of random ones.
#[derive(Debug, Clone, Copy)]
pub struct StartingWeights<'a> {
    /// The file.
    pub path: &'a Path,
    /// What is known of it, if it is a published one that was asked for by its name.
    pub published: Option<&'static PretrainedWeights>,
    /// The fate of the classifier.
    pub head: Head,
}
