//! What a data set holds, for people (`Display`) and for programs (JSON).

use std::fmt;

use serde::Serialize;

use rayon::prelude::*;

use crate::content::SampleError;
use crate::dataset::CHANNELS;
use crate::stratified::evenly;
use crate::{DataError, Dataset, Normalization, Samples};

/// The most stored images of a split that are decoded to measure their pixels.
const MEASURED: usize = 1_000;

/// A summary of a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// The data set's name.
    pub name: String,
    /// Where it was loaded from.
    pub source: String,
    /// The publication to cite.
    pub citation: String,
    /// The SHA-256 of the data: see [`Dataset::sha256`].
    pub sha256: String,
    /// The classes' names, by label.
    pub classes: Vec<String>,
    /// The statistics that inputs are normalized with.
    pub normalization: Normalization,
    /// The training split.
    pub train: SplitDescription,
    /// The validation split, if the data set has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<SplitDescription>,
    /// The test split.
    pub test: SplitDescription,
}

/// A summary of a split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitDescription {
    /// The number of images.
    pub images: usize,
    /// Their height in pixels.
    pub height: usize,
    /// Their width in pixels.
    pub width: usize,
    /// The number of images of each class, by label.
    pub per_class: Vec<usize>,
    /// The number of images that `mean` and `std` were measured on.
    pub measured: usize,
    /// The mean of red, green and blue on the scale of 0 to 1.
    pub mean: [f64; 3],
    /// Their standard deviation (of the population: divided by N).
    pub std: [f64; 3],
}

impl Description {
    /// Describes a data set; goes through all pixels of images in memory, and decodes up to 1,000 stored images of each split.
    ///
    /// # Errors
    ///
    /// Where an image can't be read; broken ones are left out.
    pub fn of(dataset: &Dataset) -> Result<Self, DataError> {
        let classes = dataset.classes.len();
        let split = |samples| SplitDescription::of(samples, classes);
        Ok(Self {
            name: dataset.name.clone(),
            source: dataset.source.clone(),
            citation: dataset.citation.clone(),
            sha256: dataset.sha256(),
            classes: dataset.classes.clone(),
            normalization: dataset.normalization,
            train: split(&dataset.train)?,
            validation: dataset.validation.as_ref().map(split).transpose()?,
            test: split(&dataset.test)?,
        })
    }
}

impl SplitDescription {
    fn of(samples: &Samples, classes: usize) -> Result<Self, DataError> {
        let [height, width] = samples.size();
        let measured = match samples {
            Samples::Images(_) => samples.len(),
            Samples::Stored(_) | Samples::Mosaics(_) => samples.len().min(MEASURED),
        };
        let moments = channel_moments(samples, measured)?;
        Ok(Self {
            images: samples.len(),
            height,
            width,
            per_class: samples.class_counts(classes),
            measured: moments.images,
            mean: moments.mean,
            std: moments.std,
        })
    }
}

/// The sums of the pixels of each channel and of their squares: whole numbers, and therefore exact.
#[derive(Default)]
struct Sums {
    images: u64,
    channels: [(u64, u64); CHANNELS],
}

impl Sums {
    fn of(pixels: &[u8]) -> Self {
        let mut channels = [(0, 0); CHANNELS];
        let planes = pixels.chunks_exact((pixels.len() / CHANNELS).max(1));
        for ((sum, squares), plane) in channels.iter_mut().zip(planes) {
            *sum = plane.iter().map(|pixel| u64::from(*pixel)).sum();
            *squares = plane.iter().map(|pixel| u64::from(*pixel).pow(2)).sum();
        }
        Self {
            images: 1,
            channels,
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.images += other.images;
        for ((sum, squares), other) in self.channels.iter_mut().zip(other.channels) {
            *sum += other.0;
            *squares += other.1;
        }
        self
    }
}

/// The mean and standard deviation of each channel, on the scale of 0 to 1.
struct Moments {
    images: usize,
    mean: [f64; CHANNELS],
    std: [f64; CHANNELS],
}

/// Measures so many samples, evenly spaced; broken images are left out.
fn channel_moments(samples: &Samples, count: usize) -> Result<Moments, DataError> {
    let indices = evenly(samples.len(), count).unwrap_or_default();
    let sums = |index: usize| match samples.pixels(index) {
        Ok(pixels) => Ok(Sums::of(&pixels)),
        Err(SampleError::Broken(_)) => Ok(Sums::default()),
        Err(SampleError::Failed(error)) => Err(error),
    };
    let sums = indices
        .into_par_iter()
        .map(sums)
        .try_reduce(Sums::default, |a, b| Ok(a.and(b)))?;
    let [height, width] = samples.size();
    let pixels = ((sums.images as usize * height * width).max(1)) as f64;
    let mean = |(sum, _): (u64, u64)| sum as f64 / pixels;
    let variance = |of: (u64, u64)| (of.1 as f64 / pixels - mean(of).powi(2)).max(0.0);
    Ok(Moments {
        images: sums.images as usize,
        mean: sums.channels.map(|channel| mean(channel) / 255.0),
        std: sums
            .channels
            .map(|channel| variance(channel).sqrt() / 255.0),
    })
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Normalization { mean, std } = self.normalization;
        writeln!(f, "{}", self.name)?;
        writeln!(f, "  source         {}", self.source)?;
        writeln!(f, "  citation       {}", self.citation)?;
        writeln!(f, "  sha256         {}", self.sha256)?;
        writeln!(
            f,
            "  normalization  mean {}, std {}",
            triple(mean),
            triple(std)
        )?;
        let splits = [
            ("training", Some(&self.train)),
            ("validation", self.validation.as_ref()),
            ("test", Some(&self.test)),
        ];
        for (name, split) in splits {
            let Some(split) = split else { continue };
            let of = match split.measured < split.images {
                true => format!(" (of {} of them)", split.measured),
                false => String::new(),
            };
            let SplitDescription {
                images,
                height,
                width,
                mean,
                std,
                ..
            } = split;
            writeln!(
                f,
                "  {name:<13}  {images} images of {height}x{width}, mean {}, std {}{of}",
                triple(*mean),
                triple(*std)
            )?;
        }
        writeln!(f)?;
        let longest = self
            .classes
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0)
            .max(5);
        writeln!(f, "  label  {:<longest$}  training    test", "class")?;
        let counts = self.train.per_class.iter().zip(&self.test.per_class);
        for (label, (name, (train, test))) in self.classes.iter().zip(counts).enumerate() {
            writeln!(f, "  {label:>5}  {name:<longest$}  {train:>8}  {test:>6}")?;
        }
        Ok(())
    }
}

/// Returns three numbers with four decimals.
fn triple<T: fmt::Display>([red, green, blue]: [T; 3]) -> String {
    format!("({red:.4}, {green:.4}, {blue:.4})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Images;
    fn description() -> Description {
        let train = Images::new(
            [1, 2],
            vec![0, 255, 0, 0, 51, 51, 0, 255, 0, 0, 51, 51],
            vec![0, 1],
            2,
        )
        .unwrap();
        let test = Images::new([1, 2], vec![255; 6], vec![1], 2).unwrap();
        Description::of(&Dataset {
            name: "two".into(),
            source: "here".into(),
            citation: "nobody".into(),
            classes: vec!["cat".into(), "dog".into()],
            train: train.into(),
            validation: None,
            test: test.into(),
            normalization: Normalization::CIFAR10,
            mosaic: None,
            skipped: Vec::new(),
        })
        .unwrap()
    }

    #[test]
    fn moments_are_those_of_the_population() {
        let found = description();
        assert_eq!(found.train.mean, [0.5, 0.0, 0.2]);
        assert_eq!(found.train.std, [0.5, 0.0, 0.0]);
        assert_eq!(found.test.mean, [1.0; 3]);
        assert_eq!(found.train.per_class, [1, 1]);
        assert_eq!(found.test.per_class, [0, 1]);
    }

    #[test]
    fn text_and_json_show_the_same() {
        let found = description();
        let text = found.to_string();
        assert!(
            text.contains("training       2 images of 1x2, mean (0.5000, 0.0000, 0.2000)"),
            "{text}"
        );
        assert!(
            text.contains("      1  dog           1       1\n"),
            "{text}"
        );
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["sha256"], found.sha256);
        assert_eq!(json["train"]["per_class"][1], 1);
    }
}
