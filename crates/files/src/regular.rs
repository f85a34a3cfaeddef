//! Opening what has to be a regular file.

use std::fs::{self, File, FileType};
use std::io;
use std::path::Path;

/// Opens a regular file for reading.
///
/// Anything else is refused before it is opened: to open a named pipe waits for a writer, perhaps forever, and a device may
/// have no end.
///
/// # Errors
///
/// If the file can't be opened, or is a folder, a pipe, a socket or a device; the message says which.
pub fn open_regular(path: &Path) -> io::Result<File> {
    match other_kind(fs::metadata(path)?.file_type()) {
        Some(kind) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("it is a {kind}, not a regular file"),
        )),
        None => File::open(path),
    }
}

/// Returns what a file is that isn't a regular one.
fn other_kind(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;

        if kind.is_fifo() {
            return Some("pipe");
        }
        if kind.is_socket() {
            return Some("socket");
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Some("device");
        }
    }
    Some("special file")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_regular_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "text").unwrap();
        let mut text = String::new();
        let mut file = open_regular(&path).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
    }

    #[test]
    fn other_kinds_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = open_regular(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "it is a folder, not a regular file");
        let error = open_regular(&folder.path().join("missing")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn devices_sockets_and_pipes_without_a_writer_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| open_regular(path).unwrap_err().to_string();
        let device = refused(Path::new("/dev/zero"));
        assert_eq!(device, "it is a device, not a regular file");
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(refused(&socket), "it is a socket, not a regular file");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert_eq!(refused(&pipe), "it is a pipe, not a regular file");
    }
}
