//! The simplified Inception module of figure 2, and its strict equivalent of figure 3.

use burn::module::{Module, Param};
use burn::nn::BatchNorm;
use burn::prelude::*;
use xception_kernels::{Activation, Geometry};

use super::SpectrumError;
use super::norms::{cut, join};
use crate::layers::{
    ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, Order, SegmentedConvNorm,
    SegmentedConvNormConfig, Segments,
};

/// Configuration of a [`SimplifiedInception`].
#[derive(Debug, Clone, PartialEq)]
pub struct SimplifiedInceptionConfig {
    /// Number of branches, which share the output channels evenly.
    pub branches: usize,
    /// The module of figure 3 that has the same weights, but for the number of its segments.
    pub segmented: SegmentedConvNormConfig,
}

impl SimplifiedInceptionConfig {
    /// Makes the configuration of a module with these input and output channels, and with normalization and ReLU after
    /// each 1x1 convolution.
    pub fn new(channels: [usize; 2], branches: usize, options: LayerOptions) -> Self {
        Self {
            branches,
            segmented: SegmentedConvNormConfig::inception(channels, Segments::Channels, options),
        }
    }

    /// Sets whether batch normalization follows the 1x1 convolutions.
    pub fn with_norm_between(mut self, norm_between: bool) -> Self {
        self.segmented = self.segmented.with_norm_between(norm_between);
        self
    }

    /// Sets the activation between the two convolutions of a branch.
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.segmented = self.segmented.with_activation(activation);
        self
    }

    /// Sets the window of the spatial convolutions.
    pub fn with_geometry(mut self, geometry: Geometry) -> Self {
        self.segmented = self.segmented.with_geometry(geometry);
        self
    }

    /// Makes the module, with random weights.
    ///
    /// # Errors
    ///
    /// [`SpectrumError::Uneven`] if the output channels don't divide into the branches.
    pub fn init(&self, device: &Device) -> Result<SimplifiedInception, SpectrumError> {
        let [_, channels] = self.segmented.channels;
        let branches = self.branches;
        if branches == 0 || !channels.is_multiple_of(branches) {
            return Err(SpectrumError::Uneven { channels, branches });
        }
        let segmented = SegmentedConvNormConfig {
            segments: Segments::Number(branches),
            order: Order::PointwiseFirst,
            ..self.segmented.clone()
        };
        SimplifiedInception::from_segmented(&segmented.init(device))
    }
}

/// A simplified Inception module: branches of a 1x1 and a spatial convolution, whose outputs are concatenated (F. Chollet,
/// *Xception*, 2017, figure 2).
#[derive(Module, Debug)]
pub struct SimplifiedInception {
    /// The branches, in the order of their outputs.
    pub branches: Vec<InceptionBranch>,
}

/// A branch of a [`SimplifiedInception`].
#[derive(Module, Debug)]
pub struct InceptionBranch {
    /// The 1x1 convolution.
    pub pointwise: ConvNorm,
    /// The spatial convolution.
    pub spatial: ConvNorm,
    /// The activation between the two.
    #[module(skip)]
    pub activation: Activation,
}

impl SimplifiedInception {
    /// Computes all branches, each followed by an activation, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height_out, width_out]`
    pub fn forward(&self, input: FeatureMap, activation: Activation) -> FeatureMap {
        let mut outputs = self.branches.iter().map(|branch| {
            let between = Epilogue::from(branch.activation);
            let x = branch.pointwise.forward(input.clone(), between);
            branch.spatial.forward(x, Epilogue::from(activation)) // [batch, channels_out / branches, height_out, width_out]
        });
        match outputs.next() {
            Some(first) => first.concatenate_with(outputs.collect()),
            None => input.clone(),
        }
    }

    /// Returns the module of figure 3 with the same weights: one 1x1 convolution, whose outputs are cut into a segment for
    /// each branch.
    ///
    /// # Errors
    ///
    /// If there are no branches, or they differ in form.
    pub fn to_segmented(&self) -> Result<SegmentedConvNorm, SpectrumError> {
        let first = self.branches.first().ok_or(SpectrumError::Empty)?;
        let form = |branch: &InceptionBranch| {
            let [outputs, inputs, ..] = branch.pointwise.conv.weight.dims();
            let norms = [&branch.pointwise, &branch.spatial].map(|layer| layer.norm.is_some());
            (
                outputs,
                inputs,
                branch.spatial.geometry,
                norms,
                branch.activation,
            )
        };
        let (width, inputs, geometry, [norm_between, normalized], activation) = form(first);
        let different = self
            .branches
            .iter()
            .position(|branch| form(branch) != form(first));
        if let Some(index) = different {
            let what = "its shape, its normalization or its activation";
            return Err(SpectrumError::Mixed { index, what });
        }
        let device = &first.pointwise.conv.weight.device();
        let count = self.branches.len();
        let options = LayerOptions {
            epsilon: 1e-5, // that of the branches' normalizations, which are joined below
            kernels: first.spatial.kernels,
        };
        let config = SegmentedConvNormConfig {
            norm_between,
            normalized,
            ..SegmentedConvNormConfig::inception(
                [inputs, width * count],
                Segments::Number(count),
                options,
            )
            .with_activation(activation)
            .with_geometry(geometry)
        };
        let mut segmented = config.init(device);
        let pointwise = || self.branches.iter().map(|branch| &branch.pointwise);
        let spatial = || self.branches.iter().map(|branch| &branch.spatial);
        segmented.pointwise.weight = join_weights(pointwise());
        segmented.spatial.weight = join_weights(spatial());
        segmented.norm_between = join_norms(pointwise());
        segmented.norm = join_norms(spatial());
        Ok(segmented)
    }

    /// Returns the module of figure 2 with the weights of one of figure 3: a branch for each segment.
    ///
    /// # Errors
    ///
    /// If the spatial convolution comes first, or ReLU before the 1x1 convolution.
    pub fn from_segmented(segmented: &SegmentedConvNorm) -> Result<Self, SpectrumError> {
        if segmented.order != Order::PointwiseFirst {
            return Err(SpectrumError::Order {
                index: 0,
                expected: Order::PointwiseFirst,
                found: segmented.order,
            });
        }
        if segmented.input_relu {
            return Err(SpectrumError::InputRelu { index: 0 });
        }
        let device = &segmented.spatial.weight.device();
        let branches = segmented.spatial.groups;
        let [_, width, ..] = segmented.spatial.weight.dims();
        let [_, inputs, ..] = segmented.pointwise.weight.dims();
        let layer = |channels, geometry, weight: &Param<Tensor<4>>, norm: Option<_>, at: usize| {
            let options = LayerOptions {
                epsilon: 1e-5, // that of the layer's normalization, which is cut below
                kernels: segmented.kernels,
            };
            let config = ConvNormConfig::new(channels, 1, options).without_norm();
            let config = ConvNormConfig { geometry, ..config };
            let mut layer = config.init(device);
            let range = at * width..(at + 1) * width;
            let rows = weight.val().slice_dim(0, range.clone()).detach();
            layer.conv.weight = Param::from_tensor(rows);
            layer.norm = norm.map(|norm| cut(norm, range));
            layer
        };
        let branch = |at: usize| InceptionBranch {
            pointwise: layer(
                [inputs, width],
                Geometry::valid(1),
                &segmented.pointwise.weight,
                segmented.norm_between.as_ref(),
                at,
            ),
            spatial: layer(
                [width, width],
                segmented.geometry,
                &segmented.spatial.weight,
                segmented.norm.as_ref(),
                at,
            ),
            activation: segmented.activation,
        };
        Ok(Self {
            branches: (0..branches).map(branch).collect(),
        })
    }
}

/// Puts the weights of convolutions one after the other along their outputs.
fn join_weights<'a>(layers: impl Iterator<Item = &'a ConvNorm>) -> Param<Tensor<4>> {
    let weights = layers.map(|layer| layer.conv.weight.val());
    Param::from_tensor(Tensor::cat(weights.collect(), 0).detach())
}

/// Puts the normalizations of convolutions one after the other.
fn join_norms<'a>(layers: impl Iterator<Item = &'a ConvNorm>) -> Option<BatchNorm> {
    let norms: Vec<_> = layers.filter_map(|layer| layer.norm.as_ref()).collect();
    join(&norms)
}
