//! One process at a time, the others waiting.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::{FetchError, Patience};

/// Time between two looks of a waiting process.
const INTERVAL: Duration = Duration::from_millis(100);

/// A lock file that this process holds until the value is dropped.
///
/// The file stays: to delete it could take it from under a process that has just opened it. The operating system frees the
/// lock of a process that ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting for another process that holds it as long as that one gets on.
    ///
    /// It gets on as long as the size of one of the files `watched` changes within [`Patience::other`]; `waiting` is told
    /// their bytes meanwhile.
    ///
    /// # Errors
    ///
    /// [`FetchError::Locked`] if the other process makes no progress, [`FetchError::Write`] if the lock file can't be
    /// made and [`FetchError::Lock`] if the file system knows no locks.
    pub fn wait(
        path: &Path,
        watched: &[PathBuf],
        patience: &Patience,
        waiting: &mut dyn FnMut(u64),
    ) -> Result<Self, FetchError> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|source| FetchError::Write {
                path: path.to_path_buf(),
                source,
            })?;
        let mut last = (bytes(watched), Instant::now());
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => {
                    return Err(FetchError::Lock {
                        path: path.to_path_buf(),
                        source,
                    });
                }
            }
            let bytes = bytes(watched);
            if bytes != last.0 {
                last = (bytes, Instant::now());
            } else if last.1.elapsed() >= patience.other {
                return Err(FetchError::Locked {
                    lock: path.to_path_buf(),
                    seconds: last.1.elapsed().as_secs(),
                });
            }
            waiting(bytes);
            thread::sleep(INTERVAL.min(patience.other));
        }
    }
}

/// Returns the bytes of those files that are there.
fn bytes(files: &[PathBuf]) -> u64 {
    let sizes = files.iter().filter_map(|file| fs::metadata(file).ok());
    sizes.map(|metadata| metadata.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    fn patience(milliseconds: u64) -> Patience {
        Patience {
            other: Duration::from_millis(milliseconds),
            ..Patience::default()
        }
    }

    #[test]
    fn the_lock_of_a_process_that_does_not_get_on_is_an_error() {
        let dir = tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = Lock::wait(&path, &[], &patience(0), &mut |_| ()).unwrap();
        let start = Instant::now();
        let error = Lock::wait(&path, &[], &patience(50), &mut |_| ()).unwrap_err();
        assert!(matches!(error, FetchError::Locked { .. }), "{error}");
        assert!(start.elapsed() >= Duration::from_millis(50));
        drop(held);
        Lock::wait(&path, &[], &patience(0), &mut |_| ()).unwrap();
    }

    #[test]
    fn a_process_that_gets_on_is_waited_for() {
        let dir = tempdir().unwrap();
        let (path, part) = (dir.path().join("lock"), dir.path().join("part"));
        let held = Lock::wait(&path, &[], &patience(0), &mut |_| ()).unwrap();
        let other = thread::spawn({
            let part = part.clone();
            move || {
                for size in 1..=30 {
                    fs::write(&part, vec![0; size]).unwrap();
                    thread::sleep(Duration::from_millis(50));
                }
                drop(held);
            }
        });
        let mut seen = Vec::new();
        // In all, three times as long as the patience.
        Lock::wait(&path, &[part], &patience(500), &mut |bytes| {
            seen.push(bytes);
        })
        .unwrap();
        other.join().unwrap();
        assert!(seen.len() > 3, "{seen:?}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_write_error() {
        let path = Path::new("not there/lock");
        let error = Lock::wait(path, &[], &patience(0), &mut |_| ()).unwrap_err();
        assert!(matches!(error, FetchError::Write { .. }));
    }
}
