//! The inverse cosine transform of a block, in integers: Loeffler, Ligtenberg and Moschytz's with 12
//! multiplications, as libjpeg's `islow` computes it and libjpeg-turbo's vector code rounds it.

use pulp::{Simd, WithSimd};

use super::blocks::Block;
use super::frame::BLOCK;
use super::reduced_transform as reduced;

/// A number for each column of a block.
pub(super) type Row = [i16; 8];

/// Bits after the point of the factors.
pub(super) const FACTOR_BITS: u32 = 13;
/// Bits after the point between the two passes.
pub(super) const BETWEEN_BITS: u32 = 2;

/// `factor * 2^13`, rounded.
const F_0_541: i32 = 4433;
pub(super) const F_0_765: i32 = 6270;
pub(super) const F_1_847: i32 = 15137;
const F_1_175: i32 = 9633;
const F_1_961: i32 = 16069;
const F_0_390: i32 = 3196;
const F_0_298: i32 = 2446;
pub(super) const F_0_899: i32 = 7373;
const F_2_053: i32 = 16819;
pub(super) const F_2_562: i32 = 20995;
const F_3_072: i32 = 25172;
const F_1_501: i32 = 12299;

/// A row of blocks whose coefficients are to become samples.
#[derive(Debug)]
pub(super) struct BlockRow<'a> {
    pub(super) blocks: &'a [Block],
    /// The factors of the coefficients.
    pub(super) factors: &'a Block,
    /// Samples of a block's side: 8, or fewer at a reduced scale.
    pub(super) side: usize,
    /// Rows of samples, as many as a block has.
    pub(super) samples: &'a mut [u8],
}

impl WithSimd for BlockRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match self.side {
            BLOCK => self.transform::<BLOCK, Full>(),
            4 => self.transform::<4, reduced::Half>(),
            2 => self.transform::<2, reduced::Quarter>(),
            _ => self.transform::<1, Mean>(),
        }
    }
}

impl BlockRow<'_> {
    #[inline(always)]
    fn transform<const SIDE: usize, T: Transform<SIDE>>(self) {
        let pitch = self.samples.len() / SIDE;
        for (index, block) in self.blocks.iter().enumerate() {
            let columns = index * SIDE..(index + 1) * SIDE;
            let others = block[1..].iter().fold(0, |all, value| all | value);
            if others == 0 {
                let value = inverse_of_dc(block[0].wrapping_mul(self.factors[0]));
                for row in self.samples.chunks_exact_mut(pitch) {
                    row[columns.clone()].fill(value);
                }
                continue;
            }
            let rows = T::inverse(block, self.factors);
            for (to, row) in self.samples.chunks_exact_mut(pitch).zip(rows) {
                to[columns.clone()].copy_from_slice(&row);
            }
        }
    }
}

/// A transform of a block to `SIDE` x `SIDE` samples. It is a type because calls of function values aren't compiled for the
/// vector instructions that their caller may use.
pub(super) trait Transform<const SIDE: usize> {
    /// Transforms a block.
    fn inverse(block: &Block, factors: &Block) -> [[u8; SIDE]; SIDE];
}

/// The transform to as many samples as a block has coefficients.
struct Full;

impl Transform<BLOCK> for Full {
    #[inline(always)]
    fn inverse(block: &Block, factors: &Block) -> [[u8; BLOCK]; BLOCK] {
        inverse(block, factors)
    }
}

/// The transform to the mean of all samples.
struct Mean;

impl Transform<1> for Mean {
    #[inline(always)]
    fn inverse(block: &Block, factors: &Block) -> [[u8; 1]; 1] {
        [[inverse_of_dc(block[0].wrapping_mul(factors[0]))]]
    }
}

/// Transforms a block.
#[inline(always)]
fn inverse(block: &Block, factors: &Block) -> [[u8; 8]; 8] {
    let rows = dequantized(block, factors);
    let columns = transposed(&pass::<{ FACTOR_BITS - BETWEEN_BITS }>(&rows));
    let rows = transposed(&pass::<{ FACTOR_BITS + BETWEEN_BITS + 3 }>(&columns));
    let mut samples = [[0; 8]; 8];
    for (to, row) in samples.iter_mut().zip(&rows) {
        for (to, value) in to.iter_mut().zip(row) {
            *to = sample(*value);
        }
    }
    samples
}

/// Returns the sample of all pixels of a block that has a DC coefficient alone.
#[inline(always)]
fn inverse_of_dc(dc: i16) -> u8 {
    let value = i32::from(dc << BETWEEN_BITS);
    sample(((value + 16) >> (BETWEEN_BITS + 3)) as i16)
}

/// Returns the sample of a value around zero.
#[inline(always)]
pub(super) fn sample(value: i16) -> u8 {
    (value.clamp(-128, 127) + 128) as u8
}

#[inline(always)]
fn transposed(rows: &[Row; 8]) -> [Row; 8] {
    std::array::from_fn(|i| std::array::from_fn(|j| rows[j][i]))
}

/// Transforms each column, and drops `SHIFT` bits.
#[inline(always)]
fn pass<const SHIFT: u32>(x: &[Row; 8]) -> [Row; 8] {
    let mut output = [[0; 8]; 8];
    // The compiler makes one vector of all columns.
    for i in 0..8 {
        let values = column::<SHIFT>(std::array::from_fn(|k| x[k][i]));
        for (row, value) in output.iter_mut().zip(values) {
            row[i] = value;
        }
    }
    output
}

/// Transforms a column, and drops `SHIFT` bits.
#[inline(always)]
fn column<const SHIFT: u32>(x: [i16; 8]) -> [i16; 8] {
    let product = |x: i16, a: i32, y: i16, b: i32| i32::from(x) * a + i32::from(y) * b;
    // The even part. Sums before a product have 16 bits, as in vector code; they overflow in damaged
    // files alone.
    let even_0 = i32::from(x[0].wrapping_add(x[4])) << FACTOR_BITS;
    let even_1 = i32::from(x[0].wrapping_sub(x[4])) << FACTOR_BITS;
    let even_2 = product(x[2], F_0_541, x[6], F_0_541 - F_1_847);
    let even_3 = product(x[2], F_0_541 + F_0_765, x[6], F_0_541);
    let even = [
        even_0.wrapping_add(even_3),
        even_1.wrapping_add(even_2),
        even_1.wrapping_sub(even_2),
        even_0.wrapping_sub(even_3),
    ];
    // The odd part.
    let (z_3, z_4) = (x[7].wrapping_add(x[3]), x[5].wrapping_add(x[1]));
    let sum_3 = product(z_3, F_1_175 - F_1_961, z_4, F_1_175);
    let sum_4 = product(z_3, F_1_175, z_4, F_1_175 - F_0_390);
    let odd = [
        product(x[1], F_1_501 - F_0_899, x[7], -F_0_899).wrapping_add(sum_4),
        product(x[3], F_3_072 - F_2_562, x[5], -F_2_562).wrapping_add(sum_3),
        product(x[5], F_2_053 - F_2_562, x[3], -F_2_562).wrapping_add(sum_4),
        product(x[7], F_0_298 - F_0_899, x[1], -F_0_899).wrapping_add(sum_3),
    ];
    std::array::from_fn(|k| match k {
        0..4 => rounded::<SHIFT>(even[k].wrapping_add(odd[k])),
        _ => rounded::<SHIFT>(even[7 - k].wrapping_sub(odd[7 - k])),
    })
}

/// Drops `SHIFT` bits, rounding to the nearest number of 16 bits.
#[inline(always)]
pub(super) fn rounded<const SHIFT: u32>(value: i32) -> i16 {
    let value = value.wrapping_add(1 << (SHIFT - 1)) >> SHIFT;
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// Returns the coefficients of a block, row by row.
#[inline(always)]
pub(super) fn dequantized(block: &Block, factors: &Block) -> [Row; 8] {
    std::array::from_fn(|i| {
        std::array::from_fn(|j| block[i * 8 + j].wrapping_mul(factors[i * 8 + j]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_cosine_transform() {
        for seed in 0..50_i16 {
            let mut block = [0; 64];
            for (k, value) in (0_i16..).zip(&mut block) {
                *value = (k * 37 + seed * 101) % 97 * i16::from(k % 5 != seed % 5);
            }
            let found = inverse(&block, &[1; 64]);
            for (y, row) in found.iter().enumerate() {
                for (x, &found) in row.iter().enumerate() {
                    let mut sum = 0.0;
                    for v in 0..8 {
                        for u in 0..8 {
                            let scale = |k| if k == 0 { 0.5_f64.sqrt() } else { 1.0 };
                            let wave = |k: usize, at: usize| {
                                ((2 * at + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos()
                            };
                            sum += scale(u) * scale(v) / 4.0
                                * f64::from(block[v * 8 + u])
                                * wave(u, x)
                                * wave(v, y);
                        }
                    }
                    let expected = (sum + 128.0).clamp(0.0, 255.0);
                    assert!(
                        (f64::from(found) - expected).abs() < 0.6,
                        "{found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_short_cut_for_dc_is_exact() {
        for dc in -2100..2100 {
            let mut block = [0; 64];
            block[0] = dc;
            assert_eq!(
                inverse(&block, &[1; 64]),
                [[inverse_of_dc(dc); 8]; 8],
                "{dc}"
            );
        }
    }
}
