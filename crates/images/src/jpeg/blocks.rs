//! The coefficients of a block from its bits (ITU-T T.81, annexes F and G).

use super::bits::{BitReader, extend};
use super::error::JpegError;
use super::huffman::HuffmanTable;

/// Coefficients of a block, row by row.
pub(super) type Block = [i16; 64];

/// Positions in a block of the coefficients, in the order in which they are sent.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The reason given if a run of zeros leads out of the block.
const TOO_MANY: &str = "a block has too many coefficients";

/// Factors in the order in which they are sent, as the coefficients of a block lie.
pub(super) fn in_rows(sent: &Block) -> Block {
    let mut rows = [0; 64];
    for (k, value) in sent.iter().enumerate() {
        rows[place(k)] = *value;
    }
    rows
}

/// Returns the place of the coefficient that is sent at this index, below 64.
#[inline(always)]
fn place(k: usize) -> usize {
    usize::from(ZIGZAG[k & 63] & 63)
}

/// Decodes the difference of a DC coefficient from the one before, and returns the coefficient.
#[inline(always)]
fn next_dc(
    reader: &mut BitReader,
    table: &HuffmanTable,
    prediction: &mut i32,
) -> Result<i32, JpegError> {
    let size = table.decode(reader)? & 15;
    let difference = reader.read_signed(u32::from(size));
    *prediction = prediction.wrapping_add(difference);
    Ok(*prediction)
}

/// Decodes a block of a sequential scan into zeros.
#[inline(always)]
pub(super) fn sequential(
    reader: &mut BitReader,
    (dc, ac): (&HuffmanTable, &HuffmanTable),
    prediction: &mut i32,
    block: &mut Block,
) -> Result<(), JpegError> {
    block[0] = next_dc(reader, dc, prediction)? as i16;
    visit_ac(reader, ac, |k, value| block[place(k)] = value)
}

/// Reads over a block of a sequential scan, with the errors of [`sequential`].
#[inline(always)]
pub(super) fn skip(
    reader: &mut BitReader,
    (dc, ac): (&HuffmanTable, &HuffmanTable),
    prediction: &mut i32,
) -> Result<(), JpegError> {
    next_dc(reader, dc, prediction)?;
    visit_ac(reader, ac, |_, _| {})
}

/// Calls `visit` with the index and the value of each AC coefficient of a sequential scan's block.
#[inline(always)]
fn visit_ac(
    reader: &mut BitReader,
    table: &HuffmanTable,
    mut visit: impl FnMut(usize, i16),
) -> Result<(), JpegError> {
    let mut k = 1;
    while k < 64 {
        reader.refill();
        let prefix = table.prefix_of(reader);
        let (mut symbol, mut value) = (prefix.symbol, prefix.value);
        reader.consume(u32::from(prefix.bits));
        if value == 0 {
            if prefix.bits == 0 {
                symbol = table.decode_long(reader)?;
            }
            match symbol & 15 {
                0 if symbol == 0xf0 => {
                    k += 16;
                    continue;
                }
                0 => break,
                // The buffer has 16 bits or more: a code takes at most 16 of 32.
                size => {
                    value = extend(reader.peek(size.into()) as i32, size.into()) as i16;
                    reader.consume(size.into());
                }
            }
        }
        k += usize::from(symbol >> 4);
        if k > 63 {
            return Err(reader.damaged(TOO_MANY));
        }
        visit(k, value);
        k += 1;
    }
    Ok(())
}

/// Decodes the DC coefficient of a progressive image down to bit `low`.
#[inline(always)]
pub(super) fn first_dc(
    reader: &mut BitReader,
    table: &HuffmanTable,
    prediction: &mut i32,
    low: u32,
    block: &mut Block,
) -> Result<(), JpegError> {
    block[0] = (next_dc(reader, table, prediction)? << low) as i16;
    Ok(())
}

/// Decodes bit `low` of the DC coefficient.
#[inline(always)]
pub(super) fn refine_dc(reader: &mut BitReader, low: u32, block: &mut Block) {
    block[0] |= i16::from(reader.read_bit()) << low;
}

/// Decodes AC coefficients of a progressive image down to bit `low`. `run` is the number of blocks,
/// this one included, that have no more of them.
#[inline(always)]
pub(super) fn first_ac(
    reader: &mut BitReader,
    table: &HuffmanTable,
    [start, end]: [usize; 2],
    low: u32,
    run: &mut u32,
    block: &mut Block,
) -> Result<(), JpegError> {
    if *run > 0 {
        *run -= 1;
        return Ok(());
    }
    let mut k = start;
    while k <= end {
        let symbol = table.decode(reader)?;
        let (zeros, size) = (symbol >> 4, symbol & 15);
        if size == 0 {
            if zeros < 15 {
                *run = end_of_band(reader, zeros) - 1;
                break;
            }
            k += 16;
            continue;
        }
        k += usize::from(zeros);
        if k > end {
            return Err(reader.damaged(TOO_MANY));
        }
        block[place(k)] = (reader.read_signed(u32::from(size)) << low) as i16;
        k += 1;
    }
    Ok(())
}

/// Decodes bit `low` of AC coefficients, and those that have no higher bit.
#[inline(always)]
pub(super) fn refine_ac(
    reader: &mut BitReader,
    table: &HuffmanTable,
    [start, end]: [usize; 2],
    low: u32,
    run: &mut u32,
    block: &mut Block,
) -> Result<(), JpegError> {
    let bit = 1_i16 << low;
    let mut k = start;
    while *run == 0 && k <= end {
        let symbol = table.decode(reader)?;
        let (mut zeros, size) = (symbol >> 4, symbol & 15);
        let mut new = 0;
        if size > 0 {
            new = if reader.read_bit() { bit } else { -bit };
        } else if zeros < 15 {
            *run = end_of_band(reader, zeros);
            break;
        }
        while k <= end {
            let coefficient = &mut block[place(k)];
            if *coefficient != 0 {
                refine(reader, bit, coefficient);
            } else if zeros == 0 {
                break;
            } else {
                zeros -= 1;
            }
            k += 1;
        }
        if new != 0 {
            if k > end {
                return Err(reader.damaged(TOO_MANY));
            }
            block[place(k)] = new;
        }
        k += 1;
    }
    if *run > 0 {
        for k in k..=end {
            let coefficient = &mut block[place(k)];
            if *coefficient != 0 {
                refine(reader, bit, coefficient);
            }
        }
        *run -= 1;
    }
    Ok(())
}

/// Decodes one more bit of a coefficient that isn't zero.
#[inline(always)]
fn refine(reader: &mut BitReader, bit: i16, coefficient: &mut i16) {
    if reader.read_bit() && *coefficient & bit == 0 {
        let change = if *coefficient >= 0 { bit } else { -bit };
        *coefficient = coefficient.wrapping_add(change);
    }
}

/// Returns the number of blocks, this one included, that have no more coefficients of the band.
fn end_of_band(reader: &mut BitReader, size: u8) -> u32 {
    let size = u32::from(size);
    (1 << size) + reader.read(size) as u32
}
