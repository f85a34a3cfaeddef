//! A data set: samples with their labels, in a training and a test split, and, where there is one, a validation part of the
//! training split.

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use xception_images::{Filter, Preprocessing, Resize, ResizeMode, Scaling};

use crate::content::SampleError;
use crate::{BrokenImage, DataError, Mosaic, Mosaics, Normalization, Samples, Skipped};

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
    /// The samples to train with.
    pub train: Samples,
    /// Samples to choose an epoch or a recipe by: training samples that are held back, or the data set's own.
    pub validation: Option<Samples>,
    /// The samples to test with.
    pub test: Samples,
    /// The statistics that inputs are normalized with.
    pub normalization: Normalization,
    /// How the samples are put together from images, where they are mosaics.
    pub mosaic: Option<Mosaic>,
    /// Files and folders that were passed over, for the program to tell.
    pub skipped: Vec<Skipped>,
}

impl Dataset {
    /// Returns the height and width of a sample.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.train.size()
    }

    /// Returns how common each class is among the labels of the training samples, where samples have sets of labels; the shares
    /// sum to 1.
    #[must_use]
    pub fn label_shares(&self) -> Option<Vec<f64>> {
        self.train.label_shares()
    }

    /// Makes mosaics of the images, which are then the samples.
    ///
    /// # Errors
    ///
    /// [`DataError::Mosaic`] where the images of a split can't fill one, and [`DataError::MosaicOfSets`] where they have sets of
    /// labels.
    pub fn with_mosaics(mut self, mosaic: Mosaic) -> Result<Self, DataError> {
        let classes = self.classes.len();
        let mosaics = |images: &Samples, is_fixed| {
            Mosaics::new(images.clone(), classes, mosaic, is_fixed).map(Samples::Mosaics)
        };
        self.train = mosaics(&self.train, false)?;
        self.validation = match &self.validation {
            Some(images) => Some(mosaics(images, true)?),
            None => None,
        };
        self.test = mosaics(&self.test, true)?;
        self.mosaic = Some(mosaic);
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

    /// Returns the SHA-256, in hexadecimal, of the training samples, those for validation, if there are any, and the test
    /// samples.
    ///
    /// Of images in memory: height, width and number of images as `u64`, then all pixels, then all labels as `u32`, numbers in
    /// little-endian order. **Of stored images, their pixels don't count**, since a run would have to read all of them before its
    /// first step: height, width and number, then the SHA-256 of the names, the sizes in bytes and the labels of the whole table,
    /// then, of a part of it, the places of the images as `u32`. Of mosaics, the images, and after all splits their grid and their
    /// number of labels as `u64`, and their skew as `f64`.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut digest = Sha256::new();
        let splits = [
            Some(&self.train),
            self.validation.as_ref(),
            Some(&self.test),
        ];
        for samples in splits.into_iter().flatten() {
            samples.update_digest(&mut digest);
        }
        if let Some(mosaic) = &self.mosaic {
            digest.update((mosaic.grid as u64).to_le_bytes());
            digest.update((mosaic.labels as u64).to_le_bytes());
            digest.update(mosaic.skew.to_le_bytes());
        }
        format!("{:x}", digest.finalize())
    }

    /// Holds back this number of training samples for validation: random ones, the same in every run, in the proportions of
    /// the classes where each sample has one class.
    ///
    /// # Errors
    ///
    /// [`DataError::Limit`] where the number is 0 or leaves no training sample, and [`DataError::OwnValidation`] where the data
    /// set has validation samples of its own.
    pub fn hold_back(mut self, validation: usize) -> Result<Self, DataError> {
        if let Some(samples) = &self.validation {
            let images = samples.len();
            return Err(DataError::OwnValidation { images });
        }
        let (train, held_back) = self.train.split(validation).ok_or(DataError::Limit {
            split: "validation",
            asked: validation,
            available: self.train.len().saturating_sub(1),
        })?;
        self.train = train;
        self.validation = Some(held_back);
        Ok(self)
    }

    /// Returns the same data set with only a part of one or both splits: see [`Samples::limit`].
    ///
    /// # Errors
    ///
    /// [`DataError::Limit`] where a number is 0 or above the size of the split.
    pub fn limit(mut self, train: Option<usize>, test: Option<usize>) -> Result<Self, DataError> {
        for (split, samples, limit) in [
            ("training", &mut self.train, train),
            ("test", &mut self.test, test),
        ] {
            let Some(asked) = limit else { continue };
            let available = samples.len();
            *samples = samples.limit(asked).ok_or(DataError::Limit {
                split,
                asked,
                available,
            })?;
        }
        Ok(self)
    }

    /// Decodes every sample, on all cores, and returns the broken images.
    ///
    /// # Errors
    ///
    /// Where a file can't be read. However many are broken is none.
    pub fn broken_images(&self) -> Result<Vec<BrokenImage>, DataError> {
        let splits = [
            Some(&self.train),
            self.validation.as_ref(),
            Some(&self.test),
        ];
        let mut broken = Vec::new();
        for samples in splits.into_iter().flatten() {
            let found: Result<Vec<_>, DataError> = (0..samples.len())
                .into_par_iter()
                .filter_map(|index| match samples.pixels(index) {
                    Ok(_) => None,
                    Err(SampleError::Broken(image)) => Some(Ok(image)),
                    Err(SampleError::Failed(error)) => Some(Err(error)),
                })
                .collect();
            broken.extend(found?);
        }
        Ok(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Images;

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
            train: images(labels).into(),
            validation: None,
            test: images(&[0, 1]).into(),
            normalization: Normalization::CIFAR10,
            mosaic: None,
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
