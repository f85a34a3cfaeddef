//! Huffman tables (ITU-T T.81, annex C).

use super::bits::{BitReader, extend};
use super::error::JpegError;

/// Codes of up to this many bits are looked up.
const FAST_BITS: u32 = 10;

/// A Huffman table.
#[derive(Debug, Clone)]
pub(super) struct HuffmanTable {
    /// For the next bits, the length and the symbol of the code that they begin with; zero where the
    /// code is longer.
    fast: Box<[(u8, u8); 1 << FAST_BITS]>,
    /// For the next bits, the coefficient that they begin with, as far as they hold it.
    coefficients: Box<[Prefix; 1 << FAST_BITS]>,
    /// The largest code of each length, or -1.
    largest: [i32; 17],
    /// Differences between a code of each length and its symbol's index.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

/// What the next bits say of a coefficient.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Prefix {
    /// Bits of the code and of what is known of the value, or 0 if the code is too long.
    pub(super) bits: u8,
    /// Zeros before the coefficient, in the higher half; bits of the value that come after these, in the lower half: 0 where
    /// the value is known, and where there is none.
    pub(super) symbol: u8,
    /// The coefficient, or 0 where it isn't known.
    pub(super) value: i16,
}

impl HuffmanTable {
    /// Makes a table from the number of codes of each length from 1 to 16 and their symbols; `None`
    /// if they aren't a code.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        if total == 0 || total > 256 || symbols.len() != total {
            return None;
        }
        let mut table = Self {
            fast: Box::new([(0, 0); 1 << FAST_BITS]),
            coefficients: Box::new([Prefix::default(); 1 << FAST_BITS]),
            largest: [-1; 17],
            offsets: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut index) = (0_usize, 0);
        for (length, &count) in (1_u32..).zip(counts) {
            table.offsets[length as usize] = index as i32 - code as i32;
            for _ in 0..count {
                if code >= 1 << length {
                    return None;
                }
                if length <= FAST_BITS {
                    let free = FAST_BITS - length;
                    table.fast[code << free..(code + 1) << free]
                        .fill((length as u8, symbols[index]));
                }
                table.largest[length as usize] = code as i32;
                code += 1;
                index += 1;
            }
            code <<= 1;
        }
        for bits in 0..1 << FAST_BITS {
            table.coefficients[bits] = table.prefix(bits as u32);
        }
        Some(table)
    }

    /// Returns what these bits say of a coefficient.
    fn prefix(&self, bits: u32) -> Prefix {
        let (length, symbol) = self.fast[bits as usize];
        let size = symbol & 15;
        let used = u32::from(length + size);
        if length == 0 || size == 0 || used > FAST_BITS {
            return Prefix {
                bits: length,
                symbol,
                value: 0,
            };
        }
        let value = (bits >> (FAST_BITS - used)) & ((1 << size) - 1);
        Prefix {
            bits: used as u8,
            symbol: symbol & 0xf0,
            value: extend(value as i32, u32::from(size)) as i16,
        }
    }

    /// Returns whether every symbol is a possible size of a DC coefficient, in bits.
    pub(super) fn fits_dc(&self) -> bool {
        self.symbols.iter().all(|&symbol| symbol <= 15)
    }

    /// Looks up what the next bits say of a coefficient.
    #[inline(always)]
    pub(super) fn prefix_of(&self, reader: &BitReader) -> Prefix {
        self.coefficients[reader.peek(FAST_BITS) & ((1 << FAST_BITS) - 1)]
    }

    /// Decodes a symbol; afterwards the reader's buffer has at least 16 bits.
    #[inline(always)]
    pub(super) fn decode(&self, reader: &mut BitReader) -> Result<u8, JpegError> {
        reader.refill();
        let (length, symbol) = self.fast[reader.peek(FAST_BITS) & ((1 << FAST_BITS) - 1)];
        if length > 0 {
            reader.consume(u32::from(length));
            return Ok(symbol);
        }
        self.decode_long(reader)
    }

    /// Decodes a symbol whose code is too long to be looked up.
    pub(super) fn decode_long(&self, reader: &mut BitReader) -> Result<u8, JpegError> {
        for length in FAST_BITS + 1..=16 {
            let code = reader.peek(length) as i32;
            if code <= self.largest[length as usize] {
                reader.consume(length);
                let index = self.offsets[length as usize] + code;
                let symbol = usize::try_from(index).ok();
                let symbol = symbol.and_then(|index| self.symbols.get(index));
                return symbol
                    .copied()
                    .ok_or_else(|| reader.damaged("a code isn't in its Huffman table"));
            }
        }
        Err(reader.damaged("a code isn't in its Huffman table"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_every_length_are_decoded() {
        // One code of each length: 0, 10, 110, ... and 1111 1111 1111 1110.
        let symbols: Vec<u8> = (0..16).collect();
        let table = HuffmanTable::new(&[1; 16], &symbols).unwrap();
        let bits: String = (0..16).map(|n| "1".repeat(n) + "0").collect();
        let bytes = bits.as_bytes().chunks(8).flat_map(|bits| {
            let bits = bits.iter().fold(0, |sum, bit| (sum << 1) | (bit - b'0'));
            [bits, 0].into_iter().take(1 + usize::from(bits == 0xff))
        });
        let bytes: Vec<u8> = bytes.collect();
        let mut reader = BitReader::new(&bytes, 0);
        let found: Vec<u8> = (0..16)
            .map(|_| table.decode(&mut reader).unwrap())
            .collect();
        assert_eq!(found, symbols);
        let mut reader = BitReader::new(&[0xff, 0, 0xff, 0, 0xff, 0], 0);
        assert!(table.decode(&mut reader).is_err());
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let mut counts = [0; 16];
        assert!(HuffmanTable::new(&counts, &[]).is_none());
        counts[0] = 3;
        assert!(HuffmanTable::new(&counts, &[1, 2, 3]).is_none());
        counts[0] = 2;
        assert!(HuffmanTable::new(&counts, &[1, 2]).is_some());
        assert!(HuffmanTable::new(&counts, &[1]).is_none());
        assert!(HuffmanTable::new(&[255; 16], &[0; 4080]).is_none());
    }
}
