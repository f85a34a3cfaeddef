//! Decoded images that stay in memory from epoch to epoch.

use std::sync::OnceLock;

/// The pixels of the first images of a table, as many as fit into a number of bytes, each kept when it was first decoded.
///
/// Nothing is ever let go of: an epoch uses every image once, so that any choice of images serves as well as another, and the
/// bound holds by the number of places alone.
pub(crate) struct Cache {
    places: Box<[OnceLock<Box<[u8]>>]>,
}

impl Cache {
    /// Makes a cache of at most `bytes` bytes for `images` images of `image_len` bytes each.
    pub(crate) fn new(images: usize, image_len: usize, bytes: usize) -> Self {
        let fitting = bytes.checked_div(image_len).unwrap_or(0);
        let places = (0..images.min(fitting)).map(|_| OnceLock::new());
        Self {
            places: places.collect(),
        }
    }

    /// Returns the pixels of an image, if they are held.
    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        self.places.get(index)?.get().map(AsRef::as_ref)
    }

    /// Keeps the pixels of an image and returns them as they are held, or gives them back where the image has no place.
    pub(crate) fn keep(&self, index: usize, pixels: Vec<u8>) -> Result<&[u8], Vec<u8>> {
        match self.places.get(index) {
            // Another thread may have been faster, with the same pixels.
            Some(place) => Ok(place.get_or_init(|| pixels.into_boxed_slice())),
            None => Err(pixels),
        }
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = self.places.iter().filter(|place| place.get().is_some());
        write!(f, "Cache({} of {} images)", held.count(), self.places.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_held_than_fits() {
        let cache = Cache::new(10, 4, 11);
        assert_eq!(cache.keep(0, vec![1; 4]), Ok(&[1; 4][..]));
        assert_eq!(cache.keep(1, vec![2; 4]), Ok(&[2; 4][..]));
        assert_eq!(cache.keep(2, vec![3; 4]), Err(vec![3; 4]));
        assert_eq!(cache.get(1), Some(&[2; 4][..]));
        assert_eq!(cache.get(2), None);
        assert!(Cache::new(10, 4, 3).keep(0, vec![0; 4]).is_err());
        assert!(Cache::new(2, 4, 1 << 40).keep(2, vec![0; 4]).is_err());
    }
}
