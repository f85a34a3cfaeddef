//! A convolution, mostly with batch normalization.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer};
use burn::prelude::*;
use xception_kernels::{Activation, FusedConv2d, Geometry, Padding2d};

use super::feature_map::Form;
use super::operation::OperationKind;
use super::packed::{Packed, fold, ids, lazy_dims};
use super::pool::MaxPool;
use super::trace::Traced;
use super::{Epilogue, FeatureMap, Kernels, LayerOptions};

/// Momentum of the running statistics as Burn and PyTorch define it: the weight of the new batch.
const NORM_MOMENTUM: f64 = 0.1;

/// Returns He initialization by fan-out, as in timm's and torchvision's models (K. He et al., *Delving Deep into
/// Rectifiers*, 2015).
pub(super) fn convolution_initializer() -> Initializer {
    Initializer::KaimingNormal {
        gain: std::f64::consts::SQRT_2,
        fan_out_only: true,
    }
}

/// Makes a batch normalization with this project's momentum.
pub(super) fn batch_norm(channels: usize, epsilon: f64, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels)
        .with_epsilon(epsilon)
        .with_momentum(NORM_MOMENTUM)
        .init(device)
}

/// Makes a convolution, whose window the layer around it defines. A bias starts at zero, as in Keras.
pub(super) fn convolution(
    channels: [usize; 2],
    geometry: &Geometry,
    groups: usize,
    bias: bool,
    device: &Device,
) -> Conv2d {
    let convolution = Conv2dConfig::new(channels, geometry.kernel)
        .with_stride(geometry.stride)
        .with_dilation(geometry.dilation)
        .with_groups(groups)
        .with_bias(false)
        .with_initializer(convolution_initializer())
        .init(device);
    Conv2d {
        bias: bias.then(|| Initializer::Zeros.init([channels[1]], device)),
        ..convolution
    }
}

/// Configuration of a [`ConvNorm`].
#[derive(Debug, Clone, PartialEq)]
pub struct ConvNormConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Kernel, stride, dilation and padding.
    pub geometry: Geometry,
    /// Whether the padding is TensorFlow's `same`, which depends on the input's size, instead of that of `geometry`.
    pub same_padding: bool,
    /// Number of groups of channels, each convolved separately.
    pub groups: usize,
    /// Whether the convolution has a bias.
    pub bias: bool,
    /// Whether batch normalization follows.
    pub normalized: bool,
    /// Factor on the output, before the epilogue.
    pub scale: f64,
    /// Options that the layers of a network share.
    pub options: LayerOptions,
}

impl ConvNormConfig {
    /// Makes the configuration of a square kernel at stride 1 without padding, in one group, with batch
    /// normalization and without a bias.
    pub fn new(channels: [usize; 2], kernel: usize, options: LayerOptions) -> Self {
        Self {
            channels,
            geometry: Geometry::valid(kernel),
            same_padding: false,
            groups: 1,
            bias: false,
            normalized: true,
            scale: 1.0,
            options,
        }
    }

    /// Sets the kernel, `[height, width]`, with padding that keeps the size at stride 1.
    pub fn with_same_kernel(mut self, kernel: [usize; 2]) -> Self {
        let [rows, columns] = kernel.map(|side| side / 2);
        self.geometry.kernel = kernel;
        self.geometry.padding = Padding2d {
            top: rows,
            bottom: rows,
            left: columns,
            right: columns,
        };
        self
    }

    /// Sets the stride in both directions.
    pub fn with_stride(mut self, stride: usize) -> Self {
        self.geometry.stride = [stride, stride];
        self
    }

    /// Sets the padding of all four sides, in pixels.
    pub fn with_padding(self, padding: usize) -> Self {
        self.with_padding2d(Padding2d::symmetric(padding))
    }

    /// Sets the padding of each side.
    pub fn with_padding2d(mut self, padding: Padding2d) -> Self {
        self.geometry.padding = padding;
        self
    }

    /// Selects TensorFlow's `same` padding.
    pub fn with_same_padding(mut self) -> Self {
        self.same_padding = true;
        self
    }

    /// Sets the number of groups.
    pub fn with_groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Adds a bias to the convolution.
    pub fn with_bias(mut self) -> Self {
        self.bias = true;
        self
    }

    /// Leaves out batch normalization.
    pub fn without_norm(mut self) -> Self {
        self.normalized = false;
        self
    }

    /// Sets the factor on the output, before the epilogue.
    pub fn with_scale(mut self, scale: f64) -> Self {
        self.scale = scale;
        self
    }

    /// Makes the layer, with random weights.
    pub fn init(&self, device: &Device) -> ConvNorm {
        ConvNorm {
            conv: convolution(
                self.channels,
                &self.geometry,
                self.groups,
                self.bias,
                device,
            ),
            norm: self
                .normalized
                .then(|| batch_norm(self.channels[1], self.options.epsilon, device)),
            geometry: self.geometry,
            same_padding: self.same_padding,
            scale: self.scale,
            kernels: self.options.kernels,
            packed: Packed::default(),
        }
    }
}

/// A convolution, with or without a bias, followed by batch normalization or not.
#[derive(Module, Debug)]
pub struct ConvNorm {
    /// The convolution.
    pub conv: Conv2d,
    /// Batch normalization of the output channels, if there is one.
    pub norm: Option<BatchNorm>,
    /// Window of the convolution.
    #[module(skip)]
    pub geometry: Geometry,
    /// Whether the padding is TensorFlow's `same` instead of that of `geometry`.
    pub same_padding: bool,
    /// Factor on the output, before the epilogue; 1 in most networks.
    #[module(skip)]
    pub scale: f64,
    /// The implementation of the operations.
    #[module(skip)]
    pub kernels: Kernels,
    #[module(skip)]
    packed: Packed,
}

impl ConvNorm {
    /// Convolves, normalizes, scales, and applies the epilogue.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height_out, width_out]`
    pub fn forward(&self, input: FeatureMap, epilogue: Epilogue) -> FeatureMap {
        let [_, _, height, width] = input.dims();
        let geometry = self.geometry_for([height, width]);
        match input.form {
            Form::Composed(input) => {
                let bias = self.conv.bias.as_ref().map(Param::val);
                let weight = self.conv.weight.val();
                let groups = self.conv.groups;
                let x = self.kernels.conv2d(input, weight, bias, &geometry, groups);
                if self.scale == 1.0 {
                    return normalize(self.norm.as_ref(), x, None, epilogue, self.kernels);
                }
                let x = normalize(self.norm.as_ref(), x, None, Epilogue::none(), self.kernels);
                let x = x.scale(self.scale).into_tensor();
                normalize(None, x, None, epilogue, self.kernels)
            }
            Form::Traced(traced) => {
                traced.trace().module(self);
                if traced.trace().fuses() {
                    self.packed.get_or_pack(|| self.pack());
                    traced.trace().packed(ids(self));
                }
                let x = trace_convolution(&self.conv, &geometry, &traced);
                let x = trace_normalization(self.norm.as_ref(), x);
                let x = match self.scale == 1.0 {
                    true => x,
                    false => x.then(OperationKind::Scaling, x.dims),
                };
                trace_epilogue(x, &epilogue)
            }
            form => {
                let packed = self.packed.get_or_pack(|| self.pack());
                match self.same_padding {
                    true => {
                        let packed = packed.with_padding(geometry.padding);
                        run_packed(&packed, form.into(), epilogue)
                    }
                    false => run_packed(packed, form.into(), epilogue),
                }
            }
        }
    }

    /// Returns the window for an input of this height and width.
    fn geometry_for(&self, input: [usize; 2]) -> Geometry {
        let Geometry { kernel, stride, .. } = self.geometry;
        let mut geometry = self.geometry;
        if self.same_padding {
            geometry.padding = Padding2d::same(input, kernel, stride);
        }
        geometry
    }

    /// Packs the convolution and its normalization as one operation.
    fn pack(&self) -> FusedConv2d {
        let weight = self.conv.weight.val();
        let bias = self.conv.bias.as_ref().map(Param::val);
        let [outputs, ..] = weight.dims();
        let (weight, bias) = match &self.norm {
            Some(norm) => fold(weight, bias, norm),
            None => {
                let none = || Tensor::zeros([outputs], &weight.device());
                let bias = bias.unwrap_or_else(none);
                (weight, bias)
            }
        };
        let (weight, bias) = match self.scale == 1.0 {
            true => (weight, bias),
            false => (weight * self.scale, bias * self.scale),
        };
        let native = self.kernels == Kernels::Native;
        FusedConv2d::new(weight, bias, self.geometry, self.conv.groups, native)
    }
}

/// Normalizes and applies the epilogue, in as few operations as possible. `statistics` are the mean and the variance of the
/// input's channels, if the operation before has them.
pub(super) fn normalize(
    norm: Option<&BatchNorm>,
    input: Tensor<4>,
    statistics: Option<[Tensor<1>; 2]>,
    epilogue: Epilogue,
    kernels: Kernels,
) -> FeatureMap {
    let Epilogue {
        residual,
        activation,
        pool,
    } = epilogue;
    let rectified = residual.is_none() && activation == Activation::Relu;
    let only_rectified = residual.is_none() && (rectified || activation == Activation::None);
    if let (Some(norm), Some(pool)) = (norm, &pool)
        && only_rectified
        && kernels == pool.kernels
        && kernels.trains_as_pool(norm, &input, &pool.geometry)
    {
        let pooled = kernels.normalize_and_pool(norm, input, statistics, rectified, &pool.geometry);
        return FeatureMap::composed(pooled);
    }
    let mut x = match norm {
        Some(norm) => kernels.normalize(norm, input, rectified),
        None => input,
    };
    if let Some(residual) = residual {
        x = x + residual.into_tensor();
    }
    let x = match norm.is_some() && rectified {
        true => FeatureMap::composed(x),
        false => FeatureMap::composed(x).activate(activation, kernels),
    };
    then_pool(x, pool)
}

/// Applies a pool, if there is one.
pub(super) fn then_pool(input: FeatureMap, pool: Option<MaxPool>) -> FeatureMap {
    match pool {
        Some(pool) => pool.forward(input),
        None => input,
    }
}

/// Runs a layer in its fused form.
pub(super) fn run_packed(
    packed: &FusedConv2d,
    input: FeatureMap,
    epilogue: Epilogue,
) -> FeatureMap {
    let (epilogue, pool) = epilogue.into_kernels();
    let output = match input.form {
        Form::Fused(tensor) => packed.forward(tensor, epilogue),
        form => packed.forward_images(FeatureMap::from(form).into_tensor(), epilogue),
    };
    then_pool(Form::Fused(output).into(), pool)
}

/// Reports a convolution of a traced map, and returns its output.
pub(super) fn trace_convolution(conv: &Conv2d, geometry: &Geometry, input: &Traced) -> Traced {
    let [batch, inputs, height, width] = input.dims;
    let [outputs, of_a_group, rows, columns] = lazy_dims(&conv.weight);
    let size = geometry.output_size([height, width]);
    let [height, width] = size.unwrap_or_default();
    let multiply_adds = of_a_group * rows * columns;
    let bias = conv.bias.as_ref().map_or(0, |_| outputs);
    let kind = OperationKind::Convolution {
        kernel: geometry.kernel,
        stride: geometry.stride,
        inputs,
        groups: conv.groups,
    };
    input.then_weighted(
        kind,
        [batch, outputs, height, width],
        outputs * multiply_adds + bias,
        multiply_adds,
    )
}

/// Reports the normalization of a traced map, if there is one, and returns its output.
pub(super) fn trace_normalization(norm: Option<&BatchNorm>, input: Traced) -> Traced {
    match norm {
        Some(_) => {
            let parameters = 2 * input.dims[1];
            input.then_weighted(OperationKind::Normalization, input.dims, parameters, 0)
        }
        None => input,
    }
}

/// Reports an epilogue on a traced map, and returns its output.
pub(super) fn trace_epilogue(input: Traced, epilogue: &Epilogue) -> FeatureMap {
    let x = match &epilogue.residual {
        Some(residual) => input.join(OperationKind::Addition, [residual], input.dims),
        None => input,
    };
    // A traced map needs no kernels.
    let x = FeatureMap::from(x).activate(epilogue.activation, Kernels::Native);
    then_pool(x, epilogue.pool)
}
