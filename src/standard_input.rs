//! Reading of an image or a list of paths from standard input.

use std::io::{BufRead, Read};
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use xception::models::preprocessing::DecodeLimits;

/// The content of standard input.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// The bytes of an image.
    Image(Vec<u8>),
    /// Paths of images.
    Paths(Vec<PathBuf>),
}

/// Number of bytes that distinguish an image from a list.
const START: u64 = 32;
/// Length of the longest path, in bytes; Linux allows 4096 and Windows 32 767.
const MAX_PATH: usize = 32 << 10;
/// Largest number of paths.
const MAX_PATHS: usize = 4_000_000;

/// Reads an image, or a list of paths, one per line, to the end. Both are bounded, so that endless input is an error.
///
/// Only the end of the line is removed from a path, and empty lines are skipped.
pub fn read(input: impl BufRead) -> Result<Input> {
    read_bounded(input, DecodeLimits::default().max_bytes, MAX_PATHS)
}

fn read_bounded(mut input: impl BufRead, max_bytes: u64, max_paths: usize) -> Result<Input> {
    let mut start = Vec::new();
    input.by_ref().take(START).read_to_end(&mut start)?;
    // A path may begin like an image, as `BMW.png` does, but is UTF-8 and has no zero bytes.
    let binary = start.contains(&0) || std::str::from_utf8(&start).is_err();
    if binary && image::guess_format(&start).is_ok() {
        let rest = (max_bytes + 1).saturating_sub(start.len() as u64);
        input.take(rest).read_to_end(&mut start)?;
        ensure!(
            start.len() as u64 <= max_bytes,
            "standard input has an image of more than {max_bytes} bytes, which are the most that are read: give a \
             smaller one"
        );
        return Ok(Input::Image(start));
    }
    let mut input = start.chain(input);
    let mut paths = Vec::new();
    let mut number = 0;
    loop {
        let mut line = Vec::new();
        let mut limited = input.by_ref().take(MAX_PATH as u64 + 1);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(Input::Paths(paths));
        }
        number += 1;
        ensure!(
            !line.contains(&0),
            "standard input is neither an image of a known format nor a list of paths: line {number} has a zero byte"
        );
        ensure!(
            line.len() <= MAX_PATH,
            "line {number} of standard input has more than {MAX_PATH} bytes, which is no path: give an image, or a list \
             of paths, one a line"
        );
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        if paths.len() == max_paths {
            bail!(
                "standard input lists more than {max_paths} paths, which are the most that are read: split the list, or \
                 give the images' folder"
            );
        }
        paths.push(path(line)?);
    }
}

#[cfg(unix)]
fn path(line: &[u8]) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt;

    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(line)))
}

#[cfg(not(unix))]
fn path(line: &[u8]) -> Result<PathBuf> {
    use anyhow::Context;

    let text = std::str::from_utf8(line).context("standard input lists a path that isn't UTF-8")?;
    Ok(PathBuf::from(text))
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, repeat};

    use super::*;

    fn paths(input: &[u8]) -> Vec<PathBuf> {
        match read(input).unwrap() {
            Input::Paths(paths) => paths,
            Input::Image(_) => panic!("an image"),
        }
    }

    #[test]
    fn lists_and_images_are_told_apart() {
        assert_eq!(
            paths(b"a.png\n\nb c.jpg \r\n"),
            [PathBuf::from("a.png"), PathBuf::from("b c.jpg ")]
        );
        assert_eq!(paths(b"BMW.png"), [PathBuf::from("BMW.png")]);
        assert!(paths(b"").is_empty());
        let image = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), vec![7; 500]].concat();
        assert_eq!(read(&image[..]).unwrap(), Input::Image(image));
        let error = read(&b"MZ\0\0"[..]).unwrap_err().to_string();
        assert!(error.contains("neither an image"), "{error}");
    }

    #[test]
    fn what_never_ends_is_an_error_with_the_bound() {
        let image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".chain(BufReader::new(repeat(1)));
        let error = read_bounded(image, 1000, 3).unwrap_err().to_string();
        assert!(error.contains("more than 1000 bytes"), "{error}");
        let lines = b"a\n".repeat(4);
        let error = read_bounded(&lines[..], 1000, 3).unwrap_err().to_string();
        assert!(error.contains("more than 3 paths"), "{error}");
        let line = BufReader::new(repeat(b'a'));
        let error = read_bounded(line, 1000, 3).unwrap_err().to_string();
        assert!(error.contains("more than 32768 bytes"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn paths_keep_bytes_that_are_no_text() {
        use std::os::unix::ffi::OsStrExt;

        assert_eq!(
            paths(b"caf\xe9.png\n")[0].as_os_str().as_bytes(),
            b"caf\xe9.png"
        );
    }
}
