//! Whether a JPEG file is whole.
//!
//! The decoder fills what is missing with gray and says nothing; Pillow refuses such a file, and a
//! prediction from half an image is no answer.

/// Marks the end of the image.
const END_OF_IMAGE: u8 = 0xd9;
/// Marks the start of a scan, whose data follow its header without a length.
const START_OF_SCAN: u8 = 0xda;

/// Whether the JPEG's markers lead to the marker at its end (ITU-T T.81, annex B).
///
/// Thumbnails inside the file, and what follows the image, have end markers of their own: those
/// don't count.
pub(super) fn ends(bytes: &[u8]) -> bool {
    let mut position = 0;
    while let Some((marker, after)) = next_marker(bytes, position) {
        position = match marker {
            END_OF_IMAGE => return true,
            // Start of image, restarts and TEM stand alone.
            0x01 | 0xd0..=0xd8 => after,
            _ => match bytes.get(after..after + 2) {
                Some(&[high, low]) => {
                    let length = usize::from(u16::from_be_bytes([high, low]));
                    if marker == START_OF_SCAN {
                        after + 2 // the header has no 0xff that the search could take for a marker
                    } else {
                        after + length.max(2)
                    }
                }
                _ => return false,
            },
        };
    }
    false
}

/// The next marker from `start` on, and the position after it.
fn next_marker(bytes: &[u8], start: usize) -> Option<(u8, usize)> {
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

    const WHOLE: [u8; 23] = [
        0xff, 0xd8, // start
        0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xda, // thumbnail inside a segment
        0xff, 0xda, 0, 3, 1, // scan
        0x12, 0xff, 0x00, 0xff, 0xd0, 0x13, // stuffed byte and restart
        0xff, 0xd9,
    ];

    #[test]
    fn only_its_own_end_counts() {
        assert!(ends(&WHOLE));
        for length in 0..WHOLE.len() {
            assert!(!ends(&WHOLE[..length]), "{length}");
        }
        let mut longer = WHOLE.to_vec();
        longer.extend([0xff, 0xda, 1, 2, 3]);
        assert!(ends(&longer));
    }

    #[test]
    fn nonsense_ends_the_search() {
        assert!(!ends(&[0xff; 100]));
        assert!(!ends(&[]));
        assert!(!ends(&[0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff]));
        assert!(!ends(&[0xff, 0xe0, 0, 0].repeat(1000)));
    }
}
