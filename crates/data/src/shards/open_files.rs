//! Files that stay open between reads, as many as a bound allows.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use xception_files::open_regular;

/// The files that were used last, by their numbers.
#[derive(Debug)]
pub(super) struct OpenFiles {
    /// The one used last first.
    open: Mutex<Vec<(usize, Arc<File>)>>,
    limit: usize,
}

impl OpenFiles {
    /// Keeps at most `limit` files open, beside those that other threads are reading.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            open: Mutex::default(),
            limit,
        }
    }

    /// Returns a file, opened now or before.
    pub(super) fn get(&self, number: usize, path: &Path) -> io::Result<Arc<File>> {
        let lock = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut open = lock();
            if let Some(place) = open.iter().position(|(other, _)| *other == number) {
                open[..=place].rotate_right(1);
                return Ok(open[0].1.clone());
            }
        }
        let file = Arc::new(open_regular(path)?);
        let mut open = lock();
        open.insert(0, (number, file.clone()));
        open.truncate(self.limit);
        Ok(file)
    }
}

/// Fills a buffer from a place in a file, whatever other threads read of it.
#[cfg(unix)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Fills a buffer from a place in a file, whatever other threads read of it.
#[cfg(windows)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while done < buffer.len() {
        let place = offset + done as u64;
        match std::os::windows::fs::FileExt::seek_read(file, &mut buffer[done..], place)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => done += read,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_files_are_open_than_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = |number: usize| dir.path().join(number.to_string());
        for number in 0..5 {
            std::fs::write(path(number), [number as u8; 4]).unwrap();
        }
        let files = OpenFiles::new(3);
        let open = || -> Vec<usize> {
            let open = files.open.lock().unwrap();
            open.iter().map(|(number, _)| *number).collect()
        };
        for number in [0, 1, 2, 0, 3, 4] {
            let file = files.get(number, &path(number)).unwrap();
            let mut buffer = [9; 2];
            read_at(&file, &mut buffer, 2).unwrap();
            assert_eq!(buffer, [number as u8; 2]);
        }
        assert_eq!(open(), [4, 3, 0]);
        let file = files.get(0, &path(0)).unwrap();
        let error = read_at(&file, &mut [0; 3], 2).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(files.get(7, &path(7)).is_err());
    }
}
