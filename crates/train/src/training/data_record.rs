//! A data set in a run's record.

use crate::data::{Dataset, Samples};
use crate::record::DataRecord;

impl DataRecord {
    /// Describes a data set.
    pub fn new(data: &Dataset) -> Self {
        let (labels, mean_labels) = match data.mosaic {
            Some(mosaic) => (Some(mosaic.labels), None),
            None => labels(data).unzip(),
        };
        Self {
            name: data.name.clone(),
            source: data.source.clone(),
            sha256: data.sha256(),
            classes: data.classes.len(),
            labels,
            mean_labels,
            train_images: data.train.len(),
            validation_images: data.validation.as_ref().map(Samples::len),
            test_images: data.test.len(),
            size: data.size(),
            citation: data.citation.clone(),
        }
    }
}

/// Returns the most labels that an image of any split has, and how many a training image has on average, where images have sets
/// of labels.
fn labels(data: &Dataset) -> Option<(usize, f64)> {
    data.train.set_classes()?;
    let counts = |samples: &Samples| -> Vec<usize> {
        let indices = 0..samples.len();
        indices.map(|index| samples.labels(index).len()).collect()
    };
    let train = counts(&data.train);
    let mean = train.iter().sum::<usize>() as f64 / train.len().max(1) as f64;
    let others = data.validation.iter().chain([&data.test]).flat_map(counts);
    let most = others.chain(train).max().unwrap_or(0);
    Some((most, mean))
}
