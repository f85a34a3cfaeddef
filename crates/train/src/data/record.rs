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
            train_images: data.train.len(),
            validation_images: data.validation.as_ref().map(|images| images.len()),
            test_images: data.test.len(),
            size: data.train.size(),
            citation: data.citation.clone(),
        }
    }
}
