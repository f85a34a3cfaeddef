//! What a run needs before it starts: its configuration resolved, its images, and a network that fits them.

use burn::module::Module;
use burn::prelude::Device;

use super::initial_weights;
use super::memory;
use super::run::Run;
use super::starting_weights::starting_network;
use crate::TrainError;
use crate::config::RunConfig;
use crate::data::{DataError, Dataset, LoadOptions, Normalization};
use crate::network::{ImageClassifier, NetworkConfig, NetworkSize};

impl<M: NetworkConfig> Run<'_, M> {
    /// Returns what a run of this configuration needs: the configuration with all that the weights to start from and the
    /// complexity decide, and the images.
    ///
    /// # Errors
    ///
    /// As [`RunConfig::with_starting_weights`], [`load_data`](Self::load_data) and [`RunConfig::at_complexity`], and
    /// where the images are too small for their augmentation.
    pub fn prepare(config: &RunConfig<M>) -> Result<(RunConfig<M>, Dataset), TrainError> {
        let config = config.with_starting_weights()?;
        let data = Self::load_data(&config)?;
        config.data.augmentation.check(data.size())?;
        let config = config.at_complexity(data.classes.len(), data.size())?;
        Ok((config, data))
    }

    /// Loads the images of a configuration that was prepared, as that of a run's folder was.
    ///
    /// # Errors
    ///
    /// Where they can't be read, or there are fewer than asked for.
    pub fn load_data(config: &RunConfig<M>) -> Result<Dataset, TrainError> {
        let preprocessing = config.preprocessing();
        preprocessing.check().map_err(DataError::from)?;
        let mut options = LoadOptions::new(preprocessing);
        if let Some(samples) = config.data.shuffle_buffer {
            options.shuffle_buffer = samples;
        }
        let mut data = config.data.source.load_as(&options)?;
        if config.finetune.is_some() {
            // Pixels are scaled as the weights have learned them, whatever the data.
            data.normalization = Normalization::of(&preprocessing)?;
        }
        // First, so that the validation images are the same for any number of training images.
        if let Some(images) = config.data.validation_images {
            data = data.hold_back(images)?;
        }
        let data = data.limit(config.data.train_images, config.data.test_images)?;
        Ok(match config.data.mosaic {
            Some(mosaic) => data.with_mosaics(mosaic)?,
            None => data,
        })
    }

    /// Returns the number of images in a batch: what the recipe asks for, or all training images where they are fewer.
    pub fn batch_size(config: &RunConfig<M>, data: &Dataset) -> usize {
        config.recipe.batch_size.min(data.train.len())
    }

    /// Says where a batch has fewer images than the recipe asks for, because there are no more.
    pub fn batch_warning(config: &RunConfig<M>, data: &Dataset) -> Option<String> {
        let (asked, images) = (config.recipe.batch_size, Self::batch_size(config, data));
        (images < asked).then(|| {
            format!(
                "recipe.batch_size is {asked}, but there are only {images} training images: each batch has all of them"
            )
        })
    }

    /// Counts the network of a prepared configuration without making its weights, and checks that it, the
    /// images, the recipe, the device and the memory of this machine fit together.
    ///
    /// # Errors
    ///
    /// Where they don't.
    pub fn outline(
        config: &RunConfig<M>,
        data: &Dataset,
        device: &Device,
    ) -> Result<NetworkSize, TrainError> {
        config.recipe.precision.check(device)?;
        let model = config.resolve(data.classes.len())?.model;
        let network = make(&model, &Device::flex())?;
        check_images(&network, config, data)?;
        if config
            .finetune
            .as_ref()
            .is_some_and(|finetune| finetune.backbone_rate != 1.0)
            && network.stage_parameters().is_empty()
        {
            return Err(TrainError::NoStages {
                option: "finetune.backbone_rate",
                remedy: "1",
            });
        }
        let size = NetworkSize::of(&network, data.size());
        memory::check(&Self::as_batched(config, data), &size, device)?;
        Ok(size)
    }

    /// Returns the bytes of memory that a run takes at least.
    pub(crate) fn least_memory(
        config: &RunConfig<M>,
        data: &Dataset,
        size: &NetworkSize,
        device: &Device,
    ) -> u64 {
        memory::needed(&Self::as_batched(config, data), size, device)
    }

    /// Returns the configuration with batches as large as they are.
    fn as_batched(config: &RunConfig<M>, data: &Dataset) -> RunConfig<M> {
        let mut config = config.clone();
        config.recipe.batch_size = Self::batch_size(&config, data);
        config
    }

    /// Checks that model, data and recipe fit together, and makes the network, with random weights or
    /// those that the configuration starts from.
    ///
    /// Random weights are drawn on the processor whatever the device, so that a seed means the same
    /// network on every backend; variants have the same weights where names and shapes are the same. Burn's generator is
    /// one for the whole process: no other thread may draw meanwhile.
    ///
    /// # Errors
    ///
    /// Where they don't fit.
    pub fn init_network(
        config: &RunConfig<M>,
        data: &Dataset,
        seed: u64,
        device: &Device,
    ) -> Result<M::Network, TrainError> {
        let processor = match device.is_autodiff() {
            true => Device::flex().autodiff(),
            false => Device::flex(),
        };
        let classes = data.classes.len();
        let model = config.resolve(classes)?.model;
        let network = match &config.finetune {
            Some(finetune) => starting_network::<M>(finetune, classes, &processor)?,
            None => make(&model, &processor)?,
        };
        check_images(&network, config, data)?;
        initial_weights::draw(&network, seed, &processor);
        Ok(network.fork(&processor).fork(device))
    }
}

/// Checks that images are large enough for the network and enough for a batch.
fn check_images<M: NetworkConfig>(
    network: &M::Network,
    config: &RunConfig<M>,
    data: &Dataset,
) -> Result<(), TrainError> {
    network.check_size(data.size())?;
    config.data.augmentation.check(data.size())?;
    match data.train.len() {
        images @ ..2 => Err(TrainError::TooFewImages { images }),
        _ => Ok(()),
    }
}

/// Makes a network with random weights.
fn make<M: NetworkConfig>(model: &M, device: &Device) -> Result<M::Network, TrainError> {
    model
        .init(device)
        .map_err(|error| TrainError::network(model.name(), error))
}
