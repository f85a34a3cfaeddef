//! Transposed convolution, from the size of a convolution's output back to that of its input.

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::module::conv_transpose2d;
use burn::tensor::ops::ConvTransposeOptions;

use crate::Geometry;
use crate::convolution_shape::ConvolutionShape;
use crate::half_precision::{half_in_memory, single};
use crate::native::is_native;
use crate::ops::ConvolutionBackend;

/// Applies the transpose of a convolution, also called deconvolution: each pixel of the input adds its window, weighted,
/// to the output.
///
/// The geometry is that of the convolution which is transposed: it takes an image of `size` to the size of `input`. At
/// stride 2 an image of 7 and one of 8 rows both give 4, which is why `size` has to be said.
///
/// On the devices for which [`runs_natively`](crate::runs_natively) holds, and for `f32`, this crate's kernels compute
/// the output and the gradients; elsewhere Burn's own operation does.
///
/// # Shapes
///
/// - `input`: `[batch, channels_in, height, width]`, with `[height, width]` the [`output_size`](Geometry::output_size)
///   of `size`
/// - `weight`: `[channels_in, channels_out / groups, kernel_height, kernel_width]`
/// - output: `[batch, channels_out, size[0], size[1]]`
///
/// # Panics
///
/// If the shapes don't fit, as Burn's own operation does.
///
/// # Examples
///
/// ```
/// use burn::prelude::*;
/// use xception_kernels::{Geometry, transposed_conv2d};
///
/// let device = Device::flex();
/// let input = Tensor::ones([1, 4, 4, 4], &device);
/// let weight = Tensor::ones([4, 1, 3, 3], &device); // depthwise: as many groups as channels
/// let geometry = Geometry::same(3).with_stride(2);
/// let output = transposed_conv2d(input, weight, [7, 8], &geometry, 4);
/// assert_eq!(output.dims(), [1, 4, 7, 8]);
/// ```
pub fn transposed_conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    size: [usize; 2],
    geometry: &Geometry,
    groups: usize,
) -> Tensor<4> {
    if let Some(element) = half_in_memory(&input) {
        return transposed_conv2d(single(input), single(weight), size, geometry, groups)
            .cast(element);
    }
    let native = is_native(&input) && is_native(&weight);
    let shape = match native {
        true => transposed_shape(input.dims(), weight.dims(), size, geometry, groups),
        false => None,
    };
    let Some(shape) = shape else {
        return burn_transposed_conv2d(input, weight, size, geometry, groups);
    };
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(<Dispatch as ConvolutionBackend>::convolve_transposed(
        input, weight, shape,
    ))
}

/// Returns the sizes of the convolution that is transposed, or `None` if the shapes don't fit.
fn transposed_shape(
    [batch, channels, height, width]: [usize; 4],
    weight: [usize; 4],
    size: [usize; 2],
    geometry: &Geometry,
    groups: usize,
) -> Option<ConvolutionShape> {
    let outputs = weight[1] * groups;
    let fits = weight[0] == channels && geometry.output_size(size) == Some([height, width]);
    fits.then(|| {
        ConvolutionShape::new(
            [batch, outputs, size[0], size[1]],
            weight,
            *geometry,
            groups,
        )
    })
    .flatten()
}

/// Applies the transpose of a convolution as [`transposed_conv2d`] does, by Burn's own operation on every backend.
///
/// # Shapes
///
/// Those of [`transposed_conv2d`].
///
/// # Panics
///
/// If the shapes don't fit.
pub fn burn_transposed_conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    size: [usize; 2],
    geometry: &Geometry,
    groups: usize,
) -> Tensor<4> {
    let [batch, _, height, width] = input.dims();
    assert_eq!(
        geometry.output_size(size),
        Some([height, width]),
        "an input of the size that the convolution makes of {size:?}"
    );
    let outputs = weight.dims()[1] * groups;
    // Burn pads both sides alike: the smaller padding is left to it, and the rest cut off.
    let pairs = geometry.padding.pairs();
    let padding = pairs.map(|(before, after)| before.min(after));
    let cut = [0, 1].map(|axis| pairs[axis].0 - padding[axis]);
    let padding_out = [0, 1].map(|axis| {
        let window = geometry.dilation[axis] * (geometry.kernel[axis] - 1) + 1;
        let steps = (input.dims()[axis + 2] - 1) * geometry.stride[axis];
        (cut[axis] + size[axis] + 2 * padding[axis]).saturating_sub(steps + window)
    });
    let options = ConvTransposeOptions::new(
        geometry.stride,
        padding,
        padding_out,
        geometry.dilation,
        groups,
    );
    let output = conv_transpose2d(input, weight, None, options);
    if output.dims() == [batch, outputs, size[0], size[1]] {
        return output;
    }
    let rows = cut[0]..cut[0] + size[0];
    let columns = cut[1]..cut[1] + size[1];
    output.slice([0..batch, 0..outputs, rows, columns])
}
