//! Images that can't be decoded.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::DataError;

/// One image in so many may be broken.
const ALLOWED_SHARE: usize = 100;

/// An image whose bytes were read but can't be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenImage {
    /// Where it is: a file, or a member of a shard.
    pub name: String,
    /// The decoder's reason, which says the name too.
    pub reason: String,
}

impl fmt::Display for BrokenImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// The broken images of a table that were met until now.
#[derive(Debug)]
pub(crate) struct BrokenImages {
    images: usize,
    met: Mutex<BTreeSet<String>>,
}

impl BrokenImages {
    /// Of a table of so many images, none of which was met yet.
    pub(crate) fn none_of(images: usize) -> Self {
        Self {
            images,
            met: Mutex::default(),
        }
    }

    /// Returns how many may be broken: 1 % of the images, rounded up.
    fn allowed(&self) -> usize {
        self.images.div_ceil(ALLOWED_SHARE)
    }

    /// Counts broken images, and returns those that weren't met before.
    ///
    /// # Errors
    ///
    /// [`DataError::BrokenImages`] where they have become too many.
    pub(crate) fn count(&self, broken: Vec<BrokenImage>) -> Result<Vec<BrokenImage>, DataError> {
        if broken.is_empty() {
            return Ok(broken);
        }
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<_> = broken
            .into_iter()
            .filter(|image| met.insert(image.name.clone()))
            .collect();
        match new.last() {
            Some(last) if met.len() > self.allowed() => Err(DataError::BrokenImages {
                count: met.len(),
                images: self.images,
                allowed: self.allowed(),
                last: last.to_string(),
            }),
            _ => Ok(new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str) -> BrokenImage {
        BrokenImage {
            name: name.to_owned(),
            reason: format!("{name} is no image"),
        }
    }

    #[test]
    fn each_is_new_once_and_too_many_are_an_error() {
        let broken = BrokenImages::none_of(101); // 2 may be broken
        assert_eq!(broken.count(vec![image("a")]).unwrap(), [image("a")]);
        assert_eq!(broken.count(vec![image("a")]).unwrap(), []);
        let new = broken.count(vec![image("a"), image("b"), image("b")]);
        assert_eq!(new.unwrap(), [image("b")]);
        let error = broken.count(vec![image("b"), image("c")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "3 of 101 images are broken, more than the 2 that are passed over: repair or remove them; the last: c is no image"
        );
    }
}
