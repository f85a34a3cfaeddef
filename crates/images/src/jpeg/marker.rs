//! Markers, which divide a JPEG file into segments (ITU-T T.81, annex B).

/// Start of the image.
pub(super) const START_OF_IMAGE: u8 = 0xd8;
/// End of the image.
pub(super) const END_OF_IMAGE: u8 = 0xd9;
/// Start of a scan, whose data follow its header without a length.
pub(super) const START_OF_SCAN: u8 = 0xda;
/// The first of the eight restart markers.
pub(super) const RESTART: u8 = 0xd0;
/// Huffman tables.
pub(super) const HUFFMAN_TABLES: u8 = 0xc4;
/// Quantization tables.
pub(super) const QUANTIZATION_TABLES: u8 = 0xdb;
/// The number of units between restart markers.
pub(super) const RESTART_INTERVAL: u8 = 0xdd;
/// The application segment of JFIF.
pub(super) const APP0: u8 = 0xe0;
/// The application segment of EXIF.
pub(super) const APP1: u8 = 0xe1;
/// The application segment of Adobe.
pub(super) const APP14: u8 = 0xee;

/// Returns whether a marker has neither a length nor data: restarts, the start of the image, and TEM.
pub(super) fn stands_alone(marker: u8) -> bool {
    matches!(marker, 0x01 | RESTART..=START_OF_IMAGE)
}

/// Finds the next marker from `start` on, and the position after it.
///
/// Stuffed bytes of a scan and whatever else stands there are skipped.
pub(super) fn next_marker(bytes: &[u8], start: usize) -> Option<(u8, usize)> {
    let mut position = start;
    loop {
        position += bytes
            .get(position..)?
            .iter()
            .position(|&byte| byte == 0xff)?;
        match bytes.get(position + 1)? {
            0x00 => position += 2, // a 0xff of the data
            0xff => position += 1, // fill
            &marker => return Some((marker, position + 2)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_and_fill_bytes_are_no_markers() {
        let bytes = [7, 0xff, 0x00, 0xff, 0xff, 0xd9, 0xff];
        assert_eq!(next_marker(&bytes, 0), Some((END_OF_IMAGE, 6)));
        assert_eq!(next_marker(&bytes, 6), None);
        assert_eq!(next_marker(&[0xff; 9], 0), None);
        assert_eq!(next_marker(&[], 3), None);
    }
}
