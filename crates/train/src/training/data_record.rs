//! A data set in a run's record.

use crate::data::Dataset;
use crate::record::DataRecord;

impl DataRecord {
    /// Describes a data set.
    pub fn new(data: &Dataset) -> Self {
        Self {
            name: data.name.clone(),
            source: data.source.clone(),
            sha256: data.sha256(),
            classes: data.classes.len(),
            labels: data.mosaics.as_ref().map(|mosaics| mosaics.mosaic.labels),
            train_images: data.training_samples().len(),
            validation_images: data.validation_samples().map(|samples| samples.len()),
            test_images: data.test_samples().len(),
            size: data.size(),
            citation: data.citation.clone(),
        }
    }
}
