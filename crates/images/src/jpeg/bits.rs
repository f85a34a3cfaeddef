//! The bits of a scan's entropy-coded data.

use super::error::JpegError;
use super::marker::{RESTART, next_marker};

/// Bits of the longest Huffman code.
const LONGEST_CODE: u32 = 16;

/// Reads the bits of a scan up to the next marker. After that come zeros, and
/// [`check`](Self::check) is an error.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// The next byte that isn't in the buffer.
    position: usize,
    /// The next bits, from the highest on.
    buffer: u64,
    /// Bits in the buffer.
    count: u32,
    /// Zeros that were added because the data had ended.
    added: u32,
}

impl<'a> BitReader<'a> {
    /// Reads from `position` on.
    pub(super) fn new(bytes: &'a [u8], position: usize) -> Self {
        Self {
            bytes,
            position,
            buffer: 0,
            count: 0,
            added: 0,
        }
    }

    /// Returns the position of the next byte to be read into the buffer, which isn't beyond the next marker.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Makes sure that the buffer has at least 32 bits: a Huffman code and the bits after it.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        if self.count < 32 {
            self.refill_buffer();
        }
    }

    #[inline]
    fn refill_buffer(&mut self) {
        if let Some(next) = self.bytes[self.position.min(self.bytes.len())..].first_chunk::<4>() {
            let word = u32::from_be_bytes(*next);
            // Whether one of the bytes is 0xff: a byte of the complement is zero.
            let zeros = (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080;
            if zeros == 0 {
                self.buffer |= u64::from(word) << (32 - self.count);
                self.count += 32;
                self.position += 4;
                return;
            }
        }
        while self.count <= 56 {
            let Some(byte) = self.next_byte() else {
                self.added += 64 - self.count;
                self.count = 64;
                return;
            };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// Returns the next byte of the data, or `None` at a marker and at the end of the file.
    fn next_byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.position)?;
        if byte != 0xff {
            self.position += 1;
            return Some(byte);
        }
        let after = self.bytes.get(self.position + 1..)?;
        let fill = after.iter().take_while(|&&byte| byte == 0xff).count();
        match after.get(fill) {
            Some(0x00) => {
                self.position += fill + 2;
                Some(0xff)
            }
            _ => None,
        }
    }

    /// Returns the next `count` bits, at least one and at most 32, without consuming them;
    /// [`refill`](Self::refill) has to be called first.
    #[inline(always)]
    pub(super) fn peek(&self, count: u32) -> usize {
        (self.buffer >> (64 - count)) as usize
    }

    /// Consumes bits that were peeked at.
    #[inline(always)]
    pub(super) fn consume(&mut self, count: u32) {
        self.buffer <<= count;
        self.count -= count;
    }

    /// Reads up to 16 bits as a number.
    #[inline(always)]
    pub(super) fn read(&mut self, count: u32) -> i32 {
        if count == 0 {
            return 0;
        }
        self.refill();
        let value = self.peek(count) as i32;
        self.consume(count);
        value
    }

    /// Reads a number of `size` bits, of which the lower half of the values are negative (ITU-T T.81,
    /// F.2.2.1).
    #[inline(always)]
    pub(super) fn read_signed(&mut self, size: u32) -> i32 {
        extend(self.read(size), size)
    }

    /// Reads one bit.
    #[inline(always)]
    pub(super) fn read_bit(&mut self) -> bool {
        self.read(1) != 0
    }

    /// Fails if more bits were consumed than there are before the next marker.
    #[inline(always)]
    pub(super) fn check(&self) -> Result<(), JpegError> {
        match self.count < self.added {
            true => Err(self.exhausted()),
            false => Ok(()),
        }
    }

    #[cold]
    fn exhausted(&self) -> JpegError {
        match next_marker(self.bytes, self.position) {
            None => JpegError::Truncated,
            Some(_) => JpegError::Damaged {
                what: "the data of a scan end before its last block",
                position: self.position,
            },
        }
    }

    /// Returns an error at the current position. If the data end within the current code, that is the error.
    #[cold]
    pub(super) fn damaged(&self, what: &'static str) -> JpegError {
        let position = self.position;
        match self.added > 0 && self.count < self.added + LONGEST_CODE {
            true => self.exhausted(),
            false => JpegError::Damaged { what, position },
        }
    }

    /// Goes on after the next marker, which has to be the restart marker of this number.
    pub(super) fn restart(&mut self, number: usize) -> Result<(), JpegError> {
        let (marker, after) = next_marker(self.bytes, self.position).ok_or(JpegError::Truncated)?;
        if usize::from(marker) != usize::from(RESTART) + number % 8 {
            return Err(JpegError::Damaged {
                what: "a restart marker is missing",
                position: self.position,
            });
        }
        *self = Self::new(self.bytes, after);
        Ok(())
    }
}

/// Returns the number that `size` bits stand for (ITU-T T.81, figure F.12).
#[inline(always)]
pub(super) fn extend(bits: i32, size: u32) -> i32 {
    match size {
        0 => 0,
        _ if bits < 1 << (size - 1) => bits - (1 << size) + 1,
        _ => bits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_bytes_are_read_and_markers_are_not() {
        let bytes = [
            0b1010_0101,
            0xff,
            0x00,
            0x12,
            0x34,
            0x56,
            0xff,
            0xff,
            0x00,
            0xff,
            0xd9,
        ];
        let mut reader = BitReader::new(&bytes, 0);
        let found = [4, 4, 8, 16, 8, 8].map(|count| reader.read(count));
        assert_eq!(found, [0b1010, 0b0101, 0xff, 0x1234, 0x56, 0xff]);
        assert_eq!(reader.check(), Ok(()));
        assert_eq!(reader.read(1), 0);
        assert!(matches!(reader.check(), Err(JpegError::Damaged { .. })));
        assert_eq!(reader.position(), 9);
        let mut reader = BitReader::new(&bytes[..4], 0);
        reader.read(16);
        reader.read(9);
        assert_eq!(reader.check(), Err(JpegError::Truncated));
    }

    #[test]
    fn restarts_are_counted() {
        let bytes = [0x12, 0xff, 0xd0, 0xff, 0xd1, 0x34];
        let mut reader = BitReader::new(&bytes, 0);
        assert_eq!(reader.restart(0), Ok(()));
        assert_eq!(reader.restart(9), Ok(()));
        assert_eq!(reader.read(8), 0x34);
        assert_eq!(reader.restart(2), Err(JpegError::Truncated));
        assert!(BitReader::new(&bytes, 0).restart(1).is_err());
    }

    #[test]
    fn the_lower_half_of_the_values_is_negative() {
        let found = [(0, 0), (0, 1), (1, 1), (0, 3), (3, 3), (4, 3), (7, 3)]
            .map(|(bits, size)| extend(bits, size));
        assert_eq!(found, [0, -1, 1, -7, -4, 4, 7]);
    }
}
