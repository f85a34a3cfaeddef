//! Names of files as text.

use std::ffi::OsStr;
use std::fmt::Write;

/// Returns a name or a path as text in which names that differ stay apart: bytes that aren't UTF-8 are written as `\xE9`
/// instead of one replacement character for all.
pub fn name_text(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02X}"); // a String takes all
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_as_it_is() {
        assert_eq!(name_text(OsStr::new("Möwe\n1.png")), "Möwe\n1.png");
    }

    #[cfg(unix)]
    #[test]
    fn other_bytes_are_told_apart() {
        use std::os::unix::ffi::OsStrExt;

        let text = |bytes| name_text(OsStr::from_bytes(bytes));
        assert_eq!(text(b"caf\xe9.png"), "caf\\xE9.png");
        assert_ne!(text(b"caf\xe9"), text(b"caf\xe8"));
    }
}
