//! The labels of a table of images.

use sha2::{Digest, Sha256};

/// What is to be recognized in each image of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LabelTable {
    /// One class an image.
    Classes(Vec<u32>),
    /// A set of classes an image.
    Sets(LabelSets),
}

/// Sets of classes, one after the other in one piece of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LabelSets {
    /// The number of all classes.
    classes: usize,
    /// The end of each image's classes in `labels`.
    ends: Vec<u64>,
    labels: Vec<u32>,
}

impl LabelSets {
    /// Makes an empty table over so many classes.
    pub(crate) fn new(classes: usize) -> Self {
        Self {
            classes,
            ends: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Appends an image's classes, which are brought into rising order, each once.
    pub(crate) fn push(&mut self, mut set: Vec<u32>) {
        set.sort_unstable();
        set.dedup();
        self.labels.extend(set);
        self.ends.push(self.labels.len() as u64);
    }

    fn of(&self, index: usize) -> &[u32] {
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1] as usize,
        };
        &self.labels[start..self.ends[index] as usize]
    }
}

impl LabelTable {
    /// Returns the number of images.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Classes(labels) => labels.len(),
            Self::Sets(sets) => sets.ends.len(),
        }
    }

    /// Returns an image's classes, rising; one where each image has one class.
    ///
    /// # Panics
    ///
    /// Where there is no such image.
    pub(crate) fn of(&self, index: usize) -> &[u32] {
        match self {
            Self::Classes(labels) => std::slice::from_ref(&labels[index]),
            Self::Sets(sets) => sets.of(index),
        }
    }

    /// Returns the number of all classes, where images have sets of them.
    pub(crate) fn set_classes(&self) -> Option<usize> {
        match self {
            Self::Classes(_) => None,
            Self::Sets(sets) => Some(sets.classes),
        }
    }

    /// Adds all labels to a digest.
    pub(crate) fn update_digest(&self, digest: &mut Sha256) {
        for index in 0..self.len() {
            let labels = self.of(index);
            digest.update((labels.len() as u64).to_le_bytes());
            for label in labels {
                digest.update(label.to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_rising_and_their_own() {
        let mut sets = LabelSets::new(9);
        for set in [vec![3, 1, 3], vec![8], vec![2, 0]] {
            sets.push(set);
        }
        let table = LabelTable::Sets(sets);
        let sets: Vec<_> = (0..table.len()).map(|index| table.of(index)).collect();
        assert_eq!(sets, [&[1, 3][..], &[8], &[0, 2]]);
        assert_eq!(table.set_classes(), Some(9));
    }

    #[test]
    fn a_digest_tells_where_a_set_ends() {
        let digest = |sets: &[&[u32]]| {
            let mut table = LabelSets::new(4);
            for set in sets {
                table.push(set.to_vec());
            }
            let mut digest = Sha256::new();
            LabelTable::Sets(table).update_digest(&mut digest);
            digest.finalize()
        };
        assert_ne!(digest(&[&[0, 1], &[2]]), digest(&[&[0], &[1, 2]]));
    }
}
