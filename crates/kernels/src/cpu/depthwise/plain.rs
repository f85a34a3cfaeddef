//! Depthwise convolution by its definition, without vectors.

use super::super::output::Unwritten;
use super::Depthwise;

/// Writes one output plane.
pub(super) fn forward<'a>(
    sizes: &Depthwise,
    input: &[f32],
    filter: &[f32],
    bias: f32,
    output: &'a mut Unwritten,
) -> &'a mut [f32] {
    let mut sums = vec![bias; output.len()];
    sizes.plain().each_product(|tap, output, pixel| {
        sums[output] += filter[tap] * input[pixel];
    });
    output.write_copy_of_slice(&sums)
}

/// Writes the gradient of one input plane, from those of its output planes.
pub(super) fn input_gradient<'a>(
    sizes: &Depthwise,
    filters: &[f32],
    gradients: &[f32],
    output: &'a mut Unwritten,
) -> &'a mut [f32] {
    let mut sums = vec![0.0; output.len()];
    let gradients = gradients.chunks_exact(sizes.output_plane());
    for (filter, gradient) in filters.chunks_exact(sizes.taps()).zip(gradients) {
        sizes.plain().each_product(|tap, output, pixel| {
            sums[pixel] += filter[tap] * gradient[output];
        });
    }
    output.write_copy_of_slice(&sums)
}

/// Computes the gradient of the filters of one input channel.
pub(super) fn weight_gradient(
    sizes: &Depthwise,
    channel: usize,
    input: &[f32],
    gradient: &[f32],
    result: &mut [f32],
) {
    result.fill(0.0);
    for image in 0..sizes.batch {
        let plane = image * sizes.channels + channel;
        let input = &input[plane * sizes.input_plane()..][..sizes.input_plane()];
        for (index, result) in result.chunks_exact_mut(sizes.taps()).enumerate() {
            let plane = plane * sizes.multiplier + index;
            let gradient = &gradient[plane * sizes.output_plane()..][..sizes.output_plane()];
            sizes.plain().each_product(|tap, output, pixel| {
                result[tap] += input[pixel] * gradient[output];
            });
        }
    }
}
