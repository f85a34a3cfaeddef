//! The splits of a data set.

use crate::{DataError, StoredImages};

/// What each split of a data set has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Splits<T> {
    pub train: T,
    pub validation: Option<T>,
    pub test: T,
}

impl<T> Splits<T> {
    /// Returns what is for testing, and what for validation: where there is nothing for testing, what is for validation, as of
    /// ImageNet. `None` where there is neither.
    pub(crate) fn named(test: Option<T>, validation: Option<T>) -> Option<(T, Option<T>)> {
        match (test, validation) {
            (Some(test), validation) => Some((test, validation)),
            (None, Some(validation)) => Some((validation, None)),
            (None, None) => None,
        }
    }

    /// Stores each split, with its share of the memory for decoded images: that of its images.
    pub(crate) fn store(
        self,
        cache_bytes: usize,
        len: impl Fn(&T) -> usize,
        store: impl Fn(T, usize) -> Result<StoredImages, DataError>,
    ) -> Result<Splits<StoredImages>, DataError> {
        let validation = self.validation.as_ref().map_or(0, &len);
        let all = (len(&self.train) + validation + len(&self.test)).max(1);
        let stored = |split: T| {
            let share = cache_bytes as u128 * len(&split) as u128 / all as u128;
            store(split, share as usize)
        };
        Ok(Splits {
            train: stored(self.train)?,
            validation: self.validation.map(stored).transpose()?,
            test: stored(self.test)?,
        })
    }
}
