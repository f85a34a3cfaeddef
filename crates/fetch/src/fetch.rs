//! Fetching a file: download, check, rename.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::check::file_digest;
use crate::download::Download;
use crate::{FetchError, File, Lock, Patience, Progress};

/// A file that is in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The path of the file.
    pub path: PathBuf,
    /// Whether it was there before, so that nothing was done.
    pub already_there: bool,
}

/// Fetches `file` into the folder `dir`, from its home or from a mirror that has the file of its name.
///
/// If a file of this name is there and has the right hash, nothing is done; one with another hash is replaced. The file
/// is received as `NAME.part` in `dir`, where a later call continues if this one breaks off, and renamed once its size and
/// its hash are right. A lock file, `.NAME.lock`, lets one process download; another waits, as long as the first gets on,
/// and then finds the file complete.
///
/// # Errors
///
/// If the download or a check fails, or another process downloads the file and makes no progress.
pub fn fetch_file(
    file: &File,
    dir: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fetched, FetchError> {
    fetch_file_with(&Patience::default(), file, dir, mirror, progress)
}

/// Fetches a file as [`fetch_file`] does, with another patience.
///
/// # Errors
///
/// If [`fetch_file`] would fail.
pub fn fetch_file_with(
    patience: &Patience,
    file: &File,
    dir: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fetched, FetchError> {
    file.validate()?;
    let fetched = |already_there| Fetched {
        path: dir.join(file.name),
        already_there,
    };
    let path = dir.join(file.name);
    if is_intact(&path, file)? {
        return Ok(fetched(true));
    }
    fs::create_dir_all(dir).map_err(write_error(dir))?;
    let part = dir.join(format!("{}.part", file.name));
    let _lock = Lock::wait(
        &dir.join(format!(".{}.lock", file.name)),
        std::slice::from_ref(&part),
        patience,
        &mut |received| {
            progress(Progress {
                received,
                total: file.bytes,
            });
        },
    )?;
    if is_intact(&path, file)? {
        return Ok(fetched(true)); // another process has just fetched it
    }
    receive(patience, file, &part, mirror, progress)?;
    xception_files::rename(&part, &path).map_err(write_error(&path))?;
    Ok(fetched(false))
}

/// Downloads `file` to `part` and checks it.
fn receive(
    patience: &Patience,
    file: &File,
    part: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), FetchError> {
    let url = file.address(mirror);
    loop {
        let continued = fs::metadata(part).is_ok_and(|metadata| metadata.len() > 0);
        Download {
            url: &url,
            total: file.bytes,
            part,
            patience,
        }
        .run(progress)?;
        let found = file_digest(part, file.check)?;
        if file.check.accepts(&found) {
            // The name must not be there before the content is.
            return fs::File::options()
                .append(true)
                .open(part)
                .and_then(|part| part.sync_all())
                .map_err(write_error(part));
        }
        fs::remove_file(part).map_err(write_error(part))?;
        // What an earlier call left may be of another file, which is no fault of the server.
        if !continued {
            return Err(FetchError::Hash {
                url,
                algorithm: file.check.algorithm(),
                expected: file.check.describe(),
                found,
            });
        }
    }
}

/// Returns whether the file at `path` is the one expected.
fn is_intact(path: &Path, file: &File) -> Result<bool, FetchError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Ok(found) if file.bytes.is_some_and(|bytes| bytes != found.len()) => return Ok(false),
        _ => {}
    }
    Ok(file.check.accepts(&file_digest(path, file.check)?))
}

fn write_error(path: &Path) -> impl FnOnce(io::Error) -> FetchError {
    let path = path.to_path_buf();
    |source| FetchError::Write { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Check;
    use std::env;
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::Duration;
    use tempfile::{TempDir, tempdir};
    use xception_testing::server::{Reply, TestServer};

    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    /// A file that holds `abc`.
    const FILE: File = File {
        url: "http://home.invalid/files/abc.bin",
        name: "abc.bin",
        bytes: None,
        check: Check::Md5(MD5),
    };

    /// A server that has a file, and a folder to fetch it into.
    struct Case {
        server: TestServer,
        dir: TempDir,
    }

    impl Case {
        fn new(content: &[u8], replies: &[Reply]) -> Self {
            Self {
                server: TestServer::start(content.to_vec(), replies),
                dir: tempdir().unwrap(),
            }
        }

        fn fetch(&self) -> Result<Fetched, FetchError> {
            fetch_file_with(
                &Patience::short(),
                &FILE,
                self.dir.path(),
                Some(&self.server.base()),
                &mut |_| (),
            )
        }

        fn path(&self) -> PathBuf {
            self.dir.path().join("abc.bin")
        }

        fn part(&self) -> PathBuf {
            self.dir.path().join("abc.bin.part")
        }
    }

    #[test]
    fn fetches_once() {
        let case = Case::new(b"abc", &[Reply::Cut(2), Reply::Serve]);
        let fetched = case.fetch().unwrap();
        assert_eq!(fetched.path, case.path());
        assert!(!fetched.already_there && !case.part().exists());
        assert_eq!(fs::read(case.path()).unwrap(), b"abc");
        assert_eq!(case.server.ranges(), [None, Some(2)]);

        assert!(case.fetch().unwrap().already_there);
        assert_eq!(case.server.ranges().len(), 2);
    }

    #[test]
    fn a_damaged_file_is_replaced() {
        let case = Case::new(b"abc", &[Reply::Serve]);
        fs::write(case.path(), b"abd").unwrap();
        assert!(!case.fetch().unwrap().already_there);
        assert_eq!(fs::read(case.path()).unwrap(), b"abc");
    }

    #[test]
    fn a_damaged_file_stays_until_there_is_a_better_one() {
        let case = Case::new(b"abc", &[Reply::Status(404)]);
        fs::write(case.path(), b"abd").unwrap();
        let error = case.fetch().unwrap_err().to_string();
        let address = format!("`{}/abc.bin` answers 404", case.server.base());
        assert!(error.contains(&address), "{error}");
        assert_eq!(fs::read(case.path()).unwrap(), b"abd");
    }

    #[test]
    fn a_wrong_hash_is_told_and_the_download_deleted() {
        let case = Case::new(b"abd", &[Reply::Serve]);
        let error = case.fetch().unwrap_err().to_string();
        assert!(error.contains(&format!("expected {MD5}")), "{error}");
        assert!(!case.path().exists() && !case.part().exists());
        assert_eq!(case.server.ranges(), [None]);
    }

    #[test]
    fn the_beginning_of_another_file_is_thrown_away() {
        let case = Case::new(b"abc", &[Reply::Serve]);
        fs::write(case.part(), b"xy").unwrap();
        case.fetch().unwrap();
        assert_eq!(case.server.ranges(), [Some(2), None]);
        assert_eq!(fs::read(case.path()).unwrap(), b"abc");
    }

    #[test]
    fn what_was_complete_but_not_checked_yet_is_used() {
        let case = Case::new(b"abc", &[Reply::Serve]);
        fs::write(case.part(), b"abc").unwrap();
        case.fetch().unwrap();
        assert_eq!(case.server.ranges(), [Some(3)]);
        assert!(case.path().exists() && !case.part().exists());
    }

    #[test]
    fn a_size_that_is_known_is_checked_as_well() {
        let case = Case::new(b"abc", &[Reply::Serve]);
        let file = File {
            bytes: Some(4),
            ..FILE
        };
        let mirror = case.server.base();
        let error = fetch_file_with(
            &Patience::short(),
            &file,
            case.dir.path(),
            Some(&mirror),
            &mut |_| (),
        );
        assert!(matches!(
            error,
            Err(FetchError::DownloadSize {
                expected: 4,
                found: 3,
                ..
            })
        ));
    }

    #[test]
    fn several_at_once_download_once() {
        let case = Case::new(b"abc", &[Reply::Stall(1), Reply::Serve]);
        let fetched: Vec<bool> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| case.fetch().unwrap().already_there))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(fetched.iter().filter(|there| !**there).count(), 1);
        assert_eq!(case.server.ranges(), [None, Some(1)]);
    }

    #[test]
    fn a_process_that_does_not_get_on_is_an_error() {
        let case = Case::new(b"abc", &[Reply::Serve]);
        let path = case.dir.path().join(".abc.bin.lock");
        let held = Lock::wait(&path, &[], &Patience::short(), &mut |_| ()).unwrap();
        let patience = Patience {
            other: Duration::from_millis(20),
            ..Patience::short()
        };
        let result = fetch_file_with(&patience, &FILE, case.dir.path(), None, &mut |_| ());
        assert!(matches!(result, Err(FetchError::Locked { .. })));
        assert!(case.server.ranges().is_empty());
        drop(held);
        case.fetch().unwrap();
    }

    /// The variable that tells [`in_another_process`] which folder to fetch into.
    const FOLDER: &str = "XCEPTION_FETCH_TEST_FOLDER";

    /// Does something only where another test has started it: fetches the file from its home, through the proxy of the
    /// environment, as there is no such home.
    #[test]
    fn in_another_process() {
        if let Some(folder) = env::var_os(FOLDER) {
            let patience = Patience {
                proxy: true,
                ..Patience::short()
            };
            fetch_file_with(&patience, &FILE, Path::new(&folder), None, &mut |_| ()).unwrap();
        }
    }

    #[test]
    fn two_processes_download_once_through_the_proxy_of_the_environment() {
        let case = Case::new(b"abc", &[Reply::Stall(1), Reply::Serve]);
        let start = || {
            let mut command = Command::new(env::current_exe().unwrap());
            for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
                command.env_remove(name).env_remove(name.to_lowercase());
            }
            command
                .args(["--exact", "fetch::tests::in_another_process"])
                .env(FOLDER, case.dir.path())
                .env("HTTP_PROXY", case.server.base())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        };
        for mut process in [start(), start()] {
            assert!(process.wait().unwrap().success());
        }
        assert_eq!(case.server.ranges(), [None, Some(1)]);
        assert_eq!(case.server.proxied(), ["home.invalid:80"; 2]);
        assert_eq!(fs::read(case.path()).unwrap(), b"abc");
    }
}
