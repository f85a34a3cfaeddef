//! What is to be recognized in images.

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

    /// Returns those of the images at these places.
    ///
    /// # Panics
    ///
    /// Where a place isn't below [`len`](Self::len).
    pub(crate) fn pick(&self, places: impl Iterator<Item = usize>) -> Self {
        match self {
            Self::Classes(labels) => Self::Classes(places.map(|place| labels[place]).collect()),
            Self::Sets { sets, classes } => Self::Sets {
                sets: places.map(|place| sets[place].clone()).collect(),
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
