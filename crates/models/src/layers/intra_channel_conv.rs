//! The in-channel convolution: several bases for each channel, and a projection.

use burn::module::Module;
use burn::prelude::*;

use super::{Epilogue, FeatureMap, LayerOptions, SegmentedConvNorm, SegmentedConvNormConfig};

/// Configuration of an [`IntraChannelConv`].
#[derive(Debug, Clone, PartialEq)]
pub struct IntraChannelConvConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Height and width of the kernel, an odd number.
    pub kernel: usize,
    /// Number of bases: of filters for each input channel.
    pub bases: usize,
    /// Options that the layers of a network share.
    pub options: LayerOptions,
}

impl IntraChannelConvConfig {
    /// Makes the layer, with random weights.
    pub fn init(&self, device: &Device) -> IntraChannelConv {
        let layer = SegmentedConvNormConfig::separable(self.channels, self.kernel, self.options)
            .with_channel_multiplier(self.bases);
        IntraChannelConv {
            layer: layer.init(device),
        }
    }
}

/// A convolution with bases (M. Wang, B. Liu and H. Foroosh, *Factorized Convolutional Neural Networks*, 2016, version 1,
/// algorithm 2), followed by batch normalization.
///
/// `b` filters convolve each of `m` input channels by itself, and a projection makes `n` output channels of the `b m`
/// results. With zero padding at stride 1,
///
/// `G(y, x, i, j) = sum_(u, v) K(u, v, i, j) I(y + u, x + v, j)`, for `1 <= i <= b` and `1 <= j <= m`,
///
/// `O(y, x, l) = sum_(i, j) G(y, x, i, j) P(i, j, l)`, for `1 <= l <= n`.
///
/// That takes `h w b m (k^2 + n)` multiply-adds for `h w` pixels, where the dense convolution takes `h w m n k^2`. With
/// `b = k^2` bases it can compute any dense convolution, see [`one_hot_bases`].
///
/// It is a depthwise separable convolution with a channel multiplier of `b`. The paper arranges the bases one after the
/// other instead, see [`SingleIntraChannelConv`](super::SingleIntraChannelConv).
#[derive(Module, Debug)]
pub struct IntraChannelConv {
    /// The bases, the projection and the normalization.
    pub layer: SegmentedConvNorm,
}

impl IntraChannelConv {
    /// Convolves each channel with its bases, projects, normalizes, and applies the epilogue.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height, width]`
    pub fn forward(&self, input: FeatureMap, epilogue: Epilogue) -> FeatureMap {
        self.layer.forward(input, epilogue)
    }
}

/// Returns `k^2` bases, each of them one tap, and the projection with which they compute a dense convolution.
///
/// Basis `i` of every channel is 1 at tap `i`, so that it shifts the channel, and `P(i, j, l) = W(u_i, v_i, j, l)`.
///
/// # Shapes
///
/// - `kernel`: that of the dense convolution, `[channels_out, channels_in, height, width]`
/// - bases: `[channels_in * height * width, 1, height, width]`
/// - projection: `[channels_out, channels_in * height * width, 1, 1]`
pub fn one_hot_bases(kernel: Tensor<4>) -> [Tensor<4>; 2] {
    let [outputs, inputs, height, width] = kernel.dims();
    let taps = height * width;
    let bases = Tensor::<2>::eye(taps, &kernel.device()).reshape([1, taps, height, width]);
    let bases = bases.repeat_dim(0, inputs); // [channels_in, taps, height, width]
    [
        bases.reshape([inputs * taps, 1, height, width]),
        kernel.reshape([outputs, inputs * taps, 1, 1]),
    ]
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::trace::Trace;
    use crate::layers::{ConvNormConfig, Kernels};

    fn options() -> LayerOptions {
        LayerOptions {
            epsilon: 1e-5,
            kernels: Kernels::Native,
        }
    }

    fn config(channels: [usize; 2], kernel: usize, bases: usize) -> IntraChannelConvConfig {
        IntraChannelConvConfig {
            channels,
            kernel,
            bases,
            options: options(),
        }
    }

    #[test]
    fn as_many_bases_as_taps_compute_any_dense_convolution() {
        let device = Device::flex();
        for (kernel, channels) in [(3, [4, 6]), (5, [2, 3]), (1, [5, 2])] {
            let dense = ConvNormConfig::new(channels, kernel, options());
            let dense = dense.with_padding(kernel / 2).init(&device);
            let mut factorized = config(channels, kernel, kernel * kernel).init(&device);
            let [bases, projection] = one_hot_bases(dense.conv.weight.val());
            factorized.layer.spatial.weight = Param::from_tensor(bases);
            factorized.layer.pointwise.weight = Param::from_tensor(projection);
            let shape = [2, channels[0], 7, 6];
            let images = Tensor::<4>::random(shape, Distribution::Default, &device);
            let expected = dense.forward(FeatureMap::composed(images.clone()), Epilogue::relu());
            let expected = expected.into_tensor();
            for map in [
                FeatureMap::composed(images.clone()),
                FeatureMap::fused(images),
            ] {
                let found = factorized.forward(map, Epilogue::relu()).into_tensor();
                let difference = (found - expected.clone()).abs().max();
                assert!(difference.into_scalar::<f32>() < 1e-5, "{kernel}");
            }
        }
    }

    #[test]
    fn counts_are_those_of_the_algorithm() {
        let device = Device::flex();
        let (h, w, m, n, k) = (10, 12, 16, 24, 3);
        for b in 1..=4 {
            let layer = config([m, n], k, b).init(&device);
            let trace = Trace::recording(&device);
            let input = FeatureMap::traced([1, m, h, w], &trace);
            layer.forward(input, Epilogue::none());
            let operations = trace.take().operations;
            let multiply_adds: u64 = operations.iter().map(|o| o.multiply_adds).sum();
            assert_eq!(multiply_adds, (h * w * b * m * (k * k + n)) as u64);
            let parameters: u64 = operations.iter().map(|o| o.parameters).sum();
            assert_eq!(parameters, (b * m * (k * k + n) + 2 * n) as u64);
        }
    }
}
