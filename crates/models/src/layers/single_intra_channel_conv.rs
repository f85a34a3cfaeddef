//! The single intra-channel convolution: one basis at a time, each with its projection and a residual connection.

use burn::module::Module;
use burn::prelude::*;

use super::{
    Activation, Epilogue, FeatureMap, LayerOptions, SegmentedConvNorm, SegmentedConvNormConfig,
    Topology,
};
use crate::ModelError;

/// Configuration of a [`SingleIntraChannelConv`].
#[derive(Debug, Clone, PartialEq)]
pub struct SingleIntraChannelConvConfig {
    /// Number of channels of the input and the output.
    pub channels: usize,
    /// Height and width of the kernel, an odd number.
    pub kernel: usize,
    /// Number of bases, one after the other.
    pub bases: usize,
    /// The connections of the projections; all channels with all others if there is none.
    pub topology: Option<Topology>,
    /// Options that the layers of a network share.
    pub options: LayerOptions,
}

impl SingleIntraChannelConvConfig {
    /// Makes the configuration of a single basis with a dense projection.
    pub fn new(channels: usize, kernel: usize, options: LayerOptions) -> Self {
        Self {
            channels,
            kernel,
            bases: 1,
            topology: None,
            options,
        }
    }

    /// Sets the number of bases, one after the other.
    pub fn with_bases(mut self, bases: usize) -> Self {
        self.bases = bases;
        self
    }

    /// Sets the connections of the projections.
    pub fn with_topology(mut self, topology: Topology) -> Self {
        self.topology = Some(topology);
        self
    }

    /// Makes the layer, with random weights.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], if the kernel is even, or the topology is one of another number of channels.
    pub fn init(&self, device: &Device) -> Result<SingleIntraChannelConv, ModelError> {
        check_odd(self.kernel)?;
        if let Some(topology) = &self.topology {
            topology.check_channels(self.channels)?;
        }
        let basis =
            SegmentedConvNormConfig::separable([self.channels; 2], self.kernel, self.options);
        let bases = (0..self.bases).map(|_| {
            let basis = basis.init(device);
            match &self.topology {
                Some(topology) => topology.subdivide(basis),
                None => basis,
            }
        });
        Ok(SingleIntraChannelConv {
            bases: bases.collect(),
        })
    }
}

/// Checks that a kernel has a center, so that its output has the size of its input.
pub(crate) fn check_odd(kernel: usize) -> Result<(), ModelError> {
    match kernel % 2 {
        1 => Ok(()),
        _ => Err(ModelError::OutOfRange {
            option: "kernel",
            found: kernel.to_string(),
            expected: "an odd number".to_owned(),
        }),
    }
}

/// A layer of single intra-channel convolutions (SIC), one after the other (M. Wang, B. Liu and H. Foroosh, *Factorized
/// Convolutional Neural Networks*, 2016, version 1, algorithm 3).
///
/// Each has one filter for each channel, a projection of the channels, and a residual connection before ReLU:
///
/// `G(y, x, j) = sum_(u, v) K(u, v, j) I(y + u, x + v, j)`,
///
/// `O(y, x, l) = max(0, I(y, x, l) + N(sum_j G(y, x, j) P(j, l)))`,
///
/// and its output is the input of the next. `N` is batch normalization, of which the algorithm says nothing: here it
/// follows the projection, so that, folded into it, it is the algorithm's projection with a bias. The residual connection
/// keeps the information that one filter alone would lose.
///
/// `b` of them stand in for a dense convolution of `h w m^2 k^2` multiply-adds, and take `b h w m (k^2 + m)`: the share
/// `b (1 / m + 1 / k^2)`. With a [`Topology`] of `c` connections the projection takes `c` instead of `m` for each output.
/// The same bases side by side are [`IntraChannelConv`](super::IntraChannelConv).
#[derive(Module, Debug)]
pub struct SingleIntraChannelConv {
    /// The bases, each with its projection and normalization.
    pub bases: Vec<SegmentedConvNorm>,
}

impl SingleIntraChannelConv {
    /// Applies the bases, one after the other.
    ///
    /// # Shapes
    ///
    /// - `input` and output: `[batch, channels, height, width]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        self.bases.iter().fold(input, |x, basis| {
            let epilogue = Epilogue::add(x.clone()).then(Activation::Relu);
            basis.forward(x, epilogue)
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::trace::Trace;
    use crate::layers::{Kernels, OperationKind};

    fn config(channels: usize, kernel: usize) -> SingleIntraChannelConvConfig {
        let options = LayerOptions {
            epsilon: 1e-5,
            kernels: Kernels::Native,
        };
        SingleIntraChannelConvConfig::new(channels, kernel, options)
    }

    #[test]
    fn a_basis_is_the_algorithms_step() {
        let device = Device::flex();
        let layer = config(6, 3).with_bases(2).init(&device).unwrap();
        let input = Tensor::<4>::random([2, 6, 5, 7], Distribution::Default, &device);
        // In evaluation, normalization with its first statistics divides by the root of 1 + epsilon.
        let mut expected = input.clone();
        for basis in &layer.bases {
            let filtered = xception_kernels::depthwise_conv2d(
                expected.clone(),
                basis.spatial.weight.val(),
                None,
                &xception_kernels::Geometry::same(3),
            );
            let projection = basis.pointwise.weight.val().reshape([1, 6, 6]);
            let pixels = filtered.reshape([2, 6, 35]);
            let projected = projection.expand([2, 6, 6]).matmul(pixels) / (1.0f64 + 1e-5).sqrt();
            expected = (expected + projected.reshape([2, 6, 5, 7])).clamp_min(0.0);
        }
        for map in [
            FeatureMap::composed(input.clone()),
            FeatureMap::fused(input),
        ] {
            let found = layer.forward(map).into_tensor();
            let difference = (found - expected.clone()).abs().max();
            assert!(difference.into_scalar::<f32>() < 1e-5);
        }
    }

    #[test]
    fn counts_are_those_of_the_algorithm() {
        let device = Device::flex();
        let (h, w, m) = (9, 14, 64);
        for (k, b) in [(3, 1), (3, 2), (5, 3)] {
            for topology in [None, Some(Topology::halved(m, 2).unwrap())] {
                let connected = topology.as_ref().map_or(m, Topology::connected);
                let config = SingleIntraChannelConvConfig {
                    topology,
                    ..config(m, k).with_bases(b)
                };
                let layer = config.init(&device).unwrap();
                let trace = Trace::recording(&device);
                layer.forward(FeatureMap::traced([1, m, h, w], &trace));
                let operations = trace.take().operations;
                let multiply_adds: u64 = operations.iter().map(|o| o.multiply_adds).sum();
                assert_eq!(multiply_adds, (b * h * w * m * (k * k + connected)) as u64);
                let parameters: u64 = operations.iter().map(|o| o.parameters).sum();
                assert_eq!(parameters, (b * m * (k * k + connected + 2)) as u64);
                let last = operations.iter().rev().take(3).map(|o| o.kind);
                assert!(last.eq([
                    OperationKind::Activation(Activation::Relu),
                    OperationKind::Addition,
                    OperationKind::Normalization,
                ]));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let device = Device::flex();
        let even = config(8, 4).init(&device).unwrap_err();
        assert_eq!(
            even.to_string(),
            "`kernel` is 4, but has to be an odd number"
        );
        let topology = Topology::halved(16, 2).unwrap();
        let other = config(8, 3).with_topology(topology).init(&device);
        let other = other.unwrap_err().to_string();
        assert!(other.contains("`topology` is 4 x 4"), "{other}");
    }
}
