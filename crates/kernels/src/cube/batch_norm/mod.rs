//! Batch normalization on the Cube backend.
//!
//! Forward: sums over the pixels in segments, the statistics from these, and one pass that normalizes. Backward likewise. So a
//! batch is read twice and written once; its gradient takes two readings of batch and gradient, and is written once.

mod backward;
mod forward;

use burn::backend::cubecl::dtype_to_storage_type;
use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use super::grid::Grid;
use super::layout::{empty_beside, vector_size};
use super::partial_sums::segments;

type Tensors = (CubeTensor, CubeTensor, CubeTensor);

/// The pixels of a unit in the passes that normalize, whose parameters it reads once.
const PIXELS: usize = 4;

/// The sizes of a batch, `[batch, height, width, channels]`, and the division of the work on it.
struct Batch {
    shape: [usize; 4],
    channels: usize,
    vector: VectorSize,
    segments: usize,
    /// For sums over segments of pixels.
    sums: Grid,
    /// For passes that compute each value.
    pass: Grid,
    element: ElemType,
}

impl Batch {
    fn of(input: &CubeTensor) -> Self {
        let shape: [usize; 4] = input.meta.shape().dims();
        let [batch, height, width, channels] = shape;
        let pixels = batch * height * width;
        let vector = vector_size(input, channels);
        let lines = channels / vector;
        let segments = segments(pixels, lines);
        Self {
            shape,
            channels,
            vector,
            segments,
            sums: Grid::new(input, lines, segments),
            pass: Grid::new(input, lines, pixels.div_ceil(PIXELS)),
            element: dtype_to_storage_type(input.dtype),
        }
    }

    /// Returns room for two sums of each segment and channel.
    fn empty_sums(&self, input: &CubeTensor) -> CubeTensor {
        empty_beside(input, [self.segments, 2, self.channels], DType::F32)
    }

    /// Returns the cubes for a unit a channel.
    fn per_channel(&self, input: &CubeTensor) -> (CubeCount, CubeDim) {
        let dim = CubeDim::new(&input.client, self.channels);
        let count = calculate_cube_count_elemwise(&input.client, self.channels, dim);
        (count, dim)
    }
}

/// Adds up the two sums of a channel, `[segments, 2, channels]`.
#[cube]
fn add_up_pair(sums: &Tensor<f32>, channel: usize) -> (f32, f32) {
    let (segments, channels) = (sums.shape(0), sums.shape(2));
    let mut first = 0.0f32;
    let mut second = 0.0f32;
    for segment in 0..segments {
        first += sums[2 * segment * channels + channel];
        second += sums[(2 * segment + 1) * channels + channel];
    }
    (first, second)
}

/// Returns the reciprocal of the standard deviation.
#[cube]
fn reciprocal_deviation<P: Float, N: Size>(variance: Vector<P, N>, epsilon: f32) -> Vector<f32, N> {
    let variance = Vector::<f32, N>::cast_from(variance);
    (variance + Vector::broadcast(epsilon)).inverse_sqrt()
}
