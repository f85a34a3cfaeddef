//! Topological subdivisioning: convolutions whose channels are connected as a [`Topology`] says.

use std::sync::OnceLock;

use burn::module::{Module, Param, Reparameterization, Reparameterizer};
use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use super::Topology;
use super::conv_norm::convolution_initializer;

impl Topology {
    /// Subdivides the convolutions of a module, which is a layer of this crate or any other: of each kernel `[channels,
    /// channels, height, width]` of the topology's channels, only the connected weights remain.
    ///
    /// The connected weights are the convolution's only parameters, `[channels, connected, height, width]`, in the order
    /// of [`inputs_of`](Self::inputs_of); the optimizer, files and the summary have these alone. They are drawn anew, by
    /// He initialization over the outputs that an input is connected with. As the convolution is computed, they are spread
    /// over a dense kernel of zeros:
    ///
    /// `O(y, x, j) = sum_(i, u, v) K(u, v, j, i) I(y + u, x + v, input(j, i))`
    ///
    /// (M. Wang, B. Liu and H. Foroosh, *Factorized Convolutional Neural Networks*, 2016, version 1, algorithm 4). In a
    /// [fused](crate::Fused) network that is done once.
    ///
    /// # Speed
    ///
    /// A subdivided projection takes the time of a dense one: on a processor, of 256 channels (16 x 16, of which 8 x 8 are
    /// connected) and 512 channels (8 x 8 x 8, 4 x 4 x 4) at 16 x 16 pixels and a batch of 8, forward and backward together,
    /// 0.94 and 1.00 of it. What multiplies fewer numbers is slower, since large matrix products are what processors are
    /// fast at. In the same run, a sum of shifted inputs, one for each connection, took 36 and 21 times as long as the dense
    /// projection, and products of blocks of channels that leave out half of the zeros 2.8 and 1.4 times. What a topology
    /// saves here is parameters, not time: the summary counts the multiply-adds of the connected weights, and the zeros are
    /// multiplied all the same.
    ///
    /// ```
    /// use burn::prelude::*;
    /// use xception_models::layers::{ConvNormConfig, Kernels, LayerOptions, Topology};
    /// use xception_models::trainable_parameters;
    ///
    /// let options = LayerOptions { epsilon: 1e-5, kernels: Kernels::Native };
    /// let projection = ConvNormConfig::new([64, 64], 1, options).without_norm().init(&Device::flex());
    /// assert_eq!(trainable_parameters(&projection), 64 * 64);
    /// let topology = Topology::new(64, &[8, 8], &[4, 4])?;
    /// assert_eq!(trainable_parameters(&topology.subdivide(projection)), 64 * 16);
    /// # Ok::<(), xception_models::ModelError>(())
    /// ```
    pub fn subdivide<M: Module>(&self, module: M) -> M {
        module.apply_reparameterization(Subdivide(self))
    }
}

/// Makes the connected weights of each convolution between a topology's channels its parameters.
struct Subdivide<'a>(&'a Topology);

impl Reparameterizer for Subdivide<'_> {
    type Reparam = Connected;

    fn reparameterize<const D: usize>(
        &mut self,
        _path: &str,
        param: Param<Tensor<D>>,
    ) -> (Param<Tensor<D>>, Option<Connected>) {
        let topology = self.0;
        let channels = topology.channels();
        let shape = param.lazy_shape();
        match shape[..] {
            [outputs, inputs, rows, columns] if [outputs, inputs] == [channels; 2] => {
                let (connected, taps) = (topology.connected(), rows * columns);
                let weights = convolution_initializer().init_with(
                    [channels, connected, rows, columns],
                    Some(connected * taps),
                    Some(connected * taps),
                    &param.lazy_device(),
                );
                (weights, Some(Connected::new(topology.clone(), taps)))
            }
            _ => (param, None),
        }
    }
}

/// The spreading of connected weights over a dense kernel.
#[derive(Module, Debug)]
struct Connected {
    #[module(skip)]
    topology: Topology,
    /// Number of taps of the kernel.
    taps: usize,
    /// The place of each weight in its output's row of the dense kernel, made on first use.
    #[module(skip)]
    places: OnceLock<Tensor<2, Int>>,
}

impl Connected {
    fn new(topology: Topology, taps: usize) -> Self {
        Self {
            topology,
            taps,
            places: OnceLock::new(),
        }
    }

    /// Returns the places, `[channels, connected * taps]`, on the device of the weights.
    fn places(&self, device: &Device) -> Tensor<2, Int> {
        let inner = match device.is_autodiff() {
            true => device.clone().inner(),
            false => device.clone(),
        };
        let places = self.places.get_or_init(|| {
            let channels = self.topology.channels();
            let mut places = Vec::with_capacity(channels * self.topology.connected() * self.taps);
            for output in 0..channels {
                for input in self.topology.inputs_of(output) {
                    places.extend((0..self.taps).map(|tap| (input * self.taps + tap) as i32));
                }
            }
            let shape = [channels, self.topology.connected() * self.taps];
            Tensor::from_data(TensorData::new(places, shape), &inner)
        });
        let places = match places.device() == inner {
            true => places.clone(),
            false => places.clone().to_device(&inner),
        };
        match device.is_autodiff() {
            true => Tensor::from_inner(places),
            false => places,
        }
    }
}

impl Reparameterization for Connected {
    const NAME: &'static str = "topology";

    /// Returns the dense kernel, `[channels, channels, height, width]`.
    fn apply<const D: usize>(&self, weights: Tensor<D>) -> Tensor<D> {
        let mut shape = weights.dims();
        let device = weights.device();
        let channels = self.topology.channels();
        let rows = weights.reshape([channels, self.topology.connected() * self.taps]);
        let zeros = Tensor::<2>::zeros([channels, channels * self.taps], &device);
        let dense = zeros.scatter(1, self.places(&device), rows, IndexingUpdateOp::Add);
        shape[1] = channels;
        dense.reshape(shape)
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::{GradientsParams, SgdConfig};
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::trace::Trace;
    use crate::layers::{
        ConvNorm, ConvNormConfig, Epilogue, FeatureMap, Kernels, LayerOptions,
        SegmentedConvNormConfig,
    };
    use crate::trainable_parameters;

    fn options(kernels: Kernels) -> LayerOptions {
        LayerOptions {
            epsilon: 1e-5,
            kernels,
        }
    }

    fn conv(topology: &Topology, kernel: usize, kernels: Kernels, device: &Device) -> ConvNorm {
        let channels = topology.channels();
        let config = ConvNormConfig::new([channels; 2], kernel, options(kernels));
        let dense = config.without_norm().with_padding(kernel / 2).init(device);
        topology.subdivide(dense)
    }

    fn topologies() -> Vec<Topology> {
        let new = |axes: &[usize], connections: &[usize]| {
            let channels = axes.iter().product();
            Topology::new(channels, axes, connections).unwrap()
        };
        vec![
            new(&[10], &[4]),
            new(&[3, 4], &[2, 2]),
            new(&[2, 3, 4], &[2, 1, 3]),
            new(&[4, 4], &[4, 4]),
        ]
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_into_vec().unwrap()
    }

    /// Computes algorithm 4, in loops over plain numbers.
    fn algorithm_4(topology: &Topology, weights: &[f32], k: usize, input: &Tensor<4>) -> Vec<f32> {
        let [batch, channels, height, width] = input.dims();
        let x = values(input.clone());
        let (axes, connections) = (topology.axes(), topology.connections());
        let places = |mut channel: usize, lengths: &[usize]| {
            let mut places = vec![0; lengths.len()];
            for (place, length) in places.iter_mut().zip(lengths).rev() {
                *place = channel % length;
                channel /= length;
            }
            places
        };
        let mut output = Vec::new();
        for n in 0..batch {
            for o in 0..channels {
                for pixel in 0..height * width {
                    let (row, column) = (pixel / width, pixel % width);
                    let mut sum = 0.0;
                    for connection in 0..topology.connected() {
                        let (j, i) = (places(o, axes), places(connection, connections));
                        let input = (0..axes.len())
                            .fold(0, |channel, a| channel * axes[a] + (j[a] + i[a]) % axes[a]);
                        for tap in 0..k * k {
                            let y = (row + tap / k).checked_sub(k / 2);
                            let x_ = (column + tap % k).checked_sub(k / 2);
                            if let (Some(y), Some(x_)) = (y, x_)
                                && y < height
                                && x_ < width
                            {
                                let weight = (o * topology.connected() + connection) * k * k + tap;
                                let at = ((n * channels + input) * height + y) * width + x_;
                                sum += weights[weight] * x[at];
                            }
                        }
                    }
                    output.push(sum);
                }
            }
        }
        output
    }

    #[test]
    fn it_is_algorithm_4_in_every_form() {
        let device = Device::flex();
        for topology in topologies() {
            for k in [1, 3] {
                for kernels in [Kernels::Native, Kernels::Burn] {
                    let layer = conv(&topology, k, kernels, &device);
                    let m = topology.channels();
                    let weights = layer.conv.weight.base();
                    assert_eq!(weights.dims(), [m, topology.connected(), k, k]);
                    let input = Tensor::<4>::random([2, m, 5, 4], Distribution::Default, &device);
                    let expected = algorithm_4(&topology, &values(weights), k, &input);
                    for map in [
                        FeatureMap::composed(input.clone()),
                        FeatureMap::fused(input),
                    ] {
                        let found = values(layer.forward(map, Epilogue::none()).into_tensor());
                        for (found, expected) in found.iter().zip(&expected) {
                            assert!((found - expected).abs() < 1e-4, "{topology:?} {k}");
                        }
                    }
                    let trace = Trace::recording(&device);
                    let traced = FeatureMap::traced([2, m, 5, 4], &trace);
                    layer.forward(traced, Epilogue::none());
                    let operation = &trace.take().operations[0];
                    let parameters = m * topology.connected() * k * k;
                    assert_eq!(operation.parameters, parameters as u64);
                    assert_eq!(operation.multiply_adds, (2 * 20 * parameters) as u64);
                    assert_eq!(trainable_parameters(&layer), parameters);
                }
            }
        }
    }

    #[test]
    fn gradients_are_those_of_the_connected_weights_of_a_dense_kernel() {
        let device = Device::flex().autodiff();
        for topology in topologies() {
            for k in [1, 3] {
                let m = topology.channels();
                let connected = conv(&topology, k, Kernels::Native, &device);
                let config = ConvNormConfig::new([m; 2], k, options(Kernels::Native));
                let mut dense = config.without_norm().with_padding(k / 2).init(&device);
                let kernel = connected.conv.weight.val().detach();
                dense.conv.weight = Param::from_tensor(kernel.require_grad());
                let input = Tensor::<4>::random([2, m, 5, 4], Distribution::Default, &device);
                let factors = Tensor::<4>::random([2, m, 5, 4], Distribution::Default, &device);
                let [(y, dx, dw), (expected_y, expected_dx, expected_dw)] = [&connected, &dense]
                    .map(|layer| {
                        let input = input.clone().require_grad();
                        let map = FeatureMap::composed(input.clone());
                        let y = layer.forward(map, Epilogue::none()).into_tensor();
                        let gradients = (y.clone() * factors.clone()).sum().backward();
                        let weight = layer.conv.weight.base();
                        let [dx, dw] = [input, weight].map(|x| x.grad(&gradients).unwrap());
                        (values(y), values(dx), dw)
                    });
                let close = |found: &[f32], expected: &[f32]| {
                    let mut pairs = found.iter().zip(expected);
                    assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-4), "{topology:?}");
                };
                close(&y, &expected_y);
                close(&dx, &expected_dx);
                // The topology of all connections has all of the dense kernel's gradients.
                let (dw, expected_dw) = (values(dw), values(expected_dw));
                let taps = k * k;
                for (index, found) in dw.chunks(taps).enumerate() {
                    let output = index / topology.connected();
                    let input = topology.inputs_of(output)[index % topology.connected()];
                    close(found, &expected_dw[(output * m + input) * taps..][..taps]);
                }
                assert_eq!(dw.len(), m * topology.connected() * taps);
            }
        }
    }

    #[test]
    fn an_optimizer_changes_the_connected_weights_alone() {
        let device = Device::flex().autodiff();
        let topology = Topology::halved(16, 2).unwrap();
        let layer = conv(&topology, 1, Kernels::Native, &device);
        let dense = layer.conv.weight.val();
        let input = FeatureMap::composed(Tensor::ones([1, 16, 2, 2], &device));
        let output = layer.forward(input, Epilogue::none()).into_tensor();
        let gradients = output.powi_scalar(2).sum().backward();
        let gradients = GradientsParams::from_grads(gradients, &layer);
        assert_eq!(gradients.len(), 1);
        let layer = SgdConfig::new().init().step(0.1, layer, gradients);
        assert_eq!(layer.conv.weight.base().dims(), [16, 4, 1, 1]);
        let changes = values(layer.conv.weight.val() - dense);
        for output in 0..16 {
            let connected = topology.inputs_of(output);
            for input in 0..16 {
                let changed = changes[output * 16 + input] != 0.0;
                assert_eq!(changed, connected.contains(&input), "{output}, {input}");
            }
        }
    }

    #[test]
    fn other_convolutions_of_a_module_stay_as_they_are() {
        let device = Device::flex();
        let topology = Topology::halved(16, 2).unwrap();
        let layer = SegmentedConvNormConfig::separable([16, 16], 3, options(Kernels::Native));
        let layer = topology.subdivide(layer.init(&device));
        assert_eq!(layer.spatial.weight.base().dims(), [16, 1, 3, 3]);
        assert_eq!(layer.pointwise.weight.base().dims(), [16, 4, 1, 1]);
        assert_eq!(layer.pointwise.weight.val().dims(), [16, 16, 1, 1]);
        let layer = SegmentedConvNormConfig::separable([16, 32], 3, options(Kernels::Native));
        let layer = topology.subdivide(layer.init(&device));
        assert_eq!(layer.pointwise.weight.base().dims(), [32, 16, 1, 1]);
    }

    #[test]
    fn connected_weights_have_the_variance_of_their_outputs() {
        let device = Device::flex();
        device.seed(3);
        let topology = Topology::halved(256, 2).unwrap();
        let layer = conv(&topology, 1, Kernels::Native, &device);
        let variance = layer.conv.weight.base().powi_scalar(2).mean();
        let expected = 2.0 / topology.connected() as f32;
        let ratio = variance.into_scalar::<f32>() / expected;
        assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
    }

    #[test]
    #[allow(deprecated)] // Burn deprecates NdArray; this project still supports it
    fn it_goes_from_device_to_device_and_from_training_to_evaluation() {
        let topology = Topology::halved(16, 2).unwrap();
        let layer = conv(&topology, 1, Kernels::Native, &Device::flex());
        let run = |layer: &ConvNorm, device: &Device| {
            let numbers: Vec<f32> = (0..96).map(|i| (i * 37 % 11) as f32).collect();
            let input = Tensor::from_data(TensorData::new(numbers, [1, 16, 2, 3]), device);
            let output = layer.forward(FeatureMap::composed(input), Epilogue::none());
            values(output.into_tensor())
        };
        let expected = run(&layer, &Device::flex());
        let training = layer.clone().train();
        let device = Device::flex().autodiff();
        assert_eq!(run(&training, &device), expected);
        assert_eq!(run(&training.valid(), &Device::flex()), expected);
        let ndarray = layer.clone().to_device(&Device::ndarray());
        for (found, expected) in run(&ndarray, &Device::ndarray()).iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4);
        }
        assert_eq!(run(&layer, &Device::flex()), expected);
    }
}
