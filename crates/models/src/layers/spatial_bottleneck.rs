//! The spatial bottleneck: a projection at a lower resolution, between a convolution and a deconvolution.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::prelude::*;
use xception_kernels::{FusedConv2d, FusedDepthwise, Geometry};

use super::conv_norm::{convolution, run_packed, trace_convolution};
use super::feature_map::Form;
use super::packed::{Packed, ids};
use super::{
    Activation, Epilogue, FeatureMap, Kernels, LayerOptions, Topology, TransposedDepthwiseConvNorm,
    TransposedDepthwiseConvNormConfig, check_odd,
};
use crate::ModelError;

/// Configuration of a [`SpatialBottleneck`].
#[derive(Debug, Clone, PartialEq)]
pub struct SpatialBottleneckConfig {
    /// Number of channels of the input and the output.
    pub channels: usize,
    /// Height and width of the kernel of convolution and deconvolution, an odd number.
    pub kernel: usize,
    /// Factor by which the convolution reduces height and width.
    pub stride: usize,
    /// The connections of the projection; all channels with all others if there is none.
    pub topology: Option<Topology>,
    /// Options that the layers of a network share.
    pub options: LayerOptions,
}

impl SpatialBottleneckConfig {
    /// Makes the configuration of a bottleneck at stride 2 with a dense projection.
    pub fn new(channels: usize, kernel: usize, options: LayerOptions) -> Self {
        Self {
            channels,
            kernel,
            stride: 2,
            topology: None,
            options,
        }
    }

    /// Sets the factor by which the convolution reduces height and width.
    pub fn with_stride(mut self, stride: usize) -> Self {
        self.stride = stride;
        self
    }

    /// Sets the connections of the projection.
    pub fn with_topology(mut self, topology: Topology) -> Self {
        self.topology = Some(topology);
        self
    }

    /// Makes the layer, with random weights.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], if the kernel is even, the stride is zero, or the topology is one of another number of
    /// channels.
    pub fn init(&self, device: &Device) -> Result<SpatialBottleneck, ModelError> {
        check_odd(self.kernel)?;
        if self.stride == 0 {
            return Err(ModelError::OutOfRange {
                option: "stride",
                found: "0".to_owned(),
                expected: "at least 1".to_owned(),
            });
        }
        let channels = [self.channels; 2];
        let geometry = Geometry::same(self.kernel).with_stride(self.stride);
        let projection = convolution(channels, &Geometry::valid(1), 1, false, device);
        let projection = match &self.topology {
            Some(topology) => {
                topology.check_channels(self.channels)?;
                topology.subdivide(projection)
            }
            None => projection,
        };
        let deconvolution = TransposedDepthwiseConvNormConfig {
            channels: self.channels,
            geometry,
            options: self.options,
        };
        Ok(SpatialBottleneck {
            depthwise: convolution(channels, &geometry, self.channels, false, device),
            projection,
            deconvolution: deconvolution.init(device),
            geometry,
            kernels: self.options.kernels,
            packed: Packed::default(),
        })
    }
}

/// A spatial bottleneck: "a convolution-projection-deconvolution pipeline to take advantage of the correlation between
/// adjacent pixels in the input" (M. Wang, B. Liu and H. Foroosh, *Design of Efficient Convolutional Layers using Single
/// Intra-channel Convolution, Topological Subdivisioning and Spatial "Bottleneck" Structure*, 2017, abstract).
///
/// Beyond this sentence, the layer is the project's own reading of it, after the single intra-channel convolution:
///
/// `O = max(0, I + N(D *^T_s (P (K *_s I))))`,
///
/// where `K *_s` convolves each channel by itself at stride `s`, `P` projects the channels at the lower resolution,
/// `D *^T_s` is the transpose of such a convolution, back to the input's size, and `N` is batch normalization. At stride 1
/// with a `D` that does nothing it is a [`SingleIntraChannelConv`](super::SingleIntraChannelConv) of one basis.
///
/// Of `h w` pixels, `h' w' = ceil(h / s) ceil(w / s)` are left between convolution and deconvolution, so that the layer
/// takes `h' w' m (2 k^2 + m)` multiply-adds: in the projection, which is most of them, fewer by a factor of `s^2`. Time
/// falls by less, since the deconvolution has to read and write maps of the full size.
#[derive(Module, Debug)]
pub struct SpatialBottleneck {
    /// The strided convolution of each channel.
    pub depthwise: Conv2d,
    /// The projection at the lower resolution.
    pub projection: Conv2d,
    /// The strided deconvolution of each channel, with batch normalization.
    pub deconvolution: TransposedDepthwiseConvNorm,
    /// Window of convolution and deconvolution.
    #[module(skip)]
    pub geometry: Geometry,
    /// The implementation of the operations.
    #[module(skip)]
    pub kernels: Kernels,
    /// The fused form of convolution and projection.
    #[module(skip)]
    packed: Packed,
}

impl SpatialBottleneck {
    /// Convolves, projects and deconvolves, adds the input, and applies ReLU.
    ///
    /// # Shapes
    ///
    /// - `input` and output: `[batch, channels, height, width]`, of any size
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let [_, _, height, width] = input.dims();
        let reduced = self.reduce(input.clone()); // [batch, channels, ceil(height / stride), ceil(width / stride)]
        let epilogue = Epilogue::add(input).then(Activation::Relu);
        self.deconvolution
            .forward(reduced, [height, width], epilogue)
    }

    /// Convolves and projects.
    fn reduce(&self, input: FeatureMap) -> FeatureMap {
        let pointwise = Geometry::valid(1);
        match input.form {
            Form::Composed(input) => {
                let convolve = |x, convolution: &Conv2d, geometry| {
                    let weight = convolution.weight.val();
                    let groups = convolution.groups;
                    self.kernels.conv2d(x, weight, None, geometry, groups)
                };
                let x = convolve(input, &self.depthwise, &self.geometry);
                FeatureMap::composed(convolve(x, &self.projection, &pointwise))
            }
            Form::Traced(traced) => {
                for convolution in [&self.depthwise, &self.projection] {
                    traced.trace().module(convolution);
                    if traced.trace().fuses() {
                        self.packed.get_or_pack(|| self.pack());
                        traced.trace().packed(ids(convolution));
                    }
                }
                let x = trace_convolution(&self.depthwise, &self.geometry, &traced);
                trace_convolution(&self.projection, &pointwise, &x).into()
            }
            form => {
                let packed = self.packed.get_or_pack(|| self.pack());
                run_packed(packed, form.into(), Epilogue::none())
            }
        }
    }

    /// Packs convolution and projection as one operation.
    fn pack(&self) -> FusedConv2d {
        let depthwise = FusedDepthwise {
            weight: self.depthwise.weight.val(),
            channels: self.depthwise.groups,
            bias: None,
            geometry: self.geometry,
            input_relu: false,
            activation: Activation::None,
        };
        let projection = self.projection.weight.val();
        let bias = Tensor::zeros([self.depthwise.groups], &projection.device());
        let native = self.kernels == Kernels::Native;
        FusedConv2d::separable(depthwise, projection, bias, native)
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::trace::Trace;
    use crate::layers::{OperationKind, SingleIntraChannelConvConfig};

    fn config(channels: usize, kernel: usize, kernels: Kernels) -> SpatialBottleneckConfig {
        let options = LayerOptions {
            epsilon: 1e-5,
            kernels,
        };
        SpatialBottleneckConfig::new(channels, kernel, options)
    }

    fn difference(a: FeatureMap, b: FeatureMap) -> f32 {
        let difference = a.into_tensor() - b.into_tensor();
        difference.abs().max().into_scalar::<f32>()
    }

    #[test]
    fn it_gives_the_same_in_every_form_and_size() {
        let device = Device::flex();
        for kernels in [Kernels::Native, Kernels::Burn] {
            for (kernel, stride) in [(3, 2), (5, 2), (3, 3), (3, 1), (1, 2)] {
                for topology in [None, Some(Topology::halved(8, 2).unwrap())] {
                    let config = SpatialBottleneckConfig {
                        topology,
                        ..config(8, kernel, kernels).with_stride(stride)
                    };
                    let layer = config.init(&device).unwrap();
                    for [height, width] in [[8, 6], [7, 9], [5, 4], [1, 2], [1, 1]] {
                        let shape = [2, 8, height, width];
                        let input = Tensor::random(shape, Distribution::Default, &device);
                        let expected = layer.forward(FeatureMap::composed(input.clone()));
                        let traced = FeatureMap::traced(shape, &Trace::fusing(&device));
                        assert_eq!(layer.forward(traced).dims(), shape);
                        assert_eq!(expected.dims(), shape);
                        let found = layer.forward(FeatureMap::fused(input));
                        let difference = difference(expected, found);
                        assert!(difference < 1e-5, "{config:?} {shape:?}: {difference}");
                    }
                }
            }
        }
    }

    #[test]
    fn at_stride_one_with_an_identity_it_is_a_single_intra_channel_convolution() {
        let device = Device::flex();
        let mut bottleneck = config(6, 3, Kernels::Native).with_stride(1);
        bottleneck.options.epsilon = 1e-3;
        let single = SingleIntraChannelConvConfig::new(6, 3, bottleneck.options);
        let (mut bottleneck, single) = (
            bottleneck.init(&device).unwrap(),
            single.init(&device).unwrap(),
        );
        bottleneck.depthwise.weight = single.bases[0].spatial.weight.clone();
        bottleneck.projection.weight = single.bases[0].pointwise.weight.clone();
        let center = Tensor::<4>::zeros([6, 1, 3, 3], &device);
        let one = Tensor::ones([6, 1, 1, 1], &device);
        let identity = center.slice_assign([0..6, 0..1, 1..2, 1..2], one);
        bottleneck.deconvolution.weight = Param::from_tensor(identity);
        let input = Tensor::<4>::random([2, 6, 5, 7], Distribution::Default, &device);
        for map in [FeatureMap::composed as fn(_) -> _, FeatureMap::fused] {
            let expected = single.forward(map(input.clone()));
            assert!(difference(bottleneck.forward(map(input.clone())), expected) < 1e-5);
        }
    }

    #[test]
    fn the_projection_is_counted_at_the_lower_resolution() {
        let device = Device::flex();
        let (m, k) = (64, 3);
        for (s, [h, w]) in [(2, [8, 6]), (2, [7, 9]), (3, [10, 12])] {
            for topology in [None, Some(Topology::halved(m, 3).unwrap())] {
                let connected = topology.as_ref().map_or(m, Topology::connected);
                let config = SpatialBottleneckConfig {
                    topology,
                    ..config(m, k, Kernels::Native).with_stride(s)
                };
                let layer = config.init(&device).unwrap();
                let trace = Trace::recording(&device);
                layer.forward(FeatureMap::traced([1, m, h, w], &trace));
                let operations = trace.take().operations;
                let multiply_adds: u64 = operations.iter().map(|o| o.multiply_adds).sum();
                let pixels = h.div_ceil(s) * w.div_ceil(s);
                let expected = pixels * m * (2 * k * k + connected);
                assert_eq!(multiply_adds, expected as u64);
                let parameters: u64 = operations.iter().map(|o| o.parameters).sum();
                assert_eq!(parameters, (m * (2 * k * k + connected + 2)) as u64);
                assert!(matches!(
                    operations[2].kind,
                    OperationKind::TransposedConvolution { stride, .. } if stride == [s, s]
                ));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let device = Device::flex();
        for config in [
            config(8, 4, Kernels::Native),
            config(8, 3, Kernels::Native).with_stride(0),
            config(8, 3, Kernels::Native).with_topology(Topology::halved(16, 2).unwrap()),
        ] {
            assert!(config.init(&device).is_err(), "{config:?}");
        }
    }
}
