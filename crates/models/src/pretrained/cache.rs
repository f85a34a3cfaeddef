//! The cache folder of published weights.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use super::PretrainedError;

/// Returns the folder for weights: `XCEPTION_CACHE`, or `xception/weights` in `XDG_CACHE_HOME` or the platform's
/// cache folder (`~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`). The folder need not exist.
///
/// # Errors
///
/// [`PretrainedError::NoCache`] if none of these is known.
pub fn cache_dir() -> Result<PathBuf, PretrainedError> {
    choose(
        env::var_os("XCEPTION_CACHE"),
        env::var_os("XDG_CACHE_HOME"),
        dirs::cache_dir(),
    )
    .ok_or(PretrainedError::NoCache)
}

/// Chooses the folder from the values of the two variables and the platform's cache folder.
fn choose(
    own: Option<OsString>,
    xdg: Option<OsString>,
    platform: Option<PathBuf>,
) -> Option<PathBuf> {
    let folder =
        |value: Option<OsString>| value.filter(|value| !value.is_empty()).map(PathBuf::from);
    folder(own).or_else(|| {
        folder(xdg)
            .filter(|path| path.is_absolute()) // as its specification wants it
            .or(platform)
            .map(|cache| cache.join("xception").join("weights"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_come_before_the_platform() {
        let chosen = |own: &str, xdg: &str| {
            let platform = Some(PathBuf::from("/platform"));
            choose(Some(own.into()), Some(xdg.into()), platform).unwrap()
        };
        assert_eq!(chosen("own", "/xdg"), PathBuf::from("own"));
        assert_eq!(chosen("", ""), PathBuf::from("/platform/xception/weights"));
        assert_eq!(
            chosen("", "relative"),
            PathBuf::from("/platform/xception/weights")
        );
        if cfg!(unix) {
            assert_eq!(chosen("", "/xdg"), PathBuf::from("/xdg/xception/weights"));
        }
        assert_eq!(choose(None, None, None), None);
    }
}
