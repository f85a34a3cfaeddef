//! A table of a network's stages: output shapes, parameters, multiply-adds and activation memory.

use std::fmt;

use serde::Serialize;
use xception_messages::grouped;

use crate::layers::Operation;
use crate::{Graph, ModelError, Network, StageKind};

/// The name of the stage of parameters that no layer reports.
const ELSEWHERE: &str = "elsewhere";

/// A network's stages, read off a forward pass of the shape of one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Height and width of the image, in pixels.
    pub image_size: [usize; 2],
    /// Stages from the input to the classifier, and an auxiliary classifier last.
    pub stages: Vec<StageSummary>,
}

/// A stage of a network in a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageSummary {
    /// Name of the stage.
    pub name: String,
    /// Shape of the output for one image: channels, height and width, or the number of classes.
    pub output: Vec<usize>,
    /// Number of trainable parameters.
    pub parameters: u64,
    /// Multiply-adds of convolutions and linear layers for one image.
    pub multiply_adds: u64,
    /// Bytes of the outputs of all operations for one image, at 4 bytes per number: roughly the memory that training
    /// keeps for the backward pass.
    pub activation_bytes: u64,
}

impl StageSummary {
    fn new(name: &str, output: &[usize], operations: &[Operation]) -> Self {
        let sum = |count: fn(&Operation) -> u64| operations.iter().map(count).sum::<u64>();
        Self {
            name: name.to_owned(),
            output: output.to_vec(),
            parameters: sum(|operation| operation.parameters),
            multiply_adds: sum(|operation| operation.multiply_adds),
            activation_bytes: 4 * sum(Operation::outputs),
        }
    }
}

impl Summary {
    /// Passes the shape of one image of this height and width through the network, and reports each stage. Nothing is
    /// computed. Parameters that no layer reports, such as those of an operation given to
    /// [`FeatureMap::map`](crate::layers::FeatureMap::map), are the last stage, `elsewhere`, whose multiply-adds are unknown.
    ///
    /// # Errors
    ///
    /// If the image is too small for the network.
    pub fn new(network: &impl Network, image_size: [usize; 2]) -> Result<Self, ModelError> {
        let graph = Graph::new(network, image_size)?;
        let stages = graph.stages.iter().map(|stage| {
            let [_, sizes @ ..] = stage.shape;
            let output = match stage.kind {
                StageKind::Features => &sizes[..],
                StageKind::Classifier | StageKind::AuxiliaryClassifier => &sizes[..1],
            };
            StageSummary::new(&stage.name, output, graph.operations_of(stage))
        });
        let stages = stages.collect();
        let mut summary = Self { image_size, stages };
        let elsewhere = network.trainable_parameters() as u64;
        let elsewhere = elsewhere.saturating_sub(summary.parameters());
        if elsewhere > 0 {
            summary.stages.push(StageSummary {
                parameters: elsewhere,
                ..StageSummary::new(ELSEWHERE, &[], &[])
            });
        }
        Ok(summary)
    }

    /// Returns the number of trainable parameters of all stages.
    pub fn parameters(&self) -> u64 {
        self.stages.iter().map(|stage| stage.parameters).sum()
    }

    /// Returns whether the layers report all parameters, so that multiply-adds and activations are complete too.
    pub fn is_complete(&self) -> bool {
        self.stages.iter().all(|stage| stage.name != ELSEWHERE)
    }

    /// Returns the multiply-adds of all stages for one image.
    pub fn multiply_adds(&self) -> u64 {
        self.stages.iter().map(|stage| stage.multiply_adds).sum()
    }

    /// Returns the bytes of the outputs of all operations for one image.
    pub fn activation_bytes(&self) -> u64 {
        self.stages.iter().map(|stage| stage.activation_bytes).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let mut row = |cells: [&str; 5]| {
            let [name, output, parameters, multiply_adds, memory] = cells;
            writeln!(
                formatter,
                "{name:<16}  {output:>16}  {parameters:>12}  {multiply_adds:>16}  {memory:>14}"
            )
        };
        row([
            "stage",
            "output",
            "parameters",
            "multiply-adds",
            "activations",
        ])?;
        let [height, width] = self.image_size;
        row(["images", &format!("3 x {height} x {width}"), "", "", ""])?;
        let numbers = |parameters: u64, multiply_adds: u64, bytes: u64| {
            let megabytes = format!("{:.2} MB", bytes as f64 / 1e6);
            (grouped(parameters), grouped(multiply_adds), megabytes)
        };
        for stage in &self.stages {
            let output: Vec<_> = stage.output.iter().map(usize::to_string).collect();
            let (parameters, mut multiply_adds, memory) = numbers(
                stage.parameters,
                stage.multiply_adds,
                stage.activation_bytes,
            );
            if stage.name == ELSEWHERE {
                multiply_adds = "unknown".to_owned();
            }
            row([
                &stage.name,
                &output.join(" x "),
                &parameters,
                &multiply_adds,
                &memory,
            ])?;
        }
        let (parameters, multiply_adds, memory) = numbers(
            self.parameters(),
            self.multiply_adds(),
            self.activation_bytes(),
        );
        row(["total", "", &parameters, &multiply_adds, &memory])
    }
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::prelude::*;

    use super::*;
    use burn::nn::conv::{Conv2d, Conv2dConfig};

    use crate::layers::{
        Activation, Classifier, ClassifierConfig, ConvNorm, ConvNormConfig, Epilogue, FeatureMap,
        Kernels, LayerOptions, Padding, Stem,
    };
    use crate::{InceptionV3Config, MODELS, Model, ModelConfig, Observer, XceptionConfig};

    fn summary(model: &Model, size: usize) -> Summary {
        Summary::new(model, [size, size]).unwrap()
    }

    #[test]
    fn counts_every_parameter_of_every_network() {
        for info in MODELS.iter() {
            let config = info.config().with_width(0.25).with_classes(10);
            let model = config.init(&Device::flex()).unwrap();
            let summary = summary(&model, 96);
            assert_eq!(
                summary.parameters(),
                model.trainable_parameters() as u64,
                "{}",
                info.name
            );
        }
    }

    /// Returns the shapes of the stages, from a forward pass with values.
    fn computed(model: &Model, size: usize) -> Vec<(String, Vec<usize>)> {
        let images = Tensor::zeros([1, 3, size, size], &Device::flex());
        let features = model.forward_features(images);
        let mut shapes = Vec::new();
        for stage in features.stages {
            shapes.push((stage.name, stage.output.dims()[1..].to_vec()));
        }
        let heads = std::iter::once(("classifier", features.logits));
        let auxiliary = features.auxiliary_logits.into_iter();
        for (name, logits) in heads.chain(auxiliary.map(|logits| ("auxiliary", logits))) {
            shapes.push((name.to_owned(), logits.dims()[1..].to_vec()));
        }
        shapes
    }

    #[test]
    fn shapes_are_those_of_a_forward_pass() {
        let mut configs: Vec<ModelConfig> = MODELS.iter().map(|info| info.config()).collect();
        configs.push(ModelConfig::InceptionV3(InceptionV3Config {
            auxiliary: true,
            ..InceptionV3Config::default()
        }));
        configs.push(ModelConfig::Xception(XceptionConfig {
            padding: Padding::Same,
            intermediate_activation: Activation::Elu,
            fully_connected: vec![20, 30],
            ..XceptionConfig::default()
        }));
        for config in configs {
            for (stem, size) in [
                (Stem::Standard, 299),
                (Stem::Standard, 300),
                (Stem::Small, 33),
            ] {
                let config = config.clone().with_width(0.1).with_classes(10);
                let config = config.with_stem(stem);
                let model = config.init(&Device::flex()).unwrap();
                let counted = summary(&model, size);
                assert_eq!(counted.parameters(), model.trainable_parameters() as u64);
                let shapes: Vec<_> = counted
                    .stages
                    .into_iter()
                    .map(|stage| (stage.name, stage.output))
                    .collect();
                assert_eq!(shapes, computed(&model, size), "{config:?} at {size}");
            }
        }
    }

    #[test]
    fn counting_draws_no_weights() {
        #[derive(Default)]
        struct Drawn(usize);

        impl ModuleVisitor for Drawn {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0 += usize::from(D > 1 && param.is_initialized());
            }
        }

        for info in MODELS.iter() {
            let model = info.config().init(&Device::flex()).unwrap();
            let summary = summary(&model, info.image_size);
            assert_eq!(summary.parameters(), model.trainable_parameters() as u64);
            let mut drawn = Drawn::default();
            model.visit(&mut drawn);
            assert_eq!(drawn.0, 0, "{}", info.name);
        }
    }

    /// A network whose second convolution is Burn's own and passes by as an operation.
    #[derive(Module, Debug)]
    struct Mixed {
        known: ConvNorm,
        own: Conv2d,
        classifier: Classifier,
    }

    impl Network for Mixed {
        fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
            let x = self.known.forward(images, Epilogue::relu());
            let x = x.map(|x| self.own.forward(x));
            observe("both", &x);
            x
        }

        fn classifier(&self) -> &Classifier {
            &self.classifier
        }

        fn minimum_size(&self) -> usize {
            3
        }
    }

    #[test]
    fn parameters_that_no_layer_reports_are_counted_all_the_same() {
        let device = Device::flex();
        let options = LayerOptions {
            epsilon: 1e-5,
            kernels: Kernels::Native,
        };
        let mixed = Mixed {
            known: ConvNormConfig::new([3, 8], 3, options).init(&device),
            own: Conv2dConfig::new([8, 16], [1, 1]).init(&device),
            classifier: ClassifierConfig::new(16, 10, Kernels::Native).init(&device),
        };
        let summary = Summary::new(&mixed, [8, 8]).unwrap();
        assert_eq!(summary.parameters(), mixed.trainable_parameters() as u64);
        let last = summary.stages.last().unwrap();
        assert_eq!(
            (last.name.as_str(), last.parameters),
            ("elsewhere", 8 * 16 + 16)
        );
        assert!(summary.to_string().contains("unknown"), "{summary}");
        assert!(!summary.is_complete());
        let images = Tensor::ones([1, 3, 8, 8], &device);
        let expected = mixed.forward(images.clone());
        let difference = (mixed.fuse().forward(images) - expected).abs().max();
        assert!(difference.into_scalar::<f32>() < 1e-5);
    }

    #[test]
    fn counts_xceptions_multiply_adds() {
        // 8.4 G at 299 x 299 pixels, the figure that papers and tools give.
        let model = ModelConfig::named("xception")
            .unwrap()
            .init(&Device::flex())
            .unwrap();
        let summary = summary(&model, 299);
        let giga = summary.multiply_adds() as f64 / 1e9;
        assert!((8.3..8.5).contains(&giga), "{giga}");
        assert_eq!(summary.parameters(), 22_855_952);
        let last = &summary.stages[summary.stages.len() - 2];
        assert_eq!(
            (last.name.as_str(), &last.output[..]),
            ("block14", &[2048, 10, 10][..])
        );
    }

    #[test]
    fn counts_a_convolution_by_hand() {
        let config = ModelConfig::named("xception")
            .unwrap()
            .with_stem(Stem::Small);
        let model = config.init(&Device::flex()).unwrap();
        let stem = &summary(&model, 4).stages[0];
        // Two 3x3 convolutions, 3 -> 32 -> 64, on 4 x 4 pixels; each with normalization and ReLU.
        assert_eq!(stem.multiply_adds, 16 * 9 * (3 * 32 + 32 * 64));
        assert_eq!(stem.parameters, 9 * (3 * 32 + 32 * 64) + 2 * (32 + 64));
        assert_eq!(stem.activation_bytes, 4 * 16 * 3 * (32 + 64));
    }

    #[test]
    fn an_image_that_is_too_small_is_an_error() {
        let model = ModelConfig::named("xception")
            .unwrap()
            .init(&Device::flex())
            .unwrap();
        let error = Summary::new(&model, [299, 2]).unwrap_err();
        assert!(error.to_string().contains("299 x 2"), "{error}");
    }
}
