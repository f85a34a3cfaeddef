//! Stacks of separable modules, whose order of parts only decides where a module begins.

use burn::module::Module;
use xception_kernels::Activation;

use super::SpectrumError;
use crate::layers::{
    ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, Order, SegmentedConvNorm,
    SegmentedConvNormConfig, Segments,
};

/// Modules in a row, each followed by an activation.
///
/// F. Chollet, *Xception*, 2017, section 2: the order of the two parts of a separable convolution is unimportant in a stack.
/// [`depthwise_first`](Self::depthwise_first) makes this exact. A stack `P D, P D, P D` of pointwise (P) and spatial (D)
/// convolutions is also `P`, then the stack `D P, D P`, then `D`. What was after a module is between the parts of the
/// regrouped ones, and what was between the parts is after these.
#[derive(Module, Debug)]
pub struct SeparableStack {
    /// A pointwise convolution before the modules.
    pub leading: Option<ConvNorm>,
    /// The modules.
    pub modules: Vec<SegmentedConvNorm>,
    /// A spatial convolution after the modules.
    pub trailing: Option<ConvNorm>,
    /// The activation after the leading convolution and after each module.
    #[module(skip)]
    pub activation: Activation,
    /// The activation after the trailing convolution.
    #[module(skip)]
    pub trailing_activation: Activation,
}

impl SeparableStack {
    /// Makes a stack of modules, each followed by this activation.
    pub fn new(modules: Vec<SegmentedConvNorm>, activation: Activation) -> Self {
        Self {
            leading: None,
            modules,
            trailing: None,
            activation,
            trailing_activation: Activation::None,
        }
    }

    /// Computes all convolutions, from the first to the last.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height_out, width_out]`
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let after = || Epilogue::from(self.activation);
        let mut x = input;
        if let Some(leading) = &self.leading {
            x = leading.forward(x, after());
        }
        for module in &self.modules {
            x = module.forward(x, after());
        }
        match &self.trailing {
            Some(trailing) => trailing.forward(x, Epilogue::from(self.trailing_activation)),
            None => x,
        }
    }

    /// Returns the stack regrouped so that each module begins with the spatial convolution. It has the same weights and
    /// computes the same, in the same operations.
    ///
    /// # Errors
    ///
    /// If the stack is empty, a module does not begin with the pointwise convolution or begins with ReLU, or the activations
    /// between the parts differ from module to module.
    pub fn depthwise_first(&self) -> Result<Self, SpectrumError> {
        let (Some(first), Some(last)) = (self.modules.first(), self.modules.last()) else {
            return Err(SpectrumError::Empty);
        };
        for (index, module) in self.modules.iter().enumerate() {
            check(index, module, first)?;
        }
        let pairs = self.modules.iter().zip(&self.modules[1..]);
        Ok(Self {
            leading: Some(pointwise(first)),
            modules: pairs
                .map(|(before, after)| self.regrouped(before, after))
                .collect(),
            trailing: Some(spatial(last)),
            activation: first.activation,
            trailing_activation: self.activation,
        })
    }

    /// Returns the spatial convolution of a module and the pointwise convolution of the next as one module.
    fn regrouped(
        &self,
        before: &SegmentedConvNorm,
        after: &SegmentedConvNorm,
    ) -> SegmentedConvNorm {
        let [channels_in, ..] = before.spatial.weight.dims();
        let [channels_out, ..] = after.pointwise.weight.dims();
        let segments = Segments::Number(before.spatial.groups);
        let device = before.spatial.weight.device();
        let config = SegmentedConvNormConfig {
            order: Order::DepthwiseFirst,
            ..SegmentedConvNormConfig::separable([channels_in, channels_out], 1, options(before))
        };
        let config = config
            .with_segments(segments)
            .with_geometry(before.geometry)
            .with_activation(self.activation);
        let mut module = config.init(&device);
        module.spatial = before.spatial.clone();
        module.norm_between = before.norm.clone();
        module.pointwise = after.pointwise.clone();
        module.norm = after.norm_between.clone();
        module
    }
}

/// Checks that a module can be regrouped like the first.
fn check(
    index: usize,
    module: &SegmentedConvNorm,
    first: &SegmentedConvNorm,
) -> Result<(), SpectrumError> {
    if module.order != Order::PointwiseFirst {
        return Err(SpectrumError::Order {
            index,
            expected: Order::PointwiseFirst,
            found: module.order,
        });
    }
    if module.input_relu {
        return Err(SpectrumError::InputRelu { index });
    }
    if module.activation != first.activation {
        let what = "the activation between its parts";
        return Err(SpectrumError::Mixed { index, what });
    }
    Ok(())
}

/// Returns the pointwise part of a module with what follows it.
fn pointwise(module: &SegmentedConvNorm) -> ConvNorm {
    let config = ConvNormConfig::new([1, 1], 1, options(module)).without_norm();
    let mut layer = config.init(&module.pointwise.weight.device());
    layer.conv = module.pointwise.clone();
    layer.norm = module.norm_between.clone();
    layer
}

/// Returns the spatial part of a module with what follows it.
fn spatial(module: &SegmentedConvNorm) -> ConvNorm {
    let config = ConvNormConfig::new([1, 1], 1, options(module)).without_norm();
    let mut layer = config.init(&module.spatial.weight.device());
    layer.conv = module.spatial.clone();
    layer.norm = module.norm.clone();
    layer.geometry = module.geometry;
    layer
}

/// Returns the options of a module's layers. Its normalizations, which have the epsilon, are kept.
fn options(module: &SegmentedConvNorm) -> LayerOptions {
    LayerOptions {
        epsilon: 1e-5,
        kernels: module.kernels,
    }
}
