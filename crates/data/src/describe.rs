//! What a data set holds, for people (`Display`) and for programs (JSON).

use std::fmt;

use serde::Serialize;

use crate::dataset::CHANNELS;
use crate::{Dataset, Images, Normalization};

/// A summary of a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// The data set's name.
    pub name: String,
    /// Where it was loaded from.
    pub source: String,
    /// The publication to cite.
    pub citation: String,
    /// The SHA-256 of all pixels and labels: see [`Dataset::sha256`].
    pub sha256: String,
    /// The classes' names, by label.
    pub classes: Vec<String>,
    /// The statistics that inputs are normalized with.
    pub normalization: Normalization,
    /// The training split.
    pub train: SplitDescription,
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
    /// The mean of red, green and blue on the scale of 0 to 1.
    pub mean: [f64; 3],
    /// Their standard deviation (of the population: divided by N).
    pub std: [f64; 3],
}

impl Description {
    /// Describes a data set; goes through all pixels.
    #[must_use]
    pub fn of(dataset: &Dataset) -> Self {
        Self {
            name: dataset.name.clone(),
            source: dataset.source.clone(),
            citation: dataset.citation.clone(),
            sha256: dataset.sha256(),
            classes: dataset.classes.clone(),
            normalization: dataset.normalization,
            train: SplitDescription::of(&dataset.train, dataset.classes.len()),
            test: SplitDescription::of(&dataset.test, dataset.classes.len()),
        }
    }
}

impl SplitDescription {
    fn of(images: &Images, classes: usize) -> Self {
        let [height, width] = images.size();
        let moments = channel_moments(images);
        Self {
            images: images.len(),
            height,
            width,
            per_class: images.class_counts(classes),
            mean: moments.map(|(mean, _)| mean),
            std: moments.map(|(_, std)| std),
        }
    }
}

/// Returns the mean and standard deviation of each channel. Sums are whole numbers and therefore exact.
fn channel_moments(images: &Images) -> [(f64, f64); CHANNELS] {
    let plane = images.image_len() / CHANNELS;
    let mut sums = [(0u64, 0u64); CHANNELS];
    for (index, channel) in images.pixels().chunks_exact(plane).enumerate() {
        let (sum, squares) = &mut sums[index % CHANNELS];
        *sum += channel.iter().map(|pixel| u64::from(*pixel)).sum::<u64>();
        *squares += channel
            .iter()
            .map(|pixel| u64::from(*pixel).pow(2))
            .sum::<u64>();
    }
    let count = (images.len() * plane).max(1) as f64;
    sums.map(|(sum, squares)| {
        let mean = sum as f64 / count;
        let variance = (squares as f64 / count - mean * mean).max(0.0);
        (mean / 255.0, variance.sqrt() / 255.0)
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
        for (name, split) in [("training", &self.train), ("test", &self.test)] {
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
                "  {name:<13}  {images} images of {height}x{width}, mean {}, std {}",
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
    use std::sync::Arc;

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
            train: Arc::new(train),
            validation: None,
            test: Arc::new(test),
            normalization: Normalization::CIFAR10,
            mosaics: None,
            skipped: Vec::new(),
        })
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
