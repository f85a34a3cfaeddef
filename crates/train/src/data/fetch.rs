//! Fetching a data set: download, check, unpack.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::data::download::Download;
use crate::data::patience::Patience;
use crate::data::unpack::unpack;
use crate::data::{Archive, DataError, Progress};

/// A data set that is in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The folder that holds its files.
    pub folder: PathBuf,
    /// Whether it was there before, so that nothing was done.
    pub already_there: bool,
}

/// Fetches `archive` into its folder inside `dir`, from its home or from a mirror that has the file of the same name.
///
/// Where all files are there with their sizes, nothing is done. The archive is received as `NAME.part` in `dir`, where a
/// later call continues if this one breaks off; it is unpacked only if its size and its SHA-256 are right, and then
/// deleted. Proxies are taken from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`). A lock file,
/// `.NAME.lock`, keeps two processes from fetching the same data set into the same folder.
///
/// # Errors
///
/// [`DataError`] where the download, a check or the unpacking fails, or another process is at it.
pub fn fetch(
    archive: &Archive,
    dir: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fetched, DataError> {
    fetch_with(Patience::default(), archive, dir, mirror, progress)
}

fn fetch_with(
    patience: Patience,
    archive: &Archive,
    dir: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fetched, DataError> {
    let folder = dir.join(&archive.folder);
    let already_there = || Fetched {
        folder: folder.clone(),
        already_there: true,
    };
    if archive.is_complete_in(&folder) {
        return Ok(already_there());
    }
    fs::create_dir_all(dir).map_err(|source| DataError::Write {
        path: dir.to_path_buf(),
        source,
    })?;
    let _lock = lock(&dir.join(format!(".{}.lock", archive.name)))?;
    if archive.is_complete_in(&folder) {
        return Ok(already_there()); // another process has just fetched it
    }

    let url = archive.address(mirror);
    let part = dir.join(format!("{}.part", archive.file_name()));
    Download {
        url: &url,
        total: archive.bytes,
        part: &part,
        patience,
    }
    .run(progress)?;
    let remove = || {
        fs::remove_file(&part).map_err(|source| DataError::Write {
            path: part.clone(),
            source,
        })
    };
    let found = file_sha256(&part)?;
    if found != archive.sha256 {
        remove()?;
        return Err(DataError::Hash {
            url,
            expected: archive.sha256.clone(),
            found,
        });
    }
    let folder = unpack(archive, &part, dir)?;
    remove()?;
    Ok(Fetched {
        folder,
        already_there: false,
    })
}

/// Holds the lock file until the value is dropped. The file stays: to delete it could take it from under a process that
/// has just opened it.
fn lock(path: &Path) -> Result<File, DataError> {
    let write_error = |source| DataError::Write {
        path: path.to_path_buf(),
        source,
    };
    let file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(write_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataError::Locked {
            lock: path.to_path_buf(),
        }),
        Err(TryLockError::Error(source)) => Err(write_error(source)),
    }
}

fn file_sha256(path: &Path) -> Result<String, DataError> {
    let read_error = |source| DataError::Read {
        path: path.to_path_buf(),
        source,
    };
    let mut file = File::open(path).map_err(read_error)?;
    let mut digest = Sha256::new();
    io::copy(&mut file, &mut digest).map_err(read_error)?;
    Ok(format!("{:x}", digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::test_server::{Reply, TestServer, impatient};
    use crate::data::unpack::tests::{GOOD, archive, tar_gz};
    use tempfile::{TempDir, tempdir};

    /// A made-up archive, a server that has it and a folder to fetch it into.
    struct Case {
        archive: Archive,
        server: TestServer,
        dir: TempDir,
    }

    impl Case {
        fn new(replies: &[Reply]) -> Self {
            let bytes = tar_gz(GOOD);
            let sha256 = format!("{:x}", Sha256::digest(&bytes));
            Self {
                archive: archive(bytes.len() as u64, sha256),
                server: TestServer::start(bytes, replies),
                dir: tempdir().unwrap(),
            }
        }

        fn fetch(&self) -> Result<Fetched, DataError> {
            let mirror = self.server.base();
            fetch_with(
                impatient(),
                &self.archive,
                self.dir.path(),
                Some(&mirror),
                &mut |_| (),
            )
        }

        fn part(&self) -> PathBuf {
            self.dir.path().join("box.tar.gz.part")
        }
    }

    #[test]
    fn fetches_once() {
        let case = Case::new(&[Reply::Cut(60), Reply::Serve]);
        let fetched = case.fetch().unwrap();
        assert_eq!(fs::read(fetched.folder.join("b.txt")).unwrap(), b"names\n");
        assert!(!fetched.already_there);
        assert!(!case.part().exists());
        assert_eq!(case.server.ranges(), [None, Some(60)]);

        assert!(case.fetch().unwrap().already_there);
        assert_eq!(case.server.ranges().len(), 2);
    }

    #[test]
    fn a_damaged_folder_is_made_whole_again() {
        let case = Case::new(&[Reply::Serve]);
        let folder = case.fetch().unwrap().folder;
        fs::write(folder.join("a.bin"), b"123").unwrap();
        fs::write(folder.join("own.txt"), b"of the user").unwrap();
        assert!(!case.fetch().unwrap().already_there);
        assert_eq!(fs::read(folder.join("a.bin")).unwrap(), b"12345");
        assert!(folder.join("own.txt").exists());
    }

    #[test]
    fn a_wrong_hash_is_told_and_the_download_deleted() {
        let mut case = Case::new(&[Reply::Serve]);
        let found = std::mem::replace(&mut case.archive.sha256, "0".repeat(64));
        let error = case.fetch().unwrap_err().to_string();
        assert!(
            error.contains(&format!("has SHA-256 {found}, expected 0000")),
            "{error}"
        );
        assert!(!case.part().exists());
        assert!(!case.dir.path().join("box").exists());
    }

    #[test]
    fn a_server_without_the_file_is_named() {
        let case = Case::new(&[Reply::Status(404)]);
        let error = case.fetch().unwrap_err().to_string();
        assert!(
            error.contains(&format!("`{}/box.tar.gz` answers 404", case.server.base())),
            "{error}"
        );
    }

    #[test]
    fn two_processes_do_not_meet() {
        let case = Case::new(&[Reply::Serve]);
        let held = lock(&case.dir.path().join(".box.lock")).unwrap();
        assert!(matches!(case.fetch(), Err(DataError::Locked { .. })));
        assert!(case.server.ranges().is_empty());
        drop(held);
        case.fetch().unwrap();
    }
}
