//! Fetching a data set: download, check, unpack.

use std::fs;
use std::path::{Path, PathBuf};

use xception_fetch::{Lock, Patience, fetch_file_with};

use crate::unpack::unpack;
use crate::{Archive, DataError};

/// The progress of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The bytes that are there, those of an earlier download included.
    pub received: u64,
    /// The bytes of the whole file.
    pub total: u64,
}

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
/// deleted, unless it was there before. Proxies are taken from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
/// `NO_PROXY`). A lock file, `.NAME.lock`, lets one process fetch a data set into a folder while others wait for it.
///
/// # Errors
///
/// [`DataError`] where the download, a check or the unpacking fails, or another process is at it and doesn't get on.
pub fn fetch(
    archive: &Archive,
    dir: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fetched, DataError> {
    fetch_with(&Patience::default(), archive, dir, mirror, progress)
}

fn fetch_with(
    patience: &Patience,
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
    let file = archive.file();
    let mut progress = |received| {
        progress(Progress {
            received,
            total: archive.bytes,
        });
    };
    let _lock = Lock::wait(
        &dir.join(format!(".{}.lock", archive.name)),
        &[dir.join(format!("{}.part", file.name)), dir.join(file.name)],
        patience,
        &mut progress,
    )?;
    if archive.is_complete_in(&folder) {
        return Ok(already_there()); // another process has just fetched it
    }

    let fetched = fetch_file_with(patience, &file, dir, mirror, &mut |step| {
        progress(step.received);
    })?;
    let folder = unpack(archive, &fetched.path, dir)?;
    if !fetched.already_there {
        fs::remove_file(&fetched.path).map_err(|source| DataError::Write {
            path: fetched.path,
            source,
        })?;
    }
    Ok(Fetched {
        folder,
        already_there: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unpack::tests::{GOOD, archive, tar_gz};
    use sha2::{Digest, Sha256};
    use std::thread;
    use std::time::Duration;
    use tempfile::{TempDir, tempdir};
    use xception_fetch::FetchError;
    use xception_testing::server::{Reply, TestServer};

    /// A made-up archive, a server that has it and a folder to fetch it into.
    struct Case {
        archive: Archive,
        server: TestServer,
        dir: TempDir,
        patience: Patience,
    }

    impl Case {
        fn new(replies: &[Reply]) -> Self {
            let bytes = tar_gz(GOOD);
            let sha256 = format!("{:x}", Sha256::digest(&bytes));
            Self {
                archive: archive(bytes.len() as u64, sha256),
                server: TestServer::start(bytes, replies),
                dir: tempdir().unwrap(),
                patience: Patience::short(),
            }
        }

        fn fetch(&self) -> Result<Fetched, DataError> {
            let mirror = self.server.base();
            fetch_with(
                &self.patience,
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
        let case = Case::new(&[Reply::Stall(60), Reply::Serve]);
        let fetched = thread::scope(|scope| {
            let other = scope.spawn(|| case.fetch().unwrap());
            [case.fetch().unwrap(), other.join().unwrap()]
        });
        assert_eq!(fetched[0].folder, fetched[1].folder);
        assert_ne!(fetched[0].already_there, fetched[1].already_there);
        assert_eq!(case.server.ranges(), [None, Some(60)]);
    }

    #[test]
    fn a_process_that_does_not_get_on_is_an_error() {
        let mut case = Case::new(&[Reply::Serve]);
        case.patience.other = Duration::from_millis(20);
        let path = case.dir.path().join(".box.lock");
        let held = Lock::wait(&path, &[], &case.patience, &mut |_| ()).unwrap();
        let error = case.fetch().unwrap_err();
        assert!(
            matches!(error, DataError::Fetch(FetchError::Locked { .. })),
            "{error}"
        );
        assert!(case.server.ranges().is_empty());
        drop(held);
        case.fetch().unwrap();
    }

    #[test]
    fn an_archive_that_is_there_is_unpacked_and_stays() {
        let case = Case::new(&[Reply::Status(404)]);
        let path = case.dir.path().join("box.tar.gz");
        fs::write(&path, tar_gz(GOOD)).unwrap();
        let fetched = case.fetch().unwrap();
        assert_eq!(fs::read(fetched.folder.join("a.bin")).unwrap(), b"12345");
        assert!(path.exists() && case.server.ranges().is_empty());
    }
}
