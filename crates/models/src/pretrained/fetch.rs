//! Download of published weights into the cache, and verification of the files there.

use std::env;
use std::path::{Path, PathBuf};

use xception_fetch::{FetchError, Patience, Progress, fetch_file_with, verify_file};

use super::{PretrainedError, PretrainedWeights};

/// The state of a weights file in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The file isn't in the cache.
    Missing,
    /// The file is there and has the right hash.
    Intact,
    /// A file of this name is there and has another hash.
    Damaged {
        /// The hash expected, or its first digits.
        expected: String,
        /// The hash found.
        found: String,
    },
}

/// Downloads weights into the folder `cache`, and returns the file's path.
///
/// They come from `mirror`, or else from the mirror that `XCEPTION_MIRROR` names, or else from their publisher. A
/// file that is already there is checked, and downloaded again if it is damaged. `progress` is called as the download
/// proceeds.
///
/// # Errors
///
/// [`PretrainedError::Fetch`] if the download or a check fails.
pub fn fetch(
    entry: &PretrainedWeights,
    cache: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, PretrainedError> {
    let environment = env::var("XCEPTION_MIRROR").ok();
    let mirror = choose(mirror, environment.as_deref());
    fetch_with(&Patience::default(), entry, cache, mirror, progress)
}

/// Returns the mirror given, or that of the environment.
fn choose<'a>(asked: Option<&'a str>, environment: Option<&'a str>) -> Option<&'a str> {
    asked.or(environment.filter(|base| !base.is_empty()))
}

fn fetch_with(
    patience: &Patience,
    entry: &PretrainedWeights,
    cache: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, PretrainedError> {
    Ok(fetch_file_with(patience, &entry.file, cache, mirror, progress)?.path)
}

/// Checks whether the folder `cache` holds some weights, and whether they are intact.
///
/// # Errors
///
/// [`PretrainedError::Fetch`] if the file is there but can't be read.
pub fn verify(entry: &PretrainedWeights, cache: &Path) -> Result<Status, PretrainedError> {
    match verify_file(&cache.join(entry.file.name), entry.file.check) {
        Ok(()) => Ok(Status::Intact),
        Err(FetchError::Damaged {
            expected, found, ..
        }) => Ok(Status::Damaged { expected, found }),
        Err(FetchError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Ok(Status::Missing)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;
    use std::fs;
    use tempfile::{TempDir, tempdir};
    use xception_fetch::{Check, File};
    use xception_testing::server::{Reply, TestServer};

    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// Weights whose file holds `abc`, a mirror that serves it, and a cache.
    struct Case {
        entry: PretrainedWeights,
        server: TestServer,
        cache: TempDir,
    }

    impl Case {
        fn new(content: &[u8], replies: &[Reply]) -> Self {
            let entry = find("resnet18.torchvision").unwrap();
            Self {
                entry: PretrainedWeights {
                    file: File {
                        bytes: None,
                        check: Check::Sha256Prefix(&SHA256[..8]),
                        ..entry.file
                    },
                    ..*entry
                },
                server: TestServer::start(content.to_vec(), replies),
                cache: tempdir().unwrap(),
            }
        }

        fn fetch(&self) -> Result<PathBuf, PretrainedError> {
            let mirror = format!("{}/weights/", self.server.base());
            let cache = self.cache.path().join("weights");
            let mirror = Some(mirror.as_str());
            fetch_with(&Patience::short(), &self.entry, &cache, mirror, &mut |_| ())
        }

        fn status(&self) -> Status {
            verify(&self.entry, &self.cache.path().join("weights")).unwrap()
        }
    }

    #[test]
    fn weights_are_fetched_once_from_the_mirror() {
        let case = Case::new(b"abc", &[Reply::Cut(1), Reply::Serve]);
        assert_eq!(case.status(), Status::Missing);
        let path = case.fetch().unwrap();
        assert!(path.ends_with("weights/resnet18-f37072fd.pth"), "{path:?}");
        assert_eq!(fs::read(&path).unwrap(), b"abc");
        assert_eq!(case.status(), Status::Intact);
        assert_eq!(case.fetch().unwrap(), path);
        assert_eq!(case.server.ranges(), [None, Some(1)]);
    }

    #[test]
    fn a_damaged_file_is_told_and_fetched_again() {
        let case = Case::new(b"abc", &[Reply::Serve]);
        let path = case.fetch().unwrap();
        fs::write(&path, b"abcd").unwrap();
        let Status::Damaged { expected, found } = case.status() else {
            panic!("{:?}", case.status());
        };
        assert_eq!(expected, "ba7816bf...");
        assert!(found.starts_with("88d4266f"), "{found}");
        case.fetch().unwrap();
        assert_eq!(case.status(), Status::Intact);
        assert_eq!(case.server.ranges(), [None, None]);
    }

    #[test]
    fn a_mirror_with_another_file_is_an_error() {
        let case = Case::new(b"abd", &[Reply::Serve]);
        let error = case.fetch().unwrap_err();
        let PretrainedError::Fetch(FetchError::Hash { expected, .. }) = error else {
            panic!("{error}");
        };
        assert_eq!(expected, "ba7816bf...");
        assert_eq!(case.status(), Status::Missing);
    }

    #[test]
    fn the_mirror_asked_for_comes_before_that_of_the_environment() {
        assert_eq!(choose(Some("asked"), Some("environment")), Some("asked"));
        assert_eq!(choose(None, Some("environment")), Some("environment"));
        assert_eq!(choose(None, Some("")), None);
        assert_eq!(choose(None, None), None);
    }
}
