//! The images of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_messages::Bounds;
use xception_models::preprocessing::{Preprocessing, PreprocessingError, SIDE};

use super::error::Invalid;
use crate::data::{Augmentation, DataSource, Mosaic, folder_preprocessing};

/// A number of training images to use.
const TRAIN_IMAGES: Bounds = Bounds::at_least(2.0);
/// A number of training images to hold back.
const VALIDATION_IMAGES: Bounds = Bounds::at_least(1.0);
/// A number of test images to use.
const TEST_IMAGES: Bounds = Bounds::at_least(1.0);

/// A number of samples that an order is mixed over.
const SHUFFLE_BUFFER: Bounds = Bounds::at_least(1.0);

/// The images of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Where the images come from: `embedded`, `cifar10:DIR`, `cifar100:DIR`, `folder:DIR`, `list:FILE` or `shards:DIR`.
    #[schemars(example = DataSource::Cifar10("datasets/cifar10".into()))]
    pub source: DataSource,
    /// Height and width, in pixels, that images of a folder, a list or shards are brought to; where left out, what the
    /// weights to start from take, or what the network was published for.
    #[schemars(example = 128, transform = SIDE.of_number())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// What images of a folder, a list or shards go through; where left out, what the weights to start from want, else the
    /// shorter side is resized, the center is cropped, and pixels become numbers from -1 to 1.
    #[schemars(example = folder_preprocessing(299))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
    /// How many training images to use, with the same shares of the classes; all where left out.
    #[schemars(example = 1000, transform = TRAIN_IMAGES.of_number())]
    pub train_images: Option<usize>,
    /// How many training images to hold back, with the same shares of the classes: the same random ones in every run. Each
    /// epoch is scored on them too, so that an epoch, or a recipe, is chosen without the test images.
    #[schemars(example = 5000, transform = VALIDATION_IMAGES.of_number())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_images: Option<usize>,
    /// How many test images to use, with the same shares of the classes; all where left out.
    #[schemars(example = 500, transform = TEST_IMAGES.of_number())]
    pub test_images: Option<usize>,
    /// How many samples the order of shards is mixed over, 10,000 where left out: an epoch goes through the shards in a random order,
    /// and of so many samples that follow each other always a random one comes next.
    #[schemars(example = 50_000, transform = SHUFFLE_BUFFER.of_number())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffle_buffer: Option<usize>,
    /// Makes mosaics of the images, with a set of labels each, which are then trained on and scored: what is counted by
    /// `train_images` and the others are the images that mosaics are made of.
    #[schemars(example = Mosaic::default())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mosaic: Option<Mosaic>,
    /// What is done to a training image at random.
    #[schemars(example = Augmentation::none())]
    pub augmentation: Augmentation,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            source: DataSource::Embedded,
            image_size: None,
            preprocessing: None,
            train_images: None,
            validation_images: None,
            test_images: None,
            shuffle_buffer: None,
            mosaic: None,
            augmentation: Augmentation::default(),
        }
    }
}

impl DataConfig {
    /// Checks that every value is in its range.
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let variance = " (batch normalization has no variance of one image)";
        for (key, value, bounds, note) in [
            ("image_size", self.image_size, SIDE, ""),
            ("train_images", self.train_images, TRAIN_IMAGES, variance),
            (
                "validation_images",
                self.validation_images,
                VALIDATION_IMAGES,
                "",
            ),
            ("test_images", self.test_images, TEST_IMAGES, ""),
            ("shuffle_buffer", self.shuffle_buffer, SHUFFLE_BUFFER, ""),
        ] {
            if let Some(value) = value.filter(|&value| !bounds.contains_count(value)) {
                let path = format!("data.{key}");
                return Err(Invalid::new(path, value, &format!("{bounds}{note}")));
            }
        }
        if let Some(mosaic) = &self.mosaic
            && let Some((option, found, expected)) = mosaic.out_of_range()
        {
            return Err(Invalid::new(
                format!("data.mosaic.{option}"),
                found,
                &expected,
            ));
        }
        if let Some((option, found, expected)) = self.augmentation.out_of_range() {
            let path = format!("data.augmentation.{option}");
            return Err(Invalid::new(path, found, &expected));
        }
        let Some(preprocessing) = &self.preprocessing else {
            return Ok(());
        };
        preprocessing.check().map_err(|error| match error {
            PreprocessingError::OutOfRange {
                option,
                found,
                expected,
            } => Invalid::new(format!("data.preprocessing.{option}"), found, &expected),
            other => Invalid::saying("data.preprocessing", other.to_string()),
        })
    }
}
