//! A representation of paths that aren't UTF-8, for other programs.

use std::fmt::Write;
use std::path::Path;

/// Returns the bytes of a path in hexadecimal if it isn't UTF-8, since no text can represent it.
pub fn path_bytes(path: &Path) -> Option<String> {
    if path.to_str().is_some() {
        return None;
    }
    let mut hexadecimal = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        let _ = write!(hexadecimal, "{byte:02x}"); // a String takes all
    }
    Some(hexadecimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_needs_no_bytes() {
        assert_eq!(path_bytes(Path::new("Möwe.png")), None);
    }

    #[cfg(unix)]
    #[test]
    fn other_bytes_are_kept() {
        use std::os::unix::ffi::OsStrExt;

        let path = Path::new(std::ffi::OsStr::from_bytes(b"\xe9.png"));
        assert_eq!(path_bytes(path).unwrap(), "e92e706e67");
    }
}
