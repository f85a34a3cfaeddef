//! The workloads to measure: forward passes and training steps on random images.

use anyhow::{Context, Result};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use burn::tensor::Distribution;
use xception::models::{Fused, Model, Network};
use xception::train::config::{DecayedParameters, Optimizer, Precision, Recipe};
use xception::train::training::{ClassificationTask, ImageBatch, ImageTargets};

use super::clock::Stopwatch;

/// Seed of the random weights and images.
pub const BATCH_SEED: u64 = 1;

/// Learning rate of the training steps, small enough that weights stay in their usual range.
const LEARNING_RATE: f64 = 0.001;

/// A workload that can be repeated.
pub enum Workload {
    /// Forward passes in evaluation mode.
    Inference(Box<Inference>),
    /// Forward pass, cross-entropy, backward pass, and a step of SGD with momentum.
    Training(Box<Training>),
}

/// A network in evaluation mode with its images.
pub struct Inference {
    network: Form,
    /// Images, `[batch, 3, height, width]`.
    images: Tensor<4>,
}

/// The form of a network for inference.
#[allow(clippy::large_enum_variant)] // one a program
enum Form {
    /// The form in which it is trained.
    Trainable(Model),
    /// The fused form.
    Fused(Fused<Model>),
}

/// A network in training with images and their classes.
pub struct Training {
    /// Nothing during a step, and after one that failed.
    task: Option<ClassificationTask<Model>>,
    /// With the momentum of the steps before.
    optimizer: ModuleOptimizer,
    batch: ImageBatch,
}

impl Workload {
    /// Makes forward passes of a network on this device, fused or not; a fused one computes in `f32` whatever the precision.
    pub fn inference(
        network: Model,
        fused: bool,
        precision: Precision,
        batch: usize,
        size: usize,
        device: &Device,
    ) -> Self {
        Self::Inference(Box::new(Inference {
            network: match fused {
                true => Form::Fused(network.fuse()),
                false => Form::Trainable(network),
            },
            images: precision.apply(random_images(batch, size, device)),
        }))
    }

    /// Makes training steps of a network on this device, on which autodiff is turned on.
    pub fn training(
        network: Model,
        precision: Precision,
        batch: usize,
        size: usize,
        device: &Device,
    ) -> Self {
        let device = device.clone().autodiff();
        let classes = network.classes() as i64;
        let labels: Vec<i64> = (0..batch as i64).map(|image| image % classes).collect();
        let optimizer = Optimizer::Sgd {
            momentum: 0.9,
            nesterov: false,
            weight_decay: 0.0,
            weight_decay_on: DecayedParameters::All,
        };
        let recipe = Recipe {
            precision,
            ..Recipe::default()
        };
        Self::Training(Box::new(Training {
            task: Some(ClassificationTask::new(network.train(), &recipe)),
            optimizer: optimizer.init(),
            batch: ImageBatch {
                images: random_images(batch, size, &device),
                targets: ImageTargets::Classes(Tensor::from_data(
                    TensorData::new(labels, [batch]),
                    &device,
                )),
                mixture: None,
            },
        }))
    }

    fn device(&self) -> Device {
        match self {
            Self::Inference(inference) => inference.images.device(),
            Self::Training(training) => training.batch.images.device(),
        }
    }

    /// Runs the workload once, and returns the seconds it took.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn time(&mut self) -> Result<f64> {
        let device = self.device();
        let mut stopwatch = Stopwatch::start(&device)?;
        match self {
            Self::Inference(inference) => inference.pass(),
            Self::Training(training) => training.step(&mut |_| Ok(()))?,
        }
        stopwatch.lap()
    }

    /// Runs the workload once, waiting for the device after each part, and returns the parts' names and seconds.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn time_parts(&mut self) -> Result<Vec<(String, f64)>> {
        let device = self.device();
        let mut stopwatch = Stopwatch::start(&device)?;
        let mut parts = Vec::new();
        let mut finished = |name: &str| -> Result<()> {
            parts.push((name.to_owned(), stopwatch.lap()?));
            Ok(())
        };
        match self {
            Self::Inference(inference) => inference.pass_by_stage(&mut finished)?,
            Self::Training(training) => training.step(&mut finished)?,
        }
        Ok(parts)
    }
}

/// Callback that receives the name of each part once it has been submitted to the device.
type Finished<'a> = &'a mut dyn FnMut(&str) -> Result<()>;

impl Inference {
    fn pass(&self) {
        match &self.network {
            Form::Trainable(network) => drop(network.forward(self.images.clone())),
            Form::Fused(network) => drop(network.forward(self.images.clone())),
        }
    }

    fn pass_by_stage(&self, finished: Finished) -> Result<()> {
        match &self.network {
            Form::Trainable(network) => by_stage(network, self.images.clone(), finished),
            Form::Fused(network) => by_stage(network, self.images.clone(), finished),
        }
    }
}

fn by_stage(network: &impl Network, images: Tensor<4>, finished: Finished) -> Result<()> {
    let mut result = Ok(());
    let features = network.forward_stages(images, &mut |name, _| {
        if result.is_ok() {
            result = finished(name);
        }
    });
    result?;
    drop(network.classify(network.pool(features)));
    finished("classifier")
}

impl Training {
    fn step(&mut self, finished: Finished) -> Result<()> {
        let task = self.task.take().context("a training step has failed")?;
        let (loss, _) = task.forward_loss(self.batch.clone());
        finished("forward")?;
        let gradients = GradientsParams::from_grads(loss.backward(), &task);
        finished("backward")?;
        self.task = Some(self.optimizer.step(LEARNING_RATE, task, gradients));
        finished("optimizer")
    }
}

fn random_images(batch: usize, size: usize, device: &Device) -> Tensor<4> {
    device.seed(BATCH_SEED);
    Tensor::random(
        [batch, 3, size, size],
        Distribution::Normal(0.0, 1.0),
        device,
    )
}
