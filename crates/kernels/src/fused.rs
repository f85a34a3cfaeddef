//! Convolutions and pools for inference, on tensors with channels last.

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use pulp::Arch;

use crate::cpu::fused::{Convolution, Depthwise, Pool, PoolKind, Rectify, Weights};
use crate::ops::{InferenceBackend, InferencePlan, runs_natively};
use crate::{Activation, Geometry, Padding2d, burn_conv2d, burn_max_pool2d};

/// The depthwise part of a fused separable convolution, and what is around it.
#[derive(Debug, Clone)]
pub struct FusedDepthwise {
    /// `[channels, 1, kernel_height, kernel_width]`.
    pub weight: Tensor<4>,
    /// Added to each channel, `[channels]`.
    pub bias: Option<Tensor<1>>,
    /// The window.
    pub geometry: Geometry,
    /// Whether the input is rectified first.
    pub input_relu: bool,
    /// The activation between the two parts.
    pub activation: Activation,
}

/// What follows a fused convolution, in the same pass over its output.
#[derive(Debug, Clone, Default)]
pub struct Epilogue {
    /// Added to the output, `[batch, height_out, width_out, channels_out]`.
    pub residual: Option<Tensor<4>>,
    /// Applied after the addition.
    pub activation: Activation,
}

/// A convolution made ready for inference: with a bias, an optional residual addition and an activation,
/// in one pass over the output. It has no gradient.
///
/// Tensors have their channels last, `[batch, height, width, channels]`; [`forward_images`](Self::forward_images)
/// takes images as networks get them.
///
/// On the backends whose tensors lie in memory, and for `f32`, the weights are copied into an order of
/// their own and this crate's kernels do the work; elsewhere, or where asked for, Burn's own operations.
#[derive(Debug, Clone)]
pub struct FusedConv2d {
    kernel: Kernel,
}

#[derive(Debug, Clone)]
enum Kernel {
    Native(Arc<Convolution>),
    Burn(Box<BurnKernel>),
}

/// The same from Burn's operations.
#[derive(Debug, Clone)]
struct BurnKernel {
    depthwise: Option<FusedDepthwise>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    geometry: Geometry,
    groups: usize,
}

impl FusedConv2d {
    /// Makes a convolution in any number of groups. `native` says whether this crate's kernels may run it; they serve
    /// convolutions in one group.
    ///
    /// # Shapes
    ///
    /// - `weight`: `[channels_out, channels_in / groups, kernel_height, kernel_width]`
    /// - `bias`: `[channels_out]`
    pub fn new(
        weight: Tensor<4>,
        bias: Tensor<1>,
        geometry: Geometry,
        groups: usize,
        native: bool,
    ) -> Self {
        let (weight, bias) = (constant(weight), constant(bias));
        let [outputs, channels, rows, columns] = weight.dims();
        let fits = bias.dims() == [outputs] && geometry.kernel == [rows, columns] && groups == 1;
        let native = native && fits && runs_natively(&weight) && runs_natively(&bias);
        if native && let (Some(weight), Some(bias)) = (values(&weight), values(&bias)) {
            let weights = Weights {
                weight: &weight,
                bias: &bias,
            };
            let convolution = Convolution::dense(Arch::new(), &weights, channels, geometry);
            return Self::native(convolution);
        }
        Self::burn(BurnKernel {
            depthwise: None,
            weight,
            bias,
            geometry,
            groups,
        })
    }

    /// Makes a depthwise separable convolution.
    ///
    /// # Shapes
    ///
    /// - `pointwise`: `[channels_out, channels_in, 1, 1]`
    /// - `bias`: `[channels_out]`
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
            None => Self::burn(BurnKernel {
                depthwise: Some(depthwise),
                weight: pointwise,
                bias,
                geometry: Geometry::valid(1),
                groups: 1,
            }),
        }
    }

    /// Returns the same convolution with another padding, such as one that depends on the input's size. The weights are
    /// shared, not copied.
    pub fn with_padding(&self, padding: Padding2d) -> Self {
        match &self.kernel {
            Kernel::Native(convolution) => Self::native(convolution.with_padding(padding)),
            Kernel::Burn(kernel) => {
                let mut kernel = kernel.clone();
                match &mut kernel.depthwise {
                    Some(depthwise) => depthwise.geometry.padding = padding,
                    None => kernel.geometry.padding = padding,
                }
                Self {
                    kernel: Kernel::Burn(kernel),
                }
            }
        }
    }

    fn native(convolution: Convolution) -> Self {
        Self {
            kernel: Kernel::Native(Arc::new(convolution)),
        }
    }

    fn burn(kernel: BurnKernel) -> Self {
        Self {
            kernel: Kernel::Burn(Box::new(kernel)),
        }
    }

    /// Convolves a map with trailing channels.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, height, width, channels_in]`
    /// - output: `[batch, height_out, width_out, channels_out]`, see [`Geometry::output_size`]
    ///
    /// # Panics
    ///
    /// If the shapes don't fit.
    pub fn forward(&self, input: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
        self.run(input, Order::ChannelsLast, epilogue)
    }

    /// Convolves images, whose channels lead.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, channels_in, height, width]`
    /// - output: `[batch, height_out, width_out, channels_out]`
    ///
    /// # Panics
    ///
    /// If the shapes don't fit.
    pub fn forward_images(&self, images: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
        self.run(images, Order::ChannelsFirst, epilogue)
    }

    fn run(&self, input: Tensor<4>, order: Order, epilogue: Epilogue) -> Tensor<4> {
        let input = constant(input);
        let epilogue = Epilogue {
            residual: epilogue.residual.map(constant),
            ..epilogue
        };
        match &self.kernel {
            Kernel::Native(convolution) => run_native(convolution, input, order, epilogue),
            Kernel::Burn(kernel) => {
                let input = match order {
                    Order::ChannelsFirst => input,
                    Order::ChannelsLast => channels_first(input),
                };
                kernel.run(input, epilogue)
            }
        }
    }
}

/// Where a tensor has its channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    ChannelsFirst,
    ChannelsLast,
}

#[expect(
    clippy::expect_used,
    reason = "documented, as Burn's own operations do it"
)]
fn run_native(
    convolution: &Arc<Convolution>,
    input: Tensor<4>,
    order: Order,
    epilogue: Epilogue,
) -> Tensor<4> {
    let Epilogue {
        residual,
        activation,
    } = epilogue;
    let rectify = match activation {
        Activation::Relu => Rectify::Relu,
        Activation::Relu6 => Rectify::Relu6,
        Activation::None | Activation::Elu => Rectify::No,
    };
    let sizes = match (order, input.dims()) {
        (Order::ChannelsLast, sizes) => sizes,
        (Order::ChannelsFirst, [batch, channels, height, width]) => {
            [batch, height, width, channels]
        }
    };
    let plan = InferencePlan::convolution(convolution, rectify, sizes);
    let plan = plan.expect("an input that fits the convolution");
    let fits = |tensor: &Tensor<4>| tensor.dims() == plan.output();
    assert!(
        residual.as_ref().is_none_or(fits),
        "a residual of the output's shape"
    );
    if sizes[0] == 0 {
        return Tensor::zeros(plan.output(), &input.device());
    }
    let input = match (order, convolution.channels_first()) {
        (Order::ChannelsLast, true) => channels_first(input),
        (Order::ChannelsFirst, false) => channels_last(input),
        _ => input,
    };
    assert!(
        runs_natively(&input) && residual.as_ref().is_none_or(runs_natively),
        "tensors of the type and on the backend that the convolution was made for"
    );
    let input = input.into_dispatch();
    let output = Tensor::from_dispatch(match residual {
        None => <Dispatch as InferenceBackend>::infer(input, plan),
        Some(residual) => {
            <Dispatch as InferenceBackend>::infer_and_add(input, residual.into_dispatch(), plan)
        }
    });
    match rectify {
        Rectify::No => activation.burn(output),
        Rectify::Relu | Rectify::Relu6 => output,
    }
}

/// Packs a separable convolution for this crate's kernels, if they serve it.
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
        && depthwise.weight.dims() == [channels, 1, rows, columns]
        && inner.is_none_or(|bias| bias.dims() == [channels]);
    let runs = fits
        && runs_natively(&depthwise.weight)
        && runs_natively(pointwise)
        && runs_natively(bias)
        && inner.is_none_or(runs_natively);
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

impl BurnKernel {
    /// From `[batch, channels, height, width]` to trailing channels.
    fn run(&self, input: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
        let mut x = input;
        if let Some(depthwise) = &self.depthwise {
            if depthwise.input_relu {
                x = Activation::Relu.burn(x);
            }
            let [channels, ..] = depthwise.weight.dims();
            let (weight, bias) = (depthwise.weight.clone(), depthwise.bias.clone());
            x = burn_conv2d(x, weight, bias, &depthwise.geometry, channels);
            x = depthwise.activation.burn(x);
        }
        let bias = Some(self.bias.clone());
        let output = burn_conv2d(x, self.weight.clone(), bias, &self.geometry, self.groups);
        let mut output = channels_last(output);
        if let Some(residual) = epilogue.residual {
            output = output + residual;
        }
        epilogue.activation.burn(output)
    }
}

/// Maximum over each window; what is padded never wins, and NaN always.
///
/// # Shapes
///
/// - `input`: `[batch, height, width, channels]`
/// - output: `[batch, height_out, width_out, channels]`, see [`Geometry::output_size`]
pub fn max_pool_channels_last(input: Tensor<4>, geometry: &Geometry, native: bool) -> Tensor<4> {
    match plan_pool(&input, PoolKind::Maximum, geometry, native) {
        Some(plan) => infer(input, plan),
        None => channels_last(burn_max_pool2d(channels_first(input), geometry)),
    }
}

/// Mean over each window at stride 1 of a square kernel of odd size, padded so that the size stays.
/// Zeros from the padding count or not.
///
/// # Shapes
///
/// - `input` and output: `[batch, height, width, channels]`
pub fn mean_pool_channels_last(
    input: Tensor<4>,
    kernel: usize,
    counts_padding: bool,
    native: bool,
) -> Tensor<4> {
    let kind = PoolKind::Mean { counts_padding };
    match plan_pool(&input, kind, &Geometry::same(kernel), native) {
        Some(plan) => infer(input, plan),
        None => {
            let options = AvgPoolOptions::new([kernel, kernel])
                .with_stride([1, 1])
                .with_padding([kernel / 2, kernel / 2])
                .with_count_include_pad(counts_padding);
            channels_last(avg_pool2d(channels_first(input), options))
        }
    }
}

fn plan_pool(
    input: &Tensor<4>,
    kind: PoolKind,
    geometry: &Geometry,
    native: bool,
) -> Option<InferencePlan> {
    let sizes = input.dims();
    let pool = Pool {
        arch: Arch::new(),
        kind,
        geometry: *geometry,
        channels: sizes[3],
    };
    let native = native && runs_natively(input) && !input.device().is_autodiff();
    native.then(|| InferencePlan::pool(pool, sizes)).flatten()
}

fn infer(input: Tensor<4>, plan: InferencePlan) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as InferenceBackend>::infer(
        input.into_dispatch(),
        plan,
    ))
}

/// `[batch, channels, height, width]` as `[batch, height, width, channels]`.
fn channels_last(tensor: Tensor<4>) -> Tensor<4> {
    tensor.permute([0, 2, 3, 1])
}

/// The reverse.
fn channels_first(tensor: Tensor<4>) -> Tensor<4> {
    tensor.permute([0, 3, 1, 2])
}

/// A tensor outside of any gradient.
fn constant<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match tensor.device().is_autodiff() {
        true => tensor.inner(),
        false => tensor,
    }
}

/// The values of a tensor of `f32`, row by row.
fn values<const D: usize>(tensor: &Tensor<D>) -> Option<Vec<f32>> {
    tensor.to_data().try_into_vec().ok()
}
