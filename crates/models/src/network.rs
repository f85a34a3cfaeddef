//! What every network of this crate can do.

use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::prelude::*;

use crate::{Features, ModelError, Stage};

/// An image classifier made of named stages and a classifier head.
pub trait Network: Module {
    /// Passes images through all stages, up to the last feature map.
    ///
    /// `observe` is called with the name and the output of each stage, in order.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, channels, height_out, width_out]`
    ///
    /// # Panics
    ///
    /// Where the images are smaller than [`minimum_size`](Self::minimum_size).
    fn forward_stages(
        &self,
        images: Tensor<4>,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4>;

    /// Averages the last feature map over its pixels.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, channels, height, width]`
    /// - output: `[batch, channels]`
    fn pool(&self, features: Tensor<4>) -> Tensor<2>;

    /// The classifier: from pooled features to logits.
    ///
    /// # Shapes
    ///
    /// - `pooled`: `[batch, channels]`
    /// - output: `[batch, classes]`
    fn classify(&self, pooled: Tensor<2>) -> Tensor<2>;

    /// The auxiliary classifier, for a network that has one: the name of the stage it takes its
    /// input from, and that stage's output to logits.
    fn auxiliary_stage(&self) -> Option<&'static str> {
        None
    }

    /// The logits of the auxiliary classifier, from the output of
    /// [`auxiliary_stage`](Self::auxiliary_stage).
    fn classify_auxiliary(&self, _stage: Tensor<4>) -> Option<Tensor<2>> {
        None
    }

    /// The parameters and control flags of each stage, in the order of
    /// [`forward_stages`](Self::forward_stages), by the stage's name; those of the classifiers are in
    /// none. Stages without parameters may be left out; a fused network has none at all.
    fn stage_parameters(&self) -> Vec<(String, ParamGroup)> {
        Vec::new()
    }

    /// Number of classes.
    fn classes(&self) -> usize;

    /// The smallest height and width of an image, in pixels, that leaves something at every stage.
    fn minimum_size(&self) -> usize;

    /// Number of trainable parameters: all of [`num_params`](Module::num_params) but the running
    /// statistics of batch normalization.
    fn trainable_parameters(&self) -> usize {
        let mut count = TrainableCount::default();
        self.visit(&mut count);
        count.parameters
    }

    /// Checks that images of this height and width, in pixels, are large enough.
    fn check_size(&self, size: [usize; 2]) -> Result<(), ModelError> {
        let minimum = self.minimum_size();
        if size.iter().all(|&side| side >= minimum) {
            return Ok(());
        }
        Err(ModelError::ImageTooSmall { size, minimum })
    }

    /// From images to logits.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, classes]`
    ///
    /// # Panics
    ///
    /// Where the images are smaller than [`minimum_size`](Self::minimum_size).
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.forward_stages(images, &mut |_, _| ());
        self.classify(self.pool(features))
    }

    /// From images to logits, with the auxiliary classifier's logits where there is one, as
    /// training wants them: without keeping the other stages.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: twice `[batch, classes]`
    fn forward_auxiliary(&self, images: Tensor<4>) -> (Tensor<2>, Option<Tensor<2>>) {
        let wanted = self.auxiliary_stage();
        let mut input = None;
        let features = self.forward_stages(images, &mut |name, output| {
            if wanted == Some(name) {
                input = Some(output.clone());
            }
        });
        let auxiliary = input.and_then(|stage| self.classify_auxiliary(stage));
        (self.classify(self.pool(features)), auxiliary)
    }

    /// From images to everything on the way: each stage, the pooled features and the logits.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    fn forward_features(&self, images: Tensor<4>) -> Features {
        let mut stages = Vec::new();
        let last = self.forward_stages(images, &mut |name, output| {
            stages.push(Stage {
                name: name.to_owned(),
                output: output.clone(),
            });
        });
        let auxiliary_logits = self
            .auxiliary_stage()
            .and_then(|name| stages.iter().find(|stage| stage.name == name))
            .and_then(|stage| self.classify_auxiliary(stage.output.clone()));
        let pooled = self.pool(last);
        Features {
            stages,
            logits: self.classify(pooled.clone()),
            pooled,
            auxiliary_logits,
        }
    }
}

/// Adds up the parameters that a module has outside of running statistics, which Burn's visitors
/// see as parameters too.
#[derive(Default)]
struct TrainableCount {
    in_running_statistic: bool,
    parameters: usize,
}

impl ModuleVisitor for TrainableCount {
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

/// The parameters of a stage that is one module.
pub(crate) fn stage<M: Module>(name: impl Into<String>, module: &M) -> (String, ParamGroup) {
    (name.into(), ParamGroup::ids_from_module(module.clone()))
}
