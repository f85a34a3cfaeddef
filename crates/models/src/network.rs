//! The interface of all networks: from images to stages, pooled features and logits.

use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::prelude::*;

use crate::layers::trace::Trace;
use crate::layers::{Classifier, FeatureMap, global_average_pool};
use crate::{Features, Fused, ModelError, Stage};

/// Callback that receives the name and the output of each stage of a forward pass, in order.
pub type Observer<'a> = &'a mut dyn FnMut(&str, &FeatureMap);

/// An image classifier made of named stages and a classifier head.
///
/// An implementation defines how feature maps pass through its stages, and its heads. The trait derives the rest:
/// logits, features, a [`Summary`](crate::Summary), the parameters of each stage for freezing, and a
/// [fused](Self::fuse) form for inference.
///
/// ```
/// use burn::prelude::*;
/// use xception_models::layers::{
///     Classifier, ClassifierConfig, ConvNorm, ConvNormConfig, Epilogue, FeatureMap, Kernels, LayerOptions,
/// };
/// use xception_models::{Network, Observer, Summary};
///
/// #[derive(Module, Debug)]
/// struct Tiny {
///     conv: ConvNorm,
///     classifier: Classifier,
/// }
///
/// impl Network for Tiny {
///     fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
///         let x = self.conv.forward(images, Epilogue::relu()); // [batch, 8, height / 2, width / 2]
///         observe("stem", &x);
///         x
///     }
///
///     fn classifier(&self) -> &Classifier {
///         &self.classifier
///     }
///
///     fn minimum_size(&self) -> usize {
///         1
///     }
/// }
///
/// let device = Device::flex();
/// let options = LayerOptions { epsilon: 1e-5, kernels: Kernels::Native };
/// let tiny = Tiny {
///     conv: ConvNormConfig::new([3, 8], 3, options).with_padding(1).with_stride(2).init(&device),
///     classifier: ClassifierConfig::new(8, 10, Kernels::Native).init(&device),
/// };
/// let summary = Summary::new(&tiny, [32, 32])?;
/// assert_eq!(summary.parameters(), 8 * 3 * 9 + 2 * 8 + 8 * 10 + 10);
/// let images = Tensor::ones([1, 3, 32, 32], &device);
/// assert_eq!(tiny.fuse().forward(images).dims(), [1, 10]);
/// # Ok::<(), xception_models::ModelError>(())
/// ```
pub trait Network: Module {
    /// Passes images through all stages up to the last feature map, and calls `observe` with the name and output of
    /// each.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, channels, height_out, width_out]`
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap;

    /// Returns the classifier, which turns pooled features into logits.
    fn classifier(&self) -> &Classifier;

    /// Returns the auxiliary classifiers, which training attaches to intermediate stages; none by default.
    fn auxiliary_classifiers(&self) -> Vec<AuxiliaryClassifier<'_>> {
        Vec::new()
    }

    /// Returns the sections that the network's paper divides its stages into, such as Xception's entry, middle and exit flow,
    /// in order; none by default.
    fn sections(&self) -> Vec<Section> {
        Vec::new()
    }

    /// Returns the smallest height and width of an image, in pixels, at which every stage has an output.
    fn minimum_size(&self) -> usize;

    /// Pools the last feature map: takes the mean over its pixels, unless the network overrides this.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, channels, height, width]`
    /// - output: `[batch, channels, 1, 1]`
    fn pool_map(&self, features: FeatureMap) -> FeatureMap {
        global_average_pool(features)
    }

    /// Wraps a tensor for the network's layers: for composed operations, or for fused ones in a fused network.
    ///
    /// # Shapes
    ///
    /// - `tensor`: `[batch, channels, height, width]`
    fn feature_map(&self, tensor: Tensor<4>) -> FeatureMap {
        FeatureMap::composed(tensor)
    }

    /// Returns the number of classes.
    fn classes(&self) -> usize {
        self.classifier().classes()
    }

    /// Returns the number of pooled features, which are the classifier's input.
    fn features(&self) -> usize {
        self.classifier().features()
    }

    /// Passes images through all stages up to the last feature map, and calls `observe` with the name and output of
    /// each.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, channels, height_out, width_out]`
    ///
    /// # Panics
    ///
    /// If the images are smaller than [`minimum_size`](Self::minimum_size).
    fn forward_stages(
        &self,
        images: Tensor<4>,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4> {
        let images = self.feature_map(images);
        let last = self.stages(images, &mut |name, output| {
            observe(name, &output.clone().into_tensor());
        });
        last.into_tensor()
    }

    /// Pools the last feature map.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, channels, height, width]`
    /// - output: `[batch, channels]`
    fn pool(&self, features: Tensor<4>) -> Tensor<2> {
        vector(self.pool_map(self.feature_map(features)))
    }

    /// Turns pooled features into logits.
    ///
    /// # Shapes
    ///
    /// - `pooled`: `[batch, channels]`
    /// - output: `[batch, classes]`
    fn classify(&self, pooled: Tensor<2>) -> Tensor<2> {
        let [batch, channels] = pooled.dims();
        let pooled = self.feature_map(pooled.reshape([batch, channels, 1, 1]));
        vector(self.classifier().forward(pooled))
    }

    /// Turns images into logits.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, classes]`
    ///
    /// # Panics
    ///
    /// If the images are smaller than [`minimum_size`](Self::minimum_size).
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.stages(self.feature_map(images), &mut |_, _| ());
        vector(self.classifier().forward(self.pool_map(features)))
    }

    /// Turns images into pooled features, without running the classifier.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, features]`, see [`features`](Self::features)
    ///
    /// # Panics
    ///
    /// If the images are smaller than [`minimum_size`](Self::minimum_size).
    fn forward_pooled(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.stages(self.feature_map(images), &mut |_, _| ());
        vector(self.pool_map(features))
    }

    /// Turns images into the logits of the classifier and of each auxiliary classifier, as training needs them,
    /// without keeping the other stages.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - each output: `[batch, classes]`
    ///
    /// # Panics
    ///
    /// If the images are smaller than [`minimum_size`](Self::minimum_size).
    fn forward_auxiliary(&self, images: Tensor<4>) -> (Tensor<2>, Vec<Tensor<2>>) {
        let classifiers = self.auxiliary_classifiers();
        let mut auxiliary = Vec::new();
        let features = self.stages(self.feature_map(images), &mut |name, output| {
            for classifier in classifiers.iter().filter(|at| at.stage == name) {
                auxiliary.push(vector(classifier.head.forward(output.clone())));
            }
        });
        let logits = self.classifier().forward(self.pool_map(features));
        (vector(logits), auxiliary)
    }

    /// Turns images into all intermediate results: the output of each stage, the pooled features and the logits.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: see [`Features`]
    ///
    /// # Panics
    ///
    /// If the images are smaller than [`minimum_size`](Self::minimum_size).
    fn forward_features(&self, images: Tensor<4>) -> Features {
        let classifiers = self.auxiliary_classifiers();
        let (mut stages, mut auxiliary_logits) = (Vec::new(), Vec::new());
        let last = self.stages(self.feature_map(images), &mut |name, output| {
            for classifier in classifiers.iter().filter(|at| at.stage == name) {
                auxiliary_logits.push(vector(classifier.head.forward(output.clone())));
            }
            stages.push(Stage {
                name: name.to_owned(),
                output: output.clone().into_tensor(),
            });
        });
        let pooled = self.pool_map(last);
        Features {
            stages,
            logits: vector(self.classifier().forward(pooled.clone())),
            pooled: vector(pooled),
            auxiliary_logits,
        }
    }

    /// Returns the parameters and control flags of each stage that has any, with the stage's name, in the order of
    /// the stages. The classifiers' parameters belong to no stage.
    fn stage_parameters(&self) -> Vec<(String, ParamGroup)> {
        let size = self.minimum_size();
        let trace = Trace::recording(&device_of(self));
        let mut stages = Vec::new();
        let images = FeatureMap::traced([1, 3, size, size], &trace);
        self.stages(images, &mut |name, _| {
            let parameters = trace.take().parameters;
            stages.extend(parameters.map(|parameters| (name.to_owned(), parameters)));
        });
        stages
    }

    /// Returns the number of trainable parameters, which are those of [`num_params`](Module::num_params) without the
    /// running statistics of batch normalization.
    fn trainable_parameters(&self) -> usize {
        trainable_parameters(self)
    }

    /// Prepares the network for inference: a fused copy gives the same outputs up to rounding in less time, without
    /// gradients; see [`Fused`].
    fn fuse(&self) -> Fused<Self> {
        Fused::new(self)
    }

    /// Checks that images of this height and width, in pixels, are large enough.
    ///
    /// # Errors
    ///
    /// If a side is smaller than [`minimum_size`](Self::minimum_size).
    fn check_size(&self, size: [usize; 2]) -> Result<(), ModelError> {
        let minimum = self.minimum_size();
        if size.iter().all(|&side| side >= minimum) {
            return Ok(());
        }
        Err(ModelError::ImageTooSmall { size, minimum })
    }
}

/// A section of a network: stages that its paper gives a common name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Name of the section.
    pub name: &'static str,
    /// Name of its first stage; the last is the one before the next section, or the classifier.
    pub first_stage: String,
}

/// An auxiliary classifier, which takes the output of an intermediate stage and is used in training only.
#[derive(Clone, Copy)]
pub struct AuxiliaryClassifier<'a> {
    /// Name of the stage whose output is the classifier's input.
    pub stage: &'static str,
    /// Layers of the classifier.
    pub head: &'a dyn Head,
}

/// The layers of an auxiliary classifier.
pub trait Head {
    /// Turns a stage's output into logits.
    ///
    /// # Shapes
    ///
    /// - `stage`: `[batch, channels, height, width]`
    /// - output: `[batch, classes, 1, 1]`
    fn forward(&self, stage: FeatureMap) -> FeatureMap;
}

/// Reshapes a map of one pixel into a vector, `[batch, channels]`.
fn vector(map: FeatureMap) -> Tensor<2> {
    let [batch, channels, ..] = map.dims();
    map.into_tensor().reshape([batch, channels])
}

/// Returns the device of a module's first parameter, or the default device.
pub(crate) fn device_of(module: &impl Module) -> Device {
    module.devices().into_iter().next().unwrap_or_default()
}

/// Counts the trainable parameters of any module: all but running statistics, which Burn's visitors see as parameters
/// too.
pub fn trainable_parameters(module: &impl Module) -> usize {
    #[derive(Default)]
    struct Count {
        in_running_statistic: bool,
        parameters: usize,
    }

    impl ModuleVisitor for Count {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.in_running_statistic = matches!(name, "running_mean" | "running_var");
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.in_running_statistic = false;
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !self.in_running_statistic {
                self.parameters += param.lazy_shape().num_elements();
            }
        }
    }

    let mut count = Count::default();
    module.visit(&mut count);
    count.parameters
}
