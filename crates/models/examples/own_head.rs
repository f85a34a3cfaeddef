//! A custom head on a network's pooled features: two linear layers, for a regression.
//!
//! ```text
//! cargo run --release -p xception-models --example own_head
//! ```

use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;
use xception_models::prelude::*;

/// A backbone with the layers of its head.
#[derive(Module, Debug)]
struct AgeEstimator {
    backbone: ResNet,
    hidden: Linear,
    age: Linear,
}

impl AgeEstimator {
    fn new(device: &Device) -> Result<Self, ModelError> {
        // `ResNet::from_pretrained("resnet18.torchvision", device)` would start from weights trained on ImageNet.
        let config = ResNetConfig::new(1).with_depth(ResNetDepth::ResNet18);
        let backbone = config.with_width(0.25).init(device)?;
        Ok(Self {
            hidden: LinearConfig::new(backbone.features(), 32).init(device),
            age: LinearConfig::new(32, 1).init(device),
            backbone,
        })
    }

    /// Estimates ages, `[batch]`, from images, `[batch, 3, height, width]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<1> {
        let features = self.backbone.forward_pooled(images); // [batch, features]
        self.age
            .forward(relu(self.hidden.forward(features)))
            .squeeze_dim(1)
    }
}

fn main() -> Result<(), ModelError> {
    let device = Device::flex();
    let estimator = AgeEstimator::new(&device)?;
    let ages = estimator.forward(Tensor::zeros([2, 3, 96, 96], &device));
    println!(
        "{} features, {} parameters, ages of {:?}",
        estimator.backbone.features(),
        estimator.num_params(),
        ages.dims()
    );
    Ok(())
}
