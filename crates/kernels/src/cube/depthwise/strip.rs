//! What one row of a window adds to a strip of columns.

use cubecl::prelude::*;

use super::window::Window;

/// Adds to the sums of a strip's columns what a row of the window finds in a row of pixels.
///
/// `first` is the place of the row's first pixel, `pixel` the distance of one to the next, in vectors; `base` is the column that
/// the window's offsets count from.
#[cube]
pub(super) fn add_row<E: Float, N: Size>(
    pixels: &Tensor<Vector<E, N>>,
    weights: &Shared<[Vector<f32, N>]>,
    sums: &mut Array<Vector<f32, N>>,
    first: usize,
    pixel: usize,
    base: i32,
    width: i32,
    #[comptime] row: usize,
    #[comptime] window: Window,
    #[comptime] cube_lines: usize,
) {
    let line = UNIT_POS_X as usize;
    #[unroll]
    for index in 0..comptime!(window.offsets()) {
        if comptime!(window.is_read(index)) {
            let column = base + comptime!(window.offset(index));
            if column >= 0 && column < width {
                let value = pixels[first + column as usize * pixel];
                let value = Vector::<f32, N>::cast_from(value);
                #[unroll]
                for at in 0..comptime!(window.columns) {
                    if comptime!(window.reaches(index, at)) {
                        let tap = comptime!(window.tap_in_row(row, index, at) * cube_lines);
                        sums[at] += value * weights[tap + line];
                    }
                }
            }
        }
    }
}

/// Writes the sums of a strip's columns, as far as the row goes.
#[cube]
pub(super) fn write_strip<E: Float, N: Size>(
    output: &mut Tensor<Vector<E, N>>,
    sums: &Array<Vector<f32, N>>,
    first: usize,
    pixel: usize,
    start: usize,
    width: usize,
    #[comptime] columns: usize,
) {
    #[unroll]
    for at in 0..columns {
        let column = start + at;
        if column < width {
            output[first + column * pixel] = Vector::<E, N>::cast_from(sums[at]);
        }
    }
}
