//! Which classes a network takes for which.

use std::collections::{BTreeMap, BTreeSet};

/// A confusion matrix: for each class, how many of its images a network took for which class.
///
/// The network predicts nothing where its greatest logit is shared by several classes, or a logit is not a
/// number. These images have a column of their own, so the diagonal's share of all images is exactly
/// [`Scores::top1`](super::Scores::top1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: Vec<String>,
    /// Images by their class and the network's prediction; pairs without any are left out.
    pub(crate) counts: BTreeMap<(usize, Option<usize>), u64>,
}

/// A class that was taken for another, or for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake<'a> {
    /// The class of the images.
    pub class: &'a str,
    /// The class that the network took them for; `None` where it predicted nothing.
    pub guess: Option<&'a str>,
    /// Number of images that were taken for it.
    pub images: u64,
    /// Number of images of the class.
    pub of: u64,
}

impl Confusion {
    /// Makes an empty matrix of classes with these names.
    pub fn new(classes: Vec<String>) -> Self {
        Self {
            classes,
            counts: BTreeMap::new(),
        }
    }

    /// Adds an image of a class, and the network's prediction, if there is one.
    pub fn add(&mut self, class: usize, guess: Option<usize>) {
        *self.counts.entry((class, guess)).or_default() += 1;
    }

    /// Returns the name of a class, or its index if it has none.
    pub(crate) fn name(&self, class: usize) -> String {
        let name = self.classes.get(class);
        name.cloned().unwrap_or_else(|| class.to_string())
    }

    /// Returns the name of a class; empty if it has none.
    pub(crate) fn given_name(&self, class: usize) -> &str {
        self.classes.get(class).map_or("", String::as_str)
    }

    /// Counts the images of a class that were taken for another, for itself or for none.
    pub(crate) fn count(&self, class: usize, guess: Option<usize>) -> u64 {
        self.counts.get(&(class, guess)).copied().unwrap_or(0)
    }

    /// Counts the images of a class.
    pub(crate) fn images(&self, class: usize) -> u64 {
        self.counts
            .range((class, None)..=(class, Some(usize::MAX)))
            .map(|(_, count)| count)
            .sum()
    }

    /// Counts the images that were taken for what they are: the sum of the matrix's diagonal.
    pub fn recognized(&self) -> u64 {
        let right = |class: usize| self.count(class, Some(class));
        self.rows().into_iter().map(right).sum()
    }

    /// Returns whether there are images without a prediction.
    pub(crate) fn has_unpredicted(&self) -> bool {
        self.counts.keys().any(|(_, guess)| guess.is_none())
    }

    /// Returns the classes that have images.
    pub(crate) fn rows(&self) -> BTreeSet<usize> {
        self.counts.keys().map(|(class, _)| *class).collect()
    }

    /// Lists the mistakes, the most frequent first.
    pub fn mistakes(&self) -> Vec<Mistake<'_>> {
        let name = |class: usize| self.given_name(class);
        let wrong = self
            .counts
            .iter()
            .filter(|((class, guess), _)| *guess != Some(*class));
        let mut mistakes: Vec<_> = wrong
            .map(|(&(class, guess), &images)| Mistake {
                class: name(class),
                guess: guess.map(name),
                images,
                of: self.images(class),
            })
            .collect();
        mistakes.sort_by_key(|mistake| std::cmp::Reverse(mistake.images));
        mistakes
    }
}

#[cfg(test)]
impl Confusion {
    /// Makes a matrix of a few images, for tests.
    pub(crate) fn example() -> Self {
        let names = ["cat", "dog, or wolf", "fox", "owl"];
        let mut confusion = Self::new(names.map(str::to_owned).to_vec());
        for (class, guess) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 3), (1, 3)] {
            confusion.add(class, Some(guess));
        }
        confusion
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_sorted() {
        let confusion = Confusion::example();
        let mistakes = confusion.mistakes();
        let first = Mistake {
            class: "dog, or wolf",
            guess: Some("owl"),
            images: 2,
            of: 3,
        };
        assert_eq!(mistakes[0], first);
        assert_eq!((mistakes.len(), mistakes[1].images), (2, 1));
    }
}
