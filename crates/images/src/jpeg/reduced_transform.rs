//! Inverse cosine transforms to fewer samples than a block has, as libjpeg-turbo computes them (jidctred.c): each is the mean
//! of 2 x 2 or 4 x 4 samples of the full transform, up to rounding.

use super::blocks::Block;
use super::transform::{
    BETWEEN_BITS, F_0_765, F_0_899, F_1_847, F_2_562, FACTOR_BITS, Row, dequantized, rounded,
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

/// Transforms a block to 4 x 4 samples.
#[inline(always)]
pub(super) fn inverse_4(block: &Block, factors: &Block) -> [[u8; 4]; 4] {
    let rows = dequantized(block, factors);
    let between = pass::<4, 8>(&rows, column_4::<{ FACTOR_BITS - BETWEEN_BITS + 1 }>);
    let columns = transposed(&between);
    let samples = pass::<4, 4>(&columns, column_4::<{ FACTOR_BITS + BETWEEN_BITS + 4 }>);
    transposed(&samples).map(|row| row.map(sample))
}

/// Transforms a block to 2 x 2 samples.
#[inline(always)]
pub(super) fn inverse_2(block: &Block, factors: &Block) -> [[u8; 2]; 2] {
    let rows = dequantized(block, factors);
    let between = pass::<2, 8>(&rows, column_2::<{ FACTOR_BITS - BETWEEN_BITS + 2 }>);
    let columns = transposed(&between);
    let samples = pass::<2, 2>(&columns, column_2::<{ FACTOR_BITS + BETWEEN_BITS + 5 }>);
    transposed(&samples).map(|row| row.map(sample))
}

#[inline(always)]
fn transposed<const M: usize, const N: usize>(rows: &[[i16; N]; M]) -> [[i16; M]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| rows[j][i]))
}

/// Transforms each of `WIDTH` columns of eight numbers to `SIDE` numbers.
#[inline(always)]
fn pass<const SIDE: usize, const WIDTH: usize>(
    x: &[[i16; WIDTH]; 8],
    column: impl Fn(Row) -> [i16; SIDE],
) -> [[i16; WIDTH]; SIDE] {
    let mut output = [[0; WIDTH]; SIDE];
    // The compiler makes one vector of all columns.
    for i in 0..WIDTH {
        let values = column(std::array::from_fn(|k| x[k][i]));
        for (row, value) in output.iter_mut().zip(values) {
            row[i] = value;
        }
    }
    output
}

/// Transforms a column to four numbers, and drops `SHIFT` bits.
#[inline(always)]
fn column_4<const SHIFT: u32>(x: Row) -> [i16; 4] {
    let x = x.map(i32::from);
    let even_0 = x[0] << (FACTOR_BITS + 1);
    let even_1 = x[2] * F_1_847 - x[6] * F_0_765;
    let odd_0 = [
        x[7] * -F_0_509,
        x[5] * -F_0_601,
        x[3] * F_0_899,
        x[1] * F_2_562,
    ];
    let odd_1 = [
        x[7] * -F_0_211,
        x[5] * F_1_451,
        x[3] * -F_2_172,
        x[1] * F_1_061,
    ];
    let [odd_0, odd_1] = [odd_0, odd_1].map(|terms| terms.into_iter().fold(0, i32::wrapping_add));
    let [even_0, even_1] = [even_0.wrapping_add(even_1), even_0.wrapping_sub(even_1)];
    [
        rounded::<SHIFT>(even_0.wrapping_add(odd_0)),
        rounded::<SHIFT>(even_1.wrapping_add(odd_1)),
        rounded::<SHIFT>(even_1.wrapping_sub(odd_1)),
        rounded::<SHIFT>(even_0.wrapping_sub(odd_0)),
    ]
}

/// Transforms a column to two numbers, and drops `SHIFT` bits.
#[inline(always)]
fn column_2<const SHIFT: u32>(x: Row) -> [i16; 2] {
    let x = x.map(i32::from);
    let even = x[0] << (FACTOR_BITS + 2);
    let odd = [
        x[7] * -F_0_720,
        x[5] * F_0_850,
        x[3] * -F_1_272,
        x[1] * F_3_624,
    ];
    let odd = odd.into_iter().fold(0, i32::wrapping_add);
    [
        rounded::<SHIFT>(even.wrapping_add(odd)),
        rounded::<SHIFT>(even.wrapping_sub(odd)),
    ]
}
