//! A module that classifies images.

use burn::module::{Module, ModuleDisplay, ParamGroup};
use burn::prelude::*;
use xception_kernels::runs_natively;
use xception_models::{Network, Summary, trainable_parameters};

use crate::TrainError;

/// A Burn module that classifies images, which the laboratory can train.
///
/// Every [`Network`] is one. For a module of your own, implement it directly: only [`forward`](Self::forward) has to
/// be written.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::prelude::*;
/// use xception_train::ImageClassifier;
///
/// /// A linear classifier of the mean color.
/// #[derive(Module, Debug)]
/// struct MeanColor {
///     classifier: Linear,
/// }
///
/// impl ImageClassifier for MeanColor {
///     fn forward(&self, images: Tensor<4>) -> Tensor<2> {
///         let color = images.mean_dim(3).mean_dim(2); // [batch, 3, 1, 1]
///         self.classifier.forward(color.flatten(1, 3))
///     }
/// }
///
/// let device = Device::flex();
/// let network = MeanColor { classifier: LinearConfig::new(3, 10).init(&device) };
/// assert_eq!(network.forward(Tensor::ones([2, 3, 8, 8], &device)).dims(), [2, 10]);
/// assert_eq!(network.parameters(), 3 * 10 + 10);
/// ```
pub trait ImageClassifier: Module + ModuleDisplay {
    /// Turns images into logits.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, classes]`
    fn forward(&self, images: Tensor<4>) -> Tensor<2>;

    /// Turns images into logits and those of each auxiliary classifier, of which only the training loss takes account;
    /// a network without auxiliary classifiers need not implement this.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - each output: `[batch, classes]`
    fn forward_auxiliary(&self, images: Tensor<4>) -> (Tensor<2>, Vec<Tensor<2>>) {
        (self.forward(images), Vec::new())
    }

    /// Returns the forward pass for many images in evaluation mode, prepared once; by default that is
    /// [`forward`](Self::forward).
    fn inference(&self) -> Box<dyn Fn(Tensor<4>) -> Tensor<2> + '_> {
        Box::new(|images| self.forward(images))
    }

    /// Returns the parameters of each stage by the stage's name, from the images to the classifier, whose parameters
    /// are in none. Stages can be frozen or trained at another rate than the classifier; a network without named stages
    /// can't.
    fn stage_parameters(&self) -> Vec<(String, ParamGroup)> {
        Vec::new()
    }

    /// Returns the smallest height and width of an image that the network takes, in pixels.
    fn minimum_size(&self) -> usize {
        1
    }

    /// Returns the operations and activations of a forward pass for one image of this height and width, in pixels;
    /// `None` where they aren't known. Reports then say that the multiply-adds are unknown.
    fn summary(&self, _image_size: [usize; 2]) -> Option<Summary> {
        None
    }

    /// Returns the number of trainable parameters, without running statistics.
    fn parameters(&self) -> u64 {
        trainable_parameters(self) as u64
    }

    /// Checks that images of this height and width, in pixels, are large enough.
    ///
    /// # Errors
    ///
    /// If a side is smaller than [`minimum_size`](Self::minimum_size).
    fn check_size(&self, size: [usize; 2]) -> Result<(), TrainError> {
        let minimum = self.minimum_size();
        if size.iter().all(|&side| side >= minimum) {
            return Ok(());
        }
        Err(TrainError::ImagesTooSmall { size, minimum })
    }
}

impl<N: Network + ModuleDisplay> ImageClassifier for N {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        Network::forward(self, images)
    }

    fn forward_auxiliary(&self, images: Tensor<4>) -> (Tensor<2>, Vec<Tensor<2>>) {
        Network::forward_auxiliary(self, images)
    }

    /// Fuses the network on the devices that have kernels for it.
    fn inference(&self) -> Box<dyn Fn(Tensor<4>) -> Tensor<2> + '_> {
        match self.devices().iter().all(runs_natively) {
            true => {
                let fused = self.fuse();
                Box::new(move |images| Network::forward(&fused, images))
            }
            false => Box::new(|images| Network::forward(self, images)),
        }
    }

    fn stage_parameters(&self) -> Vec<(String, ParamGroup)> {
        Network::stage_parameters(self)
    }

    fn minimum_size(&self) -> usize {
        Network::minimum_size(self)
    }

    /// Returns `None` also where a layer of another crate does not report what it computes: a sum that leaves it out
    /// would be wrong.
    fn summary(&self, image_size: [usize; 2]) -> Option<Summary> {
        let summary = Summary::new(self, image_size).ok()?;
        summary.is_complete().then_some(summary)
    }

    fn check_size(&self, size: [usize; 2]) -> Result<(), TrainError> {
        Ok(Network::check_size(self, size)?)
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::conv::{Conv2d, Conv2dConfig};
    use xception_models::Observer;
    use xception_models::prelude::{Classifier, ClassifierConfig, FeatureMap, Kernels};

    use super::*;
    use crate::network::NetworkSize;

    /// A network whose convolution is Burn's own; `reports` is whether the trace is told of it.
    #[derive(Module, Debug)]
    struct Foreign {
        convolution: Conv2d,
        classifier: Classifier,
        reports: bool,
    }

    impl Network for Foreign {
        fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
            let x = match self.reports {
                true => images.map_module(&self.convolution, 3, |module, x| module.forward(x)),
                false => images.map(|x| self.convolution.forward(x)),
            };
            observe("convolution", &x);
            x
        }

        fn classifier(&self) -> &Classifier {
            &self.classifier
        }

        fn minimum_size(&self) -> usize {
            1
        }
    }

    #[test]
    fn multiply_adds_are_unknown_unless_every_layer_reports() {
        let device = Device::flex();
        for (reports, expected) in [(false, None), (true, Some(4 * 4 * 5 * 3 + 5 * 10))] {
            let network = Foreign {
                convolution: Conv2dConfig::new([3, 5], [1, 1]).init(&device),
                classifier: ClassifierConfig::new(5, 10, Kernels::Native).init(&device),
                reports,
            };
            let size = NetworkSize::of(&network, [4, 4]);
            assert_eq!(size.parameters, 3 * 5 + 5 + 5 * 10 + 10);
            assert_eq!(size.multiply_adds, expected);
        }
    }
}
