//! A data set in memory: images of one size with their labels, in a training and a test split, and, where asked of it, a
//! validation part of the training split.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use xception_images::{Filter, Preprocessing, Resize, ResizeMode, Scaling};

use crate::{DataError, Images, Mosaic, Mosaics, Normalization, Samples, Skipped};

/// The channels of an image: red, green and blue.
pub(crate) const CHANNELS: usize = 3;

/// A labelled data set with a training and a test split.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its name for people, such as `CIFAR-10`.
    pub name: String,
    /// Where it was loaded from, as [`DataSource`](crate::DataSource) spells it.
    pub source: String,
    /// The publication to cite.
    pub citation: String,
    /// The classes' names; a label is an index into them.
    pub classes: Vec<String>,
    /// The images to train with. Shared, so that batches can be prepared in other threads without a copy.
    pub train: Arc<Images>,
    /// Training images that are held back, to choose an epoch or a recipe by.
    pub validation: Option<Arc<Images>>,
    /// The images to test with.
    pub test: Arc<Images>,
    /// The statistics that inputs are normalized with.
    pub normalization: Normalization,
    /// The mosaics that samples are, in place of the images themselves.
    pub mosaics: Option<MosaicSplits>,
    /// Files and folders that were passed over, for the program to tell.
    pub skipped: Vec<Skipped>,
}

/// The mosaics of a data set's splits.
#[derive(Debug, Clone)]
pub struct MosaicSplits {
    /// How they are put together.
    pub mosaic: Mosaic,
    /// Those to train with, other ones in every epoch.
    pub train: Mosaics,
    /// Those of the training images that are held back.
    pub validation: Option<Mosaics>,
    /// Those to test with.
    pub test: Mosaics,
}

impl Dataset {
    /// Returns the samples to train with.
    #[must_use]
    pub fn training_samples(&self) -> Samples {
        match &self.mosaics {
            Some(mosaics) => Samples::Mosaics(mosaics.train.clone()),
            None => Samples::Images(self.train.clone()),
        }
    }

    /// Returns the samples to choose an epoch or a recipe by, if training images are held back.
    #[must_use]
    pub fn validation_samples(&self) -> Option<Samples> {
        match &self.mosaics {
            Some(mosaics) => mosaics.validation.clone().map(Samples::Mosaics),
            None => self.validation.clone().map(Samples::Images),
        }
    }

    /// Returns the samples to test with.
    #[must_use]
    pub fn test_samples(&self) -> Samples {
        match &self.mosaics {
            Some(mosaics) => Samples::Mosaics(mosaics.test.clone()),
            None => Samples::Images(self.test.clone()),
        }
    }

    /// Returns the height and width of a sample.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.training_samples().size()
    }

    /// Returns how common each class is among the labels of the samples, where samples have sets of labels; the shares
    /// sum to 1.
    #[must_use]
    pub fn label_shares(&self) -> Option<Vec<f64>> {
        let mosaics = self.mosaics.as_ref()?;
        Some(mosaics.train.label_shares())
    }

    /// Makes mosaics of the images, which are then the samples.
    ///
    /// # Errors
    ///
    /// [`DataError::Mosaic`] where the images of a split can't fill one.
    pub fn with_mosaics(mut self, mosaic: Mosaic) -> Result<Self, DataError> {
        let classes = self.classes.len();
        let fixed = |images: &Arc<Images>| Mosaics::new(images.clone(), classes, mosaic, true);
        self.mosaics = Some(MosaicSplits {
            mosaic,
            train: Mosaics::new(self.train.clone(), classes, mosaic, false)?,
            validation: self.validation.as_ref().map(fixed).transpose()?,
            test: fixed(&self.test)?,
        });
        self.name = format!(
            "{}, mosaics of {} x {}",
            self.name, mosaic.grid, mosaic.grid
        );
        Ok(self)
    }

    /// Returns what an image has to go through to look like those of the data set.
    pub fn preprocessing(&self) -> Preprocessing {
        let Normalization { mean, std } = self.normalization;
        Preprocessing {
            size: self.size(),
            resize: Resize {
                filter: Filter::Bilinear,
                antialias: true,
                mode: ResizeMode::ShortestSide,
            },
            crop_fraction: 1.0,
            scaling: Scaling::MeanStd { mean, std },
        }
    }

    /// Returns the SHA-256, in hexadecimal, of the training images, those held back for validation, if there are any, and
    /// the test images.
    ///
    /// Of each: height, width and number of images as `u64`, then all pixels, then all labels as `u32`, numbers in
    /// little-endian order. Of mosaics then their grid and their number of labels as `u64`, and their skew as `f64`.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut digest = Sha256::new();
        self.train.update_digest(&mut digest);
        if let Some(validation) = &self.validation {
            validation.update_digest(&mut digest);
        }
        self.test.update_digest(&mut digest);
        if let Some(MosaicSplits { mosaic, .. }) = &self.mosaics {
            digest.update((mosaic.grid as u64).to_le_bytes());
            digest.update((mosaic.labels as u64).to_le_bytes());
            digest.update(mosaic.skew.to_le_bytes());
        }
        format!("{:x}", digest.finalize())
    }

    /// Holds back this number of training images for validation: random ones, the same in every run, in the proportions of
    /// the classes.
    ///
    /// # Errors
    ///
    /// [`DataError::Limit`] where the number is 0 or leaves no training image.
    pub fn hold_back(mut self, validation: usize) -> Result<Self, DataError> {
        let (train, held_back) = self.train.split(validation).ok_or(DataError::Limit {
            split: "validation",
            asked: validation,
            available: self.train.len().saturating_sub(1),
        })?;
        self.train = Arc::new(train);
        self.validation = Some(Arc::new(held_back));
        Ok(self)
    }

    /// Returns the same data set with only the first part of one or both splits, stratified (see [`Images::limit`]).
    ///
    /// # Errors
    ///
    /// [`DataError::Limit`] where a number is 0 or above the size of the split.
    pub fn limit(mut self, train: Option<usize>, test: Option<usize>) -> Result<Self, DataError> {
        for (split, images, limit) in [
            ("training", &mut self.train, train),
            ("test", &mut self.test, test),
        ] {
            let Some(asked) = limit else { continue };
            let available = images.len();
            let limited = images.limit(asked).ok_or(DataError::Limit {
                split,
                asked,
                available,
            })?;
            *images = Arc::new(limited);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(labels: &[u32]) -> Images {
        let pixels = (0..labels.len() * 12).map(|i| (i % 251) as u8).collect();
        Images::new([2, 2], pixels, labels.to_vec(), 3).unwrap()
    }

    fn dataset(labels: &[u32]) -> Dataset {
        Dataset {
            name: "test".into(),
            source: "test".into(),
            citation: String::new(),
            classes: ["a", "b", "c"].map(String::from).to_vec(),
            train: Arc::new(images(labels)),
            validation: None,
            test: Arc::new(images(&[0, 1])),
            normalization: Normalization::CIFAR10,
            mosaics: None,
            skipped: Vec::new(),
        }
    }

    #[test]
    fn holding_back_changes_the_hash_and_says_what_is_too_many() {
        let data = dataset(&[0, 1, 2, 0, 1, 2]);
        let split = data.clone().hold_back(3).unwrap();
        assert_eq!(split.train.len(), 3);
        assert_eq!(split.validation.as_ref().unwrap().len(), 3);
        assert_ne!(split.sha256(), data.sha256());
        assert_eq!(
            data.hold_back(6).unwrap_err().to_string(),
            "6 validation images asked for: give a number from 1 to 5, the size of the split"
        );
    }

    #[test]
    fn limit_refuses_what_it_cannot_give() {
        let data = dataset(&[0, 1, 2]);
        let error = data.clone().limit(Some(4), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "4 training images asked for: give a number from 1 to 3, the size of the split"
        );
        assert!(matches!(
            data.clone().limit(None, Some(0)),
            Err(DataError::Limit {
                split: "test",
                asked: 0,
                available: 2
            })
        ));
        assert_eq!(data.limit(Some(2), Some(1)).unwrap().train.len(), 2);
    }

    #[test]
    fn sha256_sees_pixels_labels_and_splits() {
        let base = dataset(&[0, 1, 2]).sha256();
        assert_eq!(base.len(), 64);
        assert_eq!(base, dataset(&[0, 1, 2]).sha256());
        assert_ne!(base, dataset(&[0, 1, 1]).sha256());
        let mut swapped = dataset(&[0, 1, 2]);
        std::mem::swap(&mut swapped.train, &mut swapped.test);
        assert_ne!(base, swapped.sha256());
    }
}
