//! Inverse cosine transforms to fewer samples than a block has, as libjpeg-turbo computes them (jidctred.c): each is the mean
//! of 2 x 2 or 4 x 4 samples of the full transform, up to rounding.

use super::blocks::Block;
use super::transform::{
    BETWEEN_BITS, F_0_765, F_0_899, F_1_847, F_2_562, FACTOR_BITS, Transform, dequantized, rounded,
    sample,
};

/// `factor * 2^13`, rounded.
const F_0_211: i32 = 1730;
const F_0_509: i32 = 4176;
const F_0_601: i32 = 4926;
const F_0_720: i32 = 5906;
const F_0_850: i32 = 6967;
const F_1_061: i32 = 8697;
const F_1_272: i32 = 10426;
const F_1_451: i32 = 11893;
const F_2_172: i32 = 17799;
const F_3_624: i32 = 29692;

/// The transform to 4 x 4 samples.
pub(super) struct Half;

impl Transform<4> for Half {
    #[inline(always)]
    fn inverse(block: &Block, factors: &Block) -> [[u8; 4]; 4] {
        let rows = dequantized(block, factors);
        let mut between = [[0; 4]; 8]; // a row for each column of coefficients
        for (j, row) in between.iter_mut().enumerate() {
            *row = column_4::<{ FACTOR_BITS - BETWEEN_BITS + 1 }, _>(&rows, j);
        }
        let mut samples = [[0; 4]; 4];
        for i in 0..4 {
            let row = column_4::<{ FACTOR_BITS + BETWEEN_BITS + 4 }, _>(&between, i);
            for (to, value) in samples[i].iter_mut().zip(row) {
                *to = sample(value);
            }
        }
        samples
    }
}

/// The transform to 2 x 2 samples.
pub(super) struct Quarter;

impl Transform<2> for Quarter {
    #[inline(always)]
    fn inverse(block: &Block, factors: &Block) -> [[u8; 2]; 2] {
        let rows = dequantized(block, factors);
        let mut between = [[0; 2]; 8];
        for (j, row) in between.iter_mut().enumerate() {
            *row = column_2::<{ FACTOR_BITS - BETWEEN_BITS + 2 }, _>(&rows, j);
        }
        let mut samples = [[0; 2]; 2];
        for i in 0..2 {
            let row = column_2::<{ FACTOR_BITS + BETWEEN_BITS + 5 }, _>(&between, i);
            for (to, value) in samples[i].iter_mut().zip(row) {
                *to = sample(value);
            }
        }
        samples
    }
}

/// Transforms column `j` to four numbers, and drops `SHIFT` bits.
#[inline(always)]
fn column_4<const SHIFT: u32, const WIDTH: usize>(rows: &[[i16; WIDTH]; 8], j: usize) -> [i16; 4] {
    let x = |k: usize| i32::from(rows[k][j]);
    let even_0 = x(0) << (FACTOR_BITS + 1);
    let even_1 = x(2) * F_1_847 - x(6) * F_0_765;
    let odd_0 = (x(1) * F_2_562 + x(3) * F_0_899).wrapping_sub(x(5) * F_0_601 + x(7) * F_0_509);
    let odd_1 = (x(1) * F_1_061 - x(3) * F_2_172).wrapping_add(x(5) * F_1_451 - x(7) * F_0_211);
    let [even_0, even_1] = [even_0.wrapping_add(even_1), even_0.wrapping_sub(even_1)];
    [
        rounded::<SHIFT>(even_0.wrapping_add(odd_0)),
        rounded::<SHIFT>(even_1.wrapping_add(odd_1)),
        rounded::<SHIFT>(even_1.wrapping_sub(odd_1)),
        rounded::<SHIFT>(even_0.wrapping_sub(odd_0)),
    ]
}

/// Transforms column `j` to two numbers, and drops `SHIFT` bits.
#[inline(always)]
fn column_2<const SHIFT: u32, const WIDTH: usize>(rows: &[[i16; WIDTH]; 8], j: usize) -> [i16; 2] {
    let x = |k: usize| i32::from(rows[k][j]);
    let even = x(0) << (FACTOR_BITS + 2);
    let odd = (x(1) * F_3_624 - x(3) * F_1_272).wrapping_add(x(5) * F_0_850 - x(7) * F_0_720);
    [
        rounded::<SHIFT>(even.wrapping_add(odd)),
        rounded::<SHIFT>(even.wrapping_sub(odd)),
    ]
}
