//! Convolutions for inference, on tensors with trailing channels.

use std::sync::Arc;

use burn::prelude::*;
use pulp::Arch;

use crate::channel_order::{ChannelOrder, leading_channels, trailing_channels};
use crate::composed::ComposedConv2d;
use crate::cpu::fused::{Convolution, Depthwise, Weights};
use crate::inference::{constant, infer, rectification, values};
use crate::native::is_native;
use crate::ops::InferencePlan;
use crate::{Epilogue, FusedDepthwise, Geometry, Padding2d};

/// A convolution for inference, with a bias, an optional residual addition and an activation. It has no
/// gradient.
///
/// Tensors have trailing channels, `[batch, height, width, channels]`;
/// [`forward_images`](Self::forward_images) takes images with leading channels.
///
/// # Kernels
///
/// A convolution made with `native` runs this crate's kernels if its tensors are `f32` on a device for which
/// [`runs_natively`](crate::runs_natively) holds. Its weights are then copied once into the kernels' own
/// order, and all of the convolution is one pass over the output, with one exception:
/// [`Activation::Elu`](crate::Activation::Elu) in the epilogue is a second pass.
///
/// On graphics cards, with one of the cargo features `wgpu`, `cuda` and `rocm`, a convolution made with `native` is composed so that
/// few kernels run: depthwise convolutions are this crate's, with bias and activations in the same kernel; pointwise ones are matrix
/// products, into which Burn's fusion may put bias, residual addition and activation.
///
/// In all other cases the convolution is composed of Burn's own operations, with the same results up to
/// rounding, but slower. That includes convolutions in several groups with a weight that is infinite or NaN.
///
/// # Examples
///
/// ```
/// use burn::prelude::*;
/// use xception_kernels::{Activation, Epilogue, FusedConv2d, FusedDepthwise, Geometry};
///
/// let device = Device::flex();
/// let depthwise = FusedDepthwise {
///     weight: Tensor::ones([4, 1, 3, 3], &device),
///     channels: 4,
///     bias: None,
///     geometry: Geometry::same(3).with_stride(2),
///     input_relu: false,
///     activation: Activation::Relu6,
/// };
/// let pointwise = Tensor::ones([8, 4, 1, 1], &device);
/// let bias = Tensor::zeros([8], &device);
/// let convolution = FusedConv2d::separable(depthwise, pointwise, bias, true);
/// let output = convolution.forward(Tensor::ones([1, 32, 32, 4], &device), Epilogue::default());
/// assert_eq!(output.dims(), [1, 16, 16, 8]);
/// ```
#[derive(Debug, Clone)]
pub struct FusedConv2d {
    kernel: Kernel,
}

#[derive(Debug, Clone)]
enum Kernel {
    Native(Arc<Convolution>),
    Composed(Box<ComposedConv2d>),
}

impl FusedConv2d {
    /// Makes a convolution in any number of groups of channels: a dense one in 1, a depthwise one, with or without a channel
    /// multiplier, in as many as channels, and all between.
    ///
    /// `native` is whether this crate's kernels may compute it, see [`FusedConv2d`].
    ///
    /// # Shapes
    ///
    /// - `weight`: `[channels_out, channels_in / groups, kernel_height, kernel_width]`
    /// - `bias`: `[channels_out]`
    ///
    /// Shapes that don't fit make [`forward`](Self::forward) panic.
    pub fn new(
        weight: Tensor<4>,
        bias: Tensor<1>,
        geometry: Geometry,
        groups: usize,
        native: bool,
    ) -> Self {
        let (weight, bias) = (constant(weight), constant(bias));
        let [outputs, of_a_group, rows, columns] = weight.dims();
        let sizes = [outputs, of_a_group, rows, columns, groups];
        let fits = bias.dims() == [outputs]
            && geometry.kernel == [rows, columns]
            && sizes.iter().all(|&size| size > 0)
            && outputs.is_multiple_of(groups);
        let asked = native;
        let native = asked && fits && is_native(&weight) && is_native(&bias);
        if native
            && let (Some(weight), Some(bias)) = (values(&weight), values(&bias))
            && (groups == 1 || weight.iter().all(|weight| weight.is_finite()))
        {
            let weights = Weights {
                weight: &weight,
                bias: &bias,
            };
            let (arch, channels) = (Arch::new(), of_a_group * groups);
            let convolution = Convolution::new(arch, &weights, channels, groups, geometry);
            return Self::native(convolution);
        }
        Self::composed(ComposedConv2d {
            depthwise: None,
            weight,
            bias,
            geometry,
            groups,
            native: asked,
        })
    }

    /// Makes a depthwise separable convolution, whose depthwise part has any stride, dilation and padding.
    ///
    /// `native` is whether this crate's kernels may compute it, see [`FusedConv2d`]. They serve a channel
    /// multiplier of 1; others are composed of Burn's operations.
    ///
    /// # Shapes
    ///
    /// - `pointwise`: `[channels_out, channels_in * multiplier, 1, 1]`
    /// - `bias`: `[channels_out]`
    ///
    /// Shapes that don't fit make [`forward`](Self::forward) panic.
    pub fn separable(
        depthwise: FusedDepthwise,
        pointwise: Tensor<4>,
        bias: Tensor<1>,
        native: bool,
    ) -> Self {
        let depthwise = FusedDepthwise {
            weight: constant(depthwise.weight),
            bias: depthwise.bias.map(constant),
            ..depthwise
        };
        let (pointwise, bias) = (constant(pointwise), constant(bias));
        match native
            .then(|| pack(&depthwise, &pointwise, &bias))
            .flatten()
        {
            Some(convolution) => Self::native(convolution),
            None => Self::composed(ComposedConv2d {
                depthwise: Some(depthwise),
                weight: pointwise,
                bias,
                geometry: Geometry::valid(1),
                groups: 1,
                native,
            }),
        }
    }

    /// Returns the convolution with another padding, such as one that depends on the input's size. The
    /// weights are shared, not copied.
    pub fn with_padding(&self, padding: Padding2d) -> Self {
        match &self.kernel {
            Kernel::Native(convolution) => Self::native(convolution.with_padding(padding)),
            Kernel::Composed(kernel) => {
                let mut kernel = kernel.clone();
                match &mut kernel.depthwise {
                    Some(depthwise) => depthwise.geometry.padding = padding,
                    None => kernel.geometry.padding = padding,
                }
                Self {
                    kernel: Kernel::Composed(kernel),
                }
            }
        }
    }

    fn native(convolution: Convolution) -> Self {
        Self {
            kernel: Kernel::Native(Arc::new(convolution)),
        }
    }

    fn composed(kernel: ComposedConv2d) -> Self {
        Self {
            kernel: Kernel::Composed(Box::new(kernel.prepared())),
        }
    }

    /// Convolves a tensor with trailing channels.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, height, width, channels_in]`
    /// - output: `[batch, height_out, width_out, channels_out]`, see [`Geometry::output_size`]
    ///
    /// # Panics
    ///
    /// If the shapes don't fit, or the input or the residual has another element type or is on another
    /// backend than the weights.
    pub fn forward(&self, input: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
        self.run(input, ChannelOrder::Trailing, epilogue)
    }

    /// Convolves images with leading channels. The output has trailing channels.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, channels_in, height, width]`
    /// - output: `[batch, height_out, width_out, channels_out]`, see [`Geometry::output_size`]
    ///
    /// # Panics
    ///
    /// If the shapes don't fit, or the input or the residual has another element type or is on another
    /// backend than the weights.
    pub fn forward_images(&self, images: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
        self.run(images, ChannelOrder::Leading, epilogue)
    }

    fn run(&self, input: Tensor<4>, order: ChannelOrder, epilogue: Epilogue) -> Tensor<4> {
        let input = constant(input);
        let epilogue = Epilogue {
            residual: epilogue.residual.map(constant),
            ..epilogue
        };
        match &self.kernel {
            Kernel::Native(convolution) => run_native(convolution, input, order, epilogue),
            Kernel::Composed(kernel) => {
                let input = match order {
                    ChannelOrder::Leading => input,
                    ChannelOrder::Trailing => leading_channels(input),
                };
                kernel.run(input, epilogue)
            }
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "documented, as Burn's own operations do it"
)]
fn run_native(
    convolution: &Arc<Convolution>,
    input: Tensor<4>,
    order: ChannelOrder,
    epilogue: Epilogue,
) -> Tensor<4> {
    let sizes = match (order, input.dims()) {
        (ChannelOrder::Trailing, sizes) => sizes,
        (ChannelOrder::Leading, [batch, channels, height, width]) => {
            [batch, height, width, channels]
        }
    };
    let rectify = rectification(epilogue.activation);
    let plan = InferencePlan::convolution(convolution, rectify, sizes);
    let plan = plan.expect("an input that fits the convolution");
    let input = match (order, convolution.takes_leading_channels()) {
        (ChannelOrder::Trailing, true) => leading_channels(input),
        (ChannelOrder::Leading, false) => trailing_channels(input),
        _ => input,
    };
    infer(plan, input, epilogue)
}

/// Packs a separable convolution for this crate's kernels, or returns `None` where they don't serve it.
fn pack(
    depthwise: &FusedDepthwise,
    pointwise: &Tensor<4>,
    bias: &Tensor<1>,
) -> Option<Convolution> {
    let [outputs, channels, ..] = pointwise.dims();
    let [rows, columns] = depthwise.geometry.kernel;
    let inner = depthwise.bias.as_ref();
    let fits = bias.dims() == [outputs]
        && pointwise.dims() == [outputs, channels, 1, 1]
        && depthwise.channels == channels
        && depthwise.weight.dims() == [channels, 1, rows, columns]
        && inner.is_none_or(|bias| bias.dims() == [channels]);
    let runs = fits
        && is_native(&depthwise.weight)
        && is_native(pointwise)
        && is_native(bias)
        && inner.is_none_or(is_native);
    if !runs {
        return None;
    }
    let filters = values(&depthwise.weight)?;
    let inner = match inner {
        Some(bias) => Some(values(bias)?),
        None => None,
    };
    let part = Depthwise::new(
        &filters,
        depthwise.geometry,
        channels,
        depthwise.input_relu,
        inner,
        depthwise.activation,
    );
    let weights = Weights {
        weight: &values(pointwise)?,
        bias: &values(bias)?,
    };
    Some(Convolution::separable(
        Arch::new(),
        part,
        &weights,
        channels,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Activation;

    fn separable(native: bool) -> FusedConv2d {
        let device = Device::flex();
        let depthwise = FusedDepthwise {
            weight: Tensor::ones([4, 1, 3, 3], &device),
            channels: 4,
            bias: None,
            geometry: Geometry::same(3),
            input_relu: false,
            activation: Activation::Elu,
        };
        let pointwise = Tensor::ones([8, 4, 1, 1], &device);
        FusedConv2d::separable(depthwise, pointwise, Tensor::zeros([8], &device), native)
    }

    fn is_packed(convolution: &FusedConv2d) -> bool {
        matches!(convolution.kernel, Kernel::Native(_))
    }

    #[test]
    fn the_kernels_serve_what_the_documentation_says() {
        let device = Device::flex();
        let dense = |device: &Device, groups: usize, native| {
            let weight = Tensor::ones([6, 4 / groups, 3, 3], device);
            let bias = Tensor::zeros([6], device);
            FusedConv2d::new(weight, bias, Geometry::same(3), groups, native)
        };
        assert!(is_packed(&dense(&device, 1, true)));
        assert!(is_packed(&dense(&device.clone().autodiff(), 1, true)));
        assert!(!is_packed(&dense(&device, 1, false)));
        assert!(is_packed(&dense(&device, 2, true)));
        let infinite = Tensor::full([6, 2, 3, 3], f32::INFINITY, &device);
        let bias = Tensor::zeros([6], &device);
        let infinite = FusedConv2d::new(infinite, bias, Geometry::same(3), 2, true);
        assert!(!is_packed(&infinite));
        assert!(is_packed(&separable(true)));
        assert!(!is_packed(&separable(false)));
    }

    #[test]
    fn another_padding_shares_the_weights() {
        let device = Device::flex();
        let in_groups = |groups: usize| {
            let weight = Tensor::ones([72, 72 / groups, 3, 3], &device);
            let bias = Tensor::zeros([72], &device);
            FusedConv2d::new(weight, bias, Geometry::same(3), groups, true)
        };
        // From dense to depthwise, with the kernel of each.
        let spectrum = [1, 2, 9, 72].map(in_groups);
        for convolution in spectrum.into_iter().chain([separable(true)]) {
            let other = convolution.with_padding(Padding2d::symmetric(0));
            let [Kernel::Native(one), Kernel::Native(two)] = [&convolution.kernel, &other.kernel]
            else {
                panic!("both are packed");
            };
            assert!(one.shares_weights_with(two));
            let input = Tensor::ones([1, 5, 5, one.channels()], &device);
            let sizes = |convolution: &FusedConv2d| {
                let output = convolution.forward(input.clone(), Epilogue::default());
                let [_, height, width, _] = output.dims();
                [height, width]
            };
            assert_eq!([sizes(&convolution), sizes(&other)], [[5, 5], [3, 3]]);
        }
    }
}
