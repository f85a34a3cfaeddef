//! The segments of a file: tables, headers and what applications add.

use super::blocks::Block;
use super::error::JpegError;
use super::frame::Frame;
use super::huffman::HuffmanTable;
use super::marker::{
    APP0, APP1, APP14, END_OF_IMAGE, HUFFMAN_TABLES, QUANTIZATION_TABLES, RESTART_INTERVAL,
    START_OF_SCAN, next_marker, stands_alone,
};

/// A file, and what its segments have said so far.
#[derive(Debug)]
pub(super) struct Segments<'a> {
    pub(super) bytes: &'a [u8],
    /// The end of the last segment.
    pub(super) position: usize,
    pub(super) frame: Option<Frame>,
    /// Factors in the order in which coefficients are sent.
    pub(super) quantization: [Option<Block>; 4],
    pub(super) dc: [Option<HuffmanTable>; 4],
    pub(super) ac: [Option<HuffmanTable>; 4],
    pub(super) restart_interval: usize,
    pub(super) jfif: bool,
    pub(super) adobe: Option<u8>,
    pub(super) exif: Option<&'a [u8]>,
}

impl<'a> Segments<'a> {
    /// Creates the state of a file of which nothing has been read yet.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            frame: None,
            quantization: [None; 4],
            dc: [const { None }; 4],
            ac: [const { None }; 4],
            restart_interval: 0,
            jfif: false,
            adobe: None,
            exif: None,
        }
    }

    /// Returns an error at the end of the last segment.
    pub(super) fn damaged(&self, what: &'static str) -> JpegError {
        let position = self.position;
        JpegError::Damaged { what, position }
    }

    /// Reads segments up to the next scan and returns its header, or `None` at the end of the image.
    pub(super) fn next_scan(&mut self) -> Result<Option<&'a [u8]>, JpegError> {
        loop {
            let (marker, after) =
                next_marker(self.bytes, self.position).ok_or(JpegError::Truncated)?;
            self.position = after;
            if marker == END_OF_IMAGE {
                return Ok(None);
            }
            if stands_alone(marker) {
                continue;
            }
            let rest = &self.bytes[after..];
            let length = rest.first_chunk::<2>().ok_or(JpegError::Truncated)?;
            let length = usize::from(u16::from_be_bytes(*length));
            if length < 2 {
                return Err(self.damaged("a segment has an impossible length"));
            }
            let body = rest.get(2..length).ok_or(JpegError::Truncated)?;
            self.position += length;
            match marker {
                START_OF_SCAN => return Ok(Some(body)),
                HUFFMAN_TABLES => self.read_huffman_tables(body)?,
                QUANTIZATION_TABLES => self.read_quantization_tables(body)?,
                RESTART_INTERVAL => match *body {
                    [high, low] => {
                        self.restart_interval = usize::from(u16::from_be_bytes([high, low]));
                    }
                    _ => return Err(self.damaged("a restart interval has an impossible length")),
                },
                APP0 => self.jfif |= body.starts_with(b"JFIF\0") && body.len() >= 14,
                APP1 => self.exif = self.exif.or(body.strip_prefix(b"Exif\0\0")),
                APP14 if body.starts_with(b"Adobe") => {
                    self.adobe = body.get(11).copied().or(self.adobe);
                }
                // All that start a frame; 0xc8 is reserved and 0xcc conditions arithmetic coding.
                0xc0..=0xcf if marker != 0xc8 && marker != 0xcc => {
                    if self.frame.is_some() {
                        return Err(self.damaged("there is a second frame header"));
                    }
                    self.frame = Some(Frame::parse(marker, body, after)?);
                }
                _ => {}
            }
        }
    }

    fn read_huffman_tables(&mut self, mut body: &[u8]) -> Result<(), JpegError> {
        while let Some((&kind, rest)) = body.split_first() {
            let (counts, rest) = rest
                .split_first_chunk::<16>()
                .ok_or_else(|| self.damaged("a Huffman table is too short"))?;
            let total = counts.iter().map(|&count| usize::from(count)).sum();
            let table = rest
                .split_at_checked(total)
                .and_then(|(symbols, rest)| Some((HuffmanTable::new(counts, symbols)?, rest)));
            let (table, rest) = table.ok_or_else(|| self.damaged("a Huffman table is no code"))?;
            let slot = match kind >> 4 {
                0 if table.fits_dc() => self.dc.get_mut(usize::from(kind & 15)),
                1 => self.ac.get_mut(usize::from(kind & 15)),
                _ => None,
            };
            match slot {
                Some(slot) => *slot = Some(table),
                None => return Err(self.damaged("a Huffman table is of no known kind")),
            }
            body = rest;
        }
        Ok(())
    }

    fn read_quantization_tables(&mut self, mut body: &[u8]) -> Result<(), JpegError> {
        while let Some((&kind, rest)) = body.split_first() {
            let bytes = match kind >> 4 {
                0 => 1,
                1 => 2,
                _ => return Err(self.damaged("a quantization table is of no known kind")),
            };
            let (values, rest) = rest
                .split_at_checked(64 * bytes)
                .ok_or_else(|| self.damaged("a quantization table is too short"))?;
            let mut factors = [0; 64];
            for (factor, value) in factors.iter_mut().zip(values.chunks_exact(bytes)) {
                // Products have 16 bits, whatever their sign.
                *factor = value
                    .iter()
                    .fold(0, |sum, &byte| (sum << 8) | i16::from(byte));
            }
            match self.quantization.get_mut(usize::from(kind & 15)) {
                Some(slot) => *slot = Some(factors),
                None => return Err(self.damaged("a quantization table is of no known kind")),
            }
            body = rest;
        }
        Ok(())
    }
}
