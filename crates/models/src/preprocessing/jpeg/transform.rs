//! The inverse cosine transform of a block, in integers: Loeffler, Ligtenberg and Moschytz's with 12
//! multiplications, as libjpeg's `islow` computes it and libjpeg-turbo's vector code rounds it.

use pulp::{Simd, WithSimd};

use super::blocks::Block;
use super::frame::BLOCK;

/// A number for each column of a block.
type Row = [i16; 8];
/// The same with room for products.
type Wide = [i32; 8];

/// Bits after the point of the factors.
const FACTOR_BITS: u32 = 13;
/// Bits after the point between the two passes.
const BETWEEN_BITS: u32 = 2;

/// `factor * 2^13`, rounded.
const F_0_541: i32 = 4433;
const F_0_765: i32 = 6270;
const F_1_847: i32 = 15137;
const F_1_175: i32 = 9633;
const F_1_961: i32 = 16069;
const F_0_390: i32 = 3196;
const F_0_298: i32 = 2446;
const F_0_899: i32 = 7373;
const F_2_053: i32 = 16819;
const F_2_562: i32 = 20995;
const F_3_072: i32 = 25172;
const F_1_501: i32 = 12299;

/// A row of blocks whose coefficients are to become samples.
#[derive(Debug)]
pub(super) struct BlockRow<'a> {
    pub(super) blocks: &'a [Block],
    /// What to multiply coefficients by.
    pub(super) factors: &'a Block,
    /// Rows of samples, as many as a block has.
    pub(super) samples: &'a mut [u8],
}

impl WithSimd for BlockRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let pitch = self.samples.len() / BLOCK;
        for (index, block) in self.blocks.iter().enumerate() {
            let columns = index * BLOCK..(index + 1) * BLOCK;
            let others = block[1..].iter().fold(0, |all, value| all | value);
            if others == 0 {
                let value = inverse_of_dc(block[0].wrapping_mul(self.factors[0]));
                for row in self.samples.chunks_exact_mut(pitch) {
                    row[columns.clone()].fill(value);
                }
                continue;
            }
            let rows = inverse(block, self.factors);
            for (to, row) in self.samples.chunks_exact_mut(pitch).zip(rows) {
                to[columns.clone()].copy_from_slice(&row);
            }
        }
    }
}

/// Transforms a block.
#[inline(always)]
fn inverse(block: &Block, factors: &Block) -> [[u8; 8]; 8] {
    let rows: [Row; 8] = std::array::from_fn(|i| {
        std::array::from_fn(|j| block[i * 8 + j].wrapping_mul(factors[i * 8 + j]))
    });
    let columns = transposed(pass::<{ FACTOR_BITS - BETWEEN_BITS }>(rows));
    let rows = transposed(pass::<{ FACTOR_BITS + BETWEEN_BITS + 3 }>(columns));
    let mut samples = [[0; 8]; 8];
    for (to, row) in samples.iter_mut().zip(&rows) {
        for (to, value) in to.iter_mut().zip(row) {
            *to = sample(*value);
        }
    }
    samples
}

/// The sample of all pixels of a block that has a DC coefficient alone.
#[inline(always)]
fn inverse_of_dc(dc: i16) -> u8 {
    let value = i32::from(dc << BETWEEN_BITS);
    sample(((value + 16) >> (BETWEEN_BITS + 3)) as i16)
}

/// The sample of a value around zero.
#[inline(always)]
fn sample(value: i16) -> u8 {
    (value.clamp(-128, 127) + 128) as u8
}

#[inline(always)]
fn transposed(rows: [Row; 8]) -> [Row; 8] {
    std::array::from_fn(|i| std::array::from_fn(|j| rows[j][i]))
}

/// `a * x + b * y` in each column.
#[inline(always)]
fn sum_of_products(x: Row, a: i32, y: Row, b: i32) -> Wide {
    std::array::from_fn(|i| i32::from(x[i]) * a + i32::from(y[i]) * b)
}

#[inline(always)]
fn combined<T: Copy, U>(x: [T; 8], y: [T; 8], operation: impl Fn(T, T) -> U) -> [U; 8] {
    std::array::from_fn(|i| operation(x[i], y[i]))
}

/// Transforms each column, and drops `SHIFT` bits.
#[inline(always)]
fn pass<const SHIFT: u32>(x: [Row; 8]) -> [Row; 8] {
    let plus = |x, y| combined(x, y, i32::wrapping_add);
    let minus = |x, y| combined(x, y, i32::wrapping_sub);
    // The even part. Sums before a product have 16 bits, as in vector code; they overflow in damaged
    // files alone.
    let wide = |x: Row| x.map(|value| i32::from(value) << FACTOR_BITS);
    let even_0 = wide(combined(x[0], x[4], i16::wrapping_add));
    let even_1 = wide(combined(x[0], x[4], i16::wrapping_sub));
    let even_2 = sum_of_products(x[2], F_0_541, x[6], F_0_541 - F_1_847);
    let even_3 = sum_of_products(x[2], F_0_541 + F_0_765, x[6], F_0_541);
    let even = [
        plus(even_0, even_3),
        plus(even_1, even_2),
        minus(even_1, even_2),
        minus(even_0, even_3),
    ];
    // The odd part.
    let z_3 = combined(x[7], x[3], i16::wrapping_add);
    let z_4 = combined(x[5], x[1], i16::wrapping_add);
    let sum_3 = sum_of_products(z_3, F_1_175 - F_1_961, z_4, F_1_175);
    let sum_4 = sum_of_products(z_3, F_1_175, z_4, F_1_175 - F_0_390);
    let odd = [
        plus(
            sum_of_products(x[1], F_1_501 - F_0_899, x[7], -F_0_899),
            sum_4,
        ),
        plus(
            sum_of_products(x[3], F_3_072 - F_2_562, x[5], -F_2_562),
            sum_3,
        ),
        plus(
            sum_of_products(x[5], F_2_053 - F_2_562, x[3], -F_2_562),
            sum_4,
        ),
        plus(
            sum_of_products(x[7], F_0_298 - F_0_899, x[1], -F_0_899),
            sum_3,
        ),
    ];
    let rounded = |values: Wide| {
        values.map(|value| {
            let value = value.wrapping_add(1 << (SHIFT - 1)) >> SHIFT;
            value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
        })
    };
    let upper = |i: usize| rounded(plus(even[i], odd[i]));
    let lower = |i: usize| rounded(minus(even[i], odd[i]));
    [
        upper(0),
        upper(1),
        upper(2),
        upper(3),
        lower(3),
        lower(2),
        lower(1),
        lower(0),
    ]
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
