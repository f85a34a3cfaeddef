//! An ablation of a network of your own: a Burn module, its configuration, and `own_network.json` with what to compare.
//!
//! ```text
//! cargo run --release --example own_network
//! cargo run --release --example own_network -- runs/longer recipe.epochs=20
//! ```
//!
//! The first argument is the folder of the results, every other one changes a value of the base. Stopped and started
//! again with the same arguments, the ablation goes on from its last checkpoint.

use std::path::{Path, PathBuf};

use anyhow::Context;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::prelude::*;
use burn::tensor::activation::{gelu, relu};
use serde::{Deserialize, Serialize};
use xception::train::data::{BatchPlan, Batches};
use xception::train::prelude::*;
use xception::train::training::ImageBatch;

/// Four convolutions, the first three at half the height and width of the one before, and a linear classifier.
#[derive(Module, Debug)]
struct PlainNet {
    layers: Vec<Layer>,
    classifier: Linear,
}

/// A convolution, perhaps with normalization, and an activation.
#[derive(Module, Debug)]
struct Layer {
    convolution: Conv2d,
    normalization: Option<BatchNorm>,
    #[module(skip)]
    activation: Activation,
}

impl Layer {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut x = self.convolution.forward(x);
        if let Some(normalization) = &self.normalization {
            x = normalization.forward(x);
        }
        match self.activation {
            Activation::Relu => relu(x),
            Activation::Gelu => gelu(x),
        }
    }
}

impl ImageClassifier for PlainNet {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.layers.iter().fold(images, |x, layer| layer.forward(x)); // [batch, channels, 4, 4]
        let pooled = x.mean_dim(3).mean_dim(2).flatten(1, 3); // [batch, channels]
        self.classifier.forward(pooled)
    }
}

/// What stands under `"model"` in the JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PlainNetConfig {
    /// Channels of the first layer; every other one has twice those of the one before.
    channels: usize,
    normalization: bool,
    activation: Activation,
    /// Filled in from the data.
    classes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Activation {
    Relu,
    Gelu,
}

impl Default for PlainNetConfig {
    fn default() -> Self {
        Self {
            channels: 16,
            normalization: true,
            activation: Activation::Relu,
            classes: 10,
        }
    }
}

impl NetworkConfig for PlainNetConfig {
    type Network = PlainNet;

    fn name(&self) -> String {
        "plain".to_owned()
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn with_classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    fn check(&self) -> Result<(), ModelError> {
        const CHANNELS: Bounds = Bounds::at_least(1.0).at_most(1024.0);
        if CHANNELS.contains_count(self.channels) {
            return Ok(());
        }
        Err(ModelError::OutOfRange {
            option: "channels",
            found: self.channels.to_string(),
            expected: CHANNELS.to_string(),
        })
    }

    fn init(&self, device: &Device) -> Result<PlainNet, BoxedError> {
        let mut layers = Vec::new();
        let mut channels = 3;
        for index in 0..4 {
            let (input, output) = (channels, self.channels << index);
            let stride = if index < 3 { 2 } else { 1 };
            layers.push(Layer {
                convolution: Conv2dConfig::new([input, output], [3, 3])
                    .with_stride([stride, stride])
                    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                    .init(device),
                normalization: self
                    .normalization
                    .then(|| BatchNormConfig::new(output).init(device)),
                activation: self.activation,
            });
            channels = output;
        }
        Ok(PlainNet {
            layers,
            classifier: LinearConfig::new(channels, self.classes).init(device),
        })
    }
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().unwrap_or("runs/own_network".to_owned()));
    let changes = arguments.map(|argument| argument.parse().map_err(anyhow::Error::msg));
    let changes = changes.collect::<anyhow::Result<Vec<_>>>()?;

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/own_network.json");
    let config = AblationConfig::<PlainNetConfig>::read(&file, &changes)?;
    let device = Device::flex();
    let plan = Plan::new(config, &device)?;
    println!("{plan}");
    let execution = Execution {
        command: "cargo run --release --example own_network".to_owned(),
        ..Execution::new(&device, "flex")
    };
    let record = execution.run(&plan, &out)?.record;

    println!("\n{}\n", report::table(&record));
    println!("{}\n", report::claims(&record));
    println!("report: {}", out.join("report.html").display());

    // A trained network is read back with its configuration and the names of its classes.
    let run = plan.run_folder(&out, &plan.variants[0].variant, plan.config.seeds[0]);
    let trained = PlainNetConfig::load(&RunFolder::trained_network(&run)?, &device)?;
    let data = &plan.variants[0].data;
    let first = Batches::new(data.test.clone(), BatchPlan::test(1, data.normalization))?.next();
    let first = first.context("the data has no test image")??;
    let label = data.test.labels(first.indices[0] as usize)[0];
    let label = &data.classes[label as usize];
    let image = ImageBatch::new(first, data.test.size(), &device).images;
    let class = trained
        .network
        .forward(image)
        .argmax(1)
        .into_scalar::<i64>() as usize;
    let name = trained.labels.as_ref().and_then(|names| names.name(class));
    let name = name.context("the network has no names of classes")?;
    println!("the first test image is of class {label}, and the network says {name}");
    Ok(())
}
