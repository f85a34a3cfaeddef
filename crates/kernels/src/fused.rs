//! Convolutions and pools for inference, on tensors with channels last.

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::activation;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use pulp::Arch;

pub use crate::cpu::fused::Between;
use crate::cpu::fused::{Convolution, Depthwise, Pool, PoolKind, Weights};
use crate::ops::{InferenceBackend, InferencePlan, runs_natively};
use crate::{Geometry, burn_conv2d, burn_max_pool2d};

/// What surrounds the two parts of a fused separable convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FusedSeparable {
    /// Whether the input is rectified first.
    pub input_relu: bool,
    /// What stands between the parts.
    pub between: Between,
    /// Whether the output is rectified.
    pub relu: bool,
}

/// A convolution made ready for inference: with a bias, an optional residual addition and an optional
/// ReLU, in one pass over the output. It has no gradient.
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
    depthwise: Option<(Tensor<4>, FusedSeparable)>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    geometry: Geometry,
    relu: bool,
}

impl FusedConv2d {
    /// A dense convolution, rectified where asked for. `native` is whether this crate's kernels may
    /// do it.
    ///
    /// # Shapes
    ///
    /// - `weight`: `[channels_out, channels_in, kernel_height, kernel_width]`
    /// - `bias`: `[channels_out]`
    pub fn new(
        weight: Tensor<4>,
        bias: Tensor<1>,
        geometry: Geometry,
        relu: bool,
        native: bool,
    ) -> Self {
        let (weight, bias) = (constant(weight), constant(bias));
        let [outputs, channels, rows, columns] = weight.dims();
        let fits = bias.dims() == [outputs] && geometry.kernel == [rows, columns];
        let native = native && fits && runs_natively(&weight) && runs_natively(&bias);
        if native && let (Some(weight), Some(bias)) = (values(&weight), values(&bias)) {
            let weights = Weights {
                weight: &weight,
                bias: &bias,
            };
            let convolution = Convolution::dense(Arch::new(), &weights, channels, geometry, relu);
            return Self::native(convolution);
        }
        Self::burn(BurnKernel {
            depthwise: None,
            weight,
            bias,
            geometry,
            relu,
        })
    }

    /// A depthwise separable convolution: `geometry` is that of the depthwise part.
    ///
    /// # Shapes
    ///
    /// - `depthwise`: `[channels_in, 1, kernel_height, kernel_width]`
    /// - `pointwise`: `[channels_out, channels_in, 1, 1]`
    /// - `bias`: `[channels_out]`
    pub fn separable(
        depthwise: Tensor<4>,
        pointwise: Tensor<4>,
        bias: Tensor<1>,
        geometry: Geometry,
        options: FusedSeparable,
        native: bool,
    ) -> Self {
        let (depthwise, pointwise) = (constant(depthwise), constant(pointwise));
        let bias = constant(bias);
        let [outputs, channels, ..] = pointwise.dims();
        let [rows, columns] = geometry.kernel;
        let fits = bias.dims() == [outputs]
            && pointwise.dims() == [outputs, channels, 1, 1]
            && depthwise.dims() == [channels, 1, rows, columns];
        let native = native
            && fits
            && runs_natively(&depthwise)
            && runs_natively(&pointwise)
            && runs_natively(&bias);
        if native
            && let (Some(filters), Some(weight), Some(bias)) =
                (values(&depthwise), values(&pointwise), values(&bias))
        {
            let FusedSeparable {
                input_relu,
                between,
                relu,
            } = options;
            let depthwise = Depthwise::new(&filters, geometry, channels, input_relu, between);
            let weights = Weights {
                weight: &weight,
                bias: &bias,
            };
            let convolution =
                Convolution::separable(Arch::new(), depthwise, &weights, channels, relu);
            return Self::native(convolution);
        }
        Self::burn(BurnKernel {
            depthwise: Some((depthwise, options)),
            weight: pointwise,
            bias,
            geometry,
            relu: options.relu,
        })
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

    /// Convolves.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, height, width, channels_in]`
    /// - output: `[batch, height_out, width_out, channels_out]`, see [`Geometry::output_size`]
    ///
    /// # Panics
    ///
    /// Where the shapes don't fit.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.run(input, Order::ChannelsLast, None)
    }

    /// Convolves, and adds `residual` before the output is rectified.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, height, width, channels_in]`
    /// - `residual` and output: `[batch, height_out, width_out, channels_out]`
    ///
    /// # Panics
    ///
    /// Where the shapes don't fit.
    pub fn forward_add(&self, input: Tensor<4>, residual: Tensor<4>) -> Tensor<4> {
        self.run(input, Order::ChannelsLast, Some(residual))
    }

    /// Convolves images.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, channels_in, height, width]`
    /// - output: `[batch, height_out, width_out, channels_out]`
    ///
    /// # Panics
    ///
    /// Where the shapes don't fit.
    pub fn forward_images(&self, images: Tensor<4>) -> Tensor<4> {
        self.run(images, Order::ChannelsFirst, None)
    }

    fn run(&self, input: Tensor<4>, order: Order, residual: Option<Tensor<4>>) -> Tensor<4> {
        let (input, residual) = (constant(input), residual.map(constant));
        match &self.kernel {
            Kernel::Native(convolution) => run_native(convolution, input, order, residual),
            Kernel::Burn(kernel) => {
                let input = match order {
                    Order::ChannelsFirst => input,
                    Order::ChannelsLast => channels_first(input),
                };
                kernel.run(input, residual)
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
    residual: Option<Tensor<4>>,
) -> Tensor<4> {
    let sizes = match (order, input.dims()) {
        (Order::ChannelsLast, sizes) => sizes,
        (Order::ChannelsFirst, [batch, channels, height, width]) => {
            [batch, height, width, channels]
        }
    };
    let plan = InferencePlan::convolution(convolution, sizes);
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
    Tensor::from_dispatch(match residual {
        None => <Dispatch as InferenceBackend>::infer(input, plan),
        Some(residual) => {
            <Dispatch as InferenceBackend>::infer_and_add(input, residual.into_dispatch(), plan)
        }
    })
}

impl BurnKernel {
    /// From `[batch, channels, height, width]` to channels last.
    fn run(&self, input: Tensor<4>, residual: Option<Tensor<4>>) -> Tensor<4> {
        let (mut x, mut geometry) = (input, self.geometry);
        if let Some((weight, options)) = &self.depthwise {
            if options.input_relu {
                x = activation::relu(x);
            }
            let [channels, ..] = weight.dims();
            x = burn_conv2d(x, weight.clone(), None, &geometry, channels);
            x = match options.between {
                Between::Nothing => x,
                Between::Relu => activation::relu(x),
                Between::Elu => activation::elu(x, 1.0),
            };
            geometry = Geometry::valid(1);
        }
        let bias = Some(self.bias.clone());
        let mut output = channels_last(burn_conv2d(x, self.weight.clone(), bias, &geometry, 1));
        if let Some(residual) = residual {
            output = output + residual;
        }
        match self.relu {
            true => activation::relu(output),
            false => output,
        }
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
