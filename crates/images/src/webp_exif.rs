//! The EXIF data of a WebP file.
//!
//! The decoder would read them too, but takes the length that the file declares at its word and asks
//! for as much memory, up to 4 GiB.

/// Bytes of a chunk's name and length.
const HEADER: usize = 8;
/// Offset of the first chunk, after `RIFF`, the length and `WEBP`.
const FIRST_CHUNK: usize = 12;

/// Returns the EXIF data inside the bytes of a WebP file, from their TIFF header on.
pub(super) fn exif(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(FIRST_CHUNK..)?;
    loop {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if name == b"EXIF" {
            let data = after.get(..length)?;
            return Some(data.strip_prefix(b"Exif\0\0").unwrap_or(data));
        }
        // Chunks begin at even positions.
        rest = rest.get(length.checked_next_multiple_of(2)?.checked_add(HEADER)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WEBP".to_vec();
        for (name, data) in chunks {
            bytes.extend(*name);
            bytes.extend((data.len() as u32).to_le_bytes());
            bytes.extend(*data);
            bytes.resize(bytes.len().next_multiple_of(2), 0);
        }
        bytes
    }

    #[test]
    fn chunks_before_it_are_skipped() {
        let bytes = file(&[(b"VP8X", &[0; 10]), (b"VP8L", &[0; 7]), (b"EXIF", b"MM\0*")]);
        assert_eq!(exif(&bytes), Some(b"MM\0*".as_slice()));
        let bytes = file(&[(b"EXIF", b"Exif\0\0II*\0")]);
        assert_eq!(exif(&bytes), Some(b"II*\0".as_slice()));
        for length in 0..bytes.len() {
            assert_eq!(exif(&bytes[..length]), None);
        }
    }

    #[test]
    fn lengths_beyond_the_file_find_nothing() {
        let mut bytes = file(&[(b"EXIF", b"MM\0*")]);
        bytes[16..20].copy_from_slice(&[0xff; 4]);
        assert_eq!(exif(&bytes), None);
        bytes[12..16].copy_from_slice(b"JUNK");
        assert_eq!(exif(&bytes), None);
    }
}
