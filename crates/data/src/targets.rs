//! What is to be recognized in images.

use std::ops::Range;

/// What is to be recognized in each image of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// One class an image: its index.
    Classes(Vec<u32>),
    /// A set of classes an image.
    Sets {
        /// The indices of each image's classes, rising and at least one.
        sets: Vec<Vec<u32>>,
        /// The number of all classes.
        classes: usize,
    },
}

impl Targets {
    /// Returns the number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Sets { sets, .. } => sets.len(),
        }
    }

    /// Returns whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns those of the images of a range within the batch.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::Classes(all) => Self::Classes(all[range].to_vec()),
            Self::Sets { sets, classes } => Self::Sets {
                sets: sets[range].to_vec(),
                classes: *classes,
            },
        }
    }
}

/// What else is to be recognized in the images of a batch, where each is a mixture of two.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// What is to be recognized in the second images.
    pub targets: Targets,
    /// The shares of the first images, from 0 to 1.
    pub shares: Vec<f32>,
}

impl Mixture {
    /// Returns the mixtures of a range, which is within the batch.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        Self {
            targets: self.targets.part(range.clone()),
            shares: self.shares[range].to_vec(),
        }
    }
}

/// Targets in the making.
pub(crate) struct TargetsBuilder(Targets);

impl TargetsBuilder {
    /// Of no image yet, with sets of so many classes, or else with one class each.
    pub(crate) fn new(set_classes: Option<usize>) -> Self {
        Self(match set_classes {
            None => Targets::Classes(Vec::new()),
            Some(classes) => Targets::Sets {
                sets: Vec::new(),
                classes,
            },
        })
    }

    /// Appends an image with these classes, of which the first counts where each image has one.
    pub(crate) fn push(&mut self, labels: &[u32]) {
        match &mut self.0 {
            Targets::Classes(classes) => classes.extend(labels.first()),
            Targets::Sets { sets, .. } => sets.push(labels.to_vec()),
        }
    }

    pub(crate) fn finish(self) -> Targets {
        self.0
    }
}
