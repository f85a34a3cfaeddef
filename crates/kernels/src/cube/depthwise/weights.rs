//! The weights of a cube's channels.

use cubecl::prelude::*;

use super::window::Window;

/// Returns the shared memory of a line of channels, in bytes.
pub(super) fn shared_bytes(window: &Window, vector: VectorSize) -> usize {
    window.taps() * vector * size_of::<f32>()
}

/// Copies the weights of the channels of a cube, `[channels, taps]`, to its shared memory: those of a tap for all lines, then
/// those of the next tap. All units of the cube have to call it.
#[cube]
pub(super) fn share_weights<E: Float, N: Size>(
    weight: &Tensor<E>,
    shared: &mut Shared<[Vector<f32, N>]>,
    channels: usize,
    #[comptime] taps: usize,
    #[comptime] cube_lines: usize,
) {
    let vector = N::value();
    let units = (CUBE_DIM_X * CUBE_DIM_Y) as usize;
    let mut index = UNIT_POS as usize;
    while index < comptime!(taps * cube_lines) {
        let line = CUBE_POS_X as usize * cube_lines + index % cube_lines;
        let tap = index / cube_lines;
        let channel = line * vector;
        let mut values = Vector::<f32, N>::zeroed();
        if channel < channels {
            #[unroll]
            for lane in 0..vector {
                values.insert(lane, f32::cast_from(weight[(channel + lane) * taps + tap]));
            }
        }
        shared[index] = values;
        index += units;
    }
    sync_cube();
}
