//! The networks by name.

use std::borrow::Cow;
use std::fmt;

use burn::config::Config;
use burn::module::{Module, ParamGroup};
use burn::prelude::*;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::layers::{Kernels, Stem};
use crate::{
    InceptionV3, InceptionV3Config, ModelError, Network, ResNet, ResNetConfig, ResNetDepth,
    Xception, XceptionConfig,
};

/// A network that can be made by its name.
#[derive(Debug, Clone, Copy)]
pub struct ModelInfo {
    /// The name, as the program and the configuration files use it.
    pub name: &'static str,
    /// The paper.
    pub paper: &'static str,
    /// Height and width of the images it was published for, in pixels.
    pub image_size: usize,
    configuration: fn() -> ModelConfig,
}

impl ModelInfo {
    /// The published configuration, with 1000 classes.
    pub fn config(&self) -> ModelConfig {
        (self.configuration)()
    }
}

const RESNET_PAPER: &str = "K. He et al., Deep Residual Learning, CVPR 2016";

const fn resnet(name: &'static str, configuration: fn() -> ModelConfig) -> ModelInfo {
    ModelInfo {
        name,
        paper: RESNET_PAPER,
        image_size: 224,
        configuration,
    }
}

/// All networks, with the configuration that their papers publish.
pub const MODELS: &[ModelInfo] = &[
    ModelInfo {
        name: "xception",
        paper: "F. Chollet, Xception, CVPR 2017",
        image_size: 299,
        configuration: || ModelConfig::Xception(XceptionConfig::default()),
    },
    ModelInfo {
        name: "inception_v3",
        paper: "C. Szegedy et al., Rethinking the Inception Architecture, CVPR 2016",
        image_size: 299,
        configuration: || ModelConfig::InceptionV3(InceptionV3Config::default()),
    },
    resnet("resnet18", || resnet_config(ResNetDepth::ResNet18)),
    resnet("resnet34", || resnet_config(ResNetDepth::ResNet34)),
    resnet("resnet50", || resnet_config(ResNetDepth::ResNet50)),
    resnet("resnet101", || resnet_config(ResNetDepth::ResNet101)),
    resnet("resnet152", || resnet_config(ResNetDepth::ResNet152)),
];

fn resnet_config(depth: ResNetDepth) -> ModelConfig {
    ModelConfig::ResNet(ResNetConfig {
        depth,
        ..ResNetConfig::default()
    })
}

/// Configuration of any network.
///
/// In JSON either a registered name, `"resnet50"`, or a family with options,
/// `{"xception": {"width": 0.5}}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelConfig {
    /// Xception.
    Xception(XceptionConfig),
    /// Inception V3.
    InceptionV3(InceptionV3Config),
    /// ResNet of any depth.
    #[serde(rename = "resnet")]
    ResNet(ResNetConfig),
}

impl Config for ModelConfig {}

impl ModelConfig {
    /// The published configuration of a registered network, with 1000 classes.
    ///
    /// # Errors
    ///
    /// Where there is no network of this name.
    pub fn named(name: &str) -> Result<Self, ModelError> {
        if let Some(info) = MODELS.iter().find(|info| info.name == name) {
            return Ok(info.config());
        }
        let names = MODELS.iter().map(|info| info.name);
        let nearest = names
            .clone()
            .map(|known| (strsim::jaro_winkler(known, name), known))
            .filter(|(similarity, _)| *similarity > 0.7)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, known)| known.to_owned());
        Err(ModelError::UnknownModel {
            name: name.to_owned(),
            nearest,
            known: names.collect::<Vec<_>>().join(", "),
        })
    }

    /// The name of the network, such as `xception` or `resnet50`.
    pub fn name(&self) -> String {
        match self {
            Self::Xception(_) => "xception".to_owned(),
            Self::InceptionV3(_) => "inception_v3".to_owned(),
            Self::ResNet(config) => format!("resnet{}", config.depth.layers()),
        }
    }

    /// The key of its options, such as `xception` or `resnet`.
    pub fn family(&self) -> &'static str {
        match self {
            Self::Xception(_) => "xception",
            Self::InceptionV3(_) => "inception_v3",
            Self::ResNet(_) => "resnet",
        }
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        match self {
            Self::Xception(config) => config.check(),
            Self::InceptionV3(config) => config.check(),
            Self::ResNet(config) => config.check(),
        }
    }

    /// With this number of classes.
    pub fn with_classes(mut self, classes: usize) -> Self {
        *self.classes_mut() = classes;
        self
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Self::Xception(config) => config.classes,
            Self::InceptionV3(config) => config.classes,
            Self::ResNet(config) => config.classes,
        }
    }

    fn classes_mut(&mut self) -> &mut usize {
        match self {
            Self::Xception(config) => &mut config.classes,
            Self::InceptionV3(config) => &mut config.classes,
            Self::ResNet(config) => &mut config.classes,
        }
    }

    /// With this stem.
    pub fn with_stem(mut self, stem: Stem) -> Self {
        match &mut self {
            Self::Xception(config) => config.stem = stem,
            Self::InceptionV3(config) => config.stem = stem,
            Self::ResNet(config) => config.stem = stem,
        }
        self
    }

    /// The stem.
    pub fn stem(&self) -> Stem {
        match self {
            Self::Xception(config) => config.stem,
            Self::InceptionV3(config) => config.stem,
            Self::ResNet(config) => config.stem,
        }
    }

    /// With this factor on the channels of every layer.
    pub fn with_width(mut self, width: f64) -> Self {
        match &mut self {
            Self::Xception(config) => config.width = width,
            Self::InceptionV3(config) => config.width = width,
            Self::ResNet(config) => config.width = width,
        }
        self
    }

    /// Height and width of the images it is for, in pixels: the published ones, or CIFAR's for the small
    /// stem.
    pub fn image_size(&self) -> usize {
        let name = self.name();
        let published = MODELS.iter().find(|info| info.name == name);
        match (self.stem(), published) {
            (Stem::Standard, Some(info)) => info.image_size,
            _ => 32,
        }
    }

    /// With these operations in the layers.
    pub fn with_kernels(mut self, kernels: Kernels) -> Self {
        match &mut self {
            Self::Xception(config) => config.kernels = kernels,
            Self::InceptionV3(config) => config.kernels = kernels,
            Self::ResNet(config) => config.kernels = kernels,
        }
        self
    }

    /// Whose operations the layers run.
    pub fn kernels(&self) -> Kernels {
        match self {
            Self::Xception(config) => config.kernels,
            Self::InceptionV3(config) => config.kernels,
            Self::ResNet(config) => config.kernels,
        }
    }

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// Where an option is out of its range.
    pub fn init(&self, device: &Device) -> Result<Model, ModelError> {
        Ok(match self {
            Self::Xception(config) => Model::Xception(config.init(device)?),
            Self::InceptionV3(config) => Model::InceptionV3(config.init(device)?),
            Self::ResNet(config) => Model::ResNet(config.init(device)?),
        })
    }
}

/// The form with options, which derives its reader; a name is read by hand.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline, description = "A family of networks with its options.")]
enum WithOptions {
    Xception(XceptionConfig),
    InceptionV3(InceptionV3Config),
    #[serde(rename = "resnet")]
    ResNet(ResNetConfig),
}

impl From<WithOptions> for ModelConfig {
    fn from(config: WithOptions) -> Self {
        match config {
            WithOptions::Xception(config) => Self::Xception(config),
            WithOptions::InceptionV3(config) => Self::InceptionV3(config),
            WithOptions::ResNet(config) => Self::ResNet(config),
        }
    }
}

impl<'de> Deserialize<'de> for ModelConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrOptions;

        impl<'de> Visitor<'de> for NameOrOptions {
            type Value = ModelConfig;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("the name of a model, or a family with its options")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<ModelConfig, E> {
                ModelConfig::named(name).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ModelConfig, A::Error> {
                if map.size_hint() == Some(0) {
                    return Err(serde::de::Error::custom(
                        "names no model: give a name, such as \"xception\", or a family with its options, such \
                         as {\"xception\": {}}",
                    ));
                }
                let config = WithOptions::deserialize(MapAccessDeserializer::new(&mut map))?;
                let config = ModelConfig::from(config);
                match map.next_key::<String>()? {
                    None => Ok(config),
                    Some(other) => Err(serde::de::Error::custom(format!(
                        "there are two models, `{}` and `{other}`: give one of them",
                        config.family()
                    ))),
                }
            }
        }

        deserializer.deserialize_any(NameOrOptions)
    }
}

impl JsonSchema for ModelConfig {
    fn schema_name() -> Cow<'static, str> {
        "ModelConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = MODELS.iter().map(|info| {
            let ModelInfo {
                name,
                paper,
                image_size: size,
                ..
            } = info;
            let description =
                format!("As published, for images of {size} x {size} pixels: {paper}.");
            json_schema!({"type": "string", "const": name, "description": description})
        });
        let names: Vec<_> = names.collect();
        let options = generator.subschema_for::<WithOptions>();
        json_schema!({"anyOf": [{"oneOf": names}, options]})
    }
}

/// Any network.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // one a program, and Burn's derive wants the module itself
pub enum Model {
    /// Xception.
    Xception(Xception),
    /// Inception V3.
    InceptionV3(InceptionV3),
    /// ResNet of any depth.
    ResNet(ResNet),
}

/// Calls a method of the network inside.
macro_rules! each {
    ($model:expr, $network:ident => $call:expr) => {
        match $model {
            Model::Xception($network) => $call,
            Model::InceptionV3($network) => $call,
            Model::ResNet($network) => $call,
        }
    };
}

impl Network for Model {
    fn forward_stages(
        &self,
        images: Tensor<4>,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4> {
        each!(self, network => network.forward_stages(images, observe))
    }

    fn pool(&self, features: Tensor<4>) -> Tensor<2> {
        each!(self, network => network.pool(features))
    }

    fn classify(&self, pooled: Tensor<2>) -> Tensor<2> {
        each!(self, network => network.classify(pooled))
    }

    fn stage_parameters(&self) -> Vec<(String, ParamGroup)> {
        each!(self, network => network.stage_parameters())
    }

    fn auxiliary_stage(&self) -> Option<&'static str> {
        each!(self, network => network.auxiliary_stage())
    }

    fn classify_auxiliary(&self, stage: Tensor<4>) -> Option<Tensor<2>> {
        each!(self, network => network.classify_auxiliary(stage))
    }

    fn classes(&self) -> usize {
        each!(self, network => network.classes())
    }

    fn minimum_size(&self) -> usize {
        each!(self, network => network.minimum_size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_name_gives_its_network_back() {
        for info in MODELS {
            let config = ModelConfig::named(info.name).unwrap();
            assert_eq!(config.name(), info.name);
            let text = serde_json::to_string(&config).unwrap();
            let read: ModelConfig = serde_json::from_str(&text).unwrap();
            assert_eq!(read, config, "{text}");
            let read: ModelConfig = serde_json::from_str(&format!("\"{}\"", info.name)).unwrap();
            assert_eq!(read, config);
        }
    }

    #[test]
    fn published_weights_are_of_registered_networks() {
        for entry in crate::pretrained::WEIGHTS {
            let info = MODELS.iter().find(|info| info.name == entry.model);
            let size = info.map(|info| info.image_size);
            assert_eq!(
                size,
                Some(entry.preset.preprocessing().size[0]),
                "{}",
                entry.name
            );
        }
    }

    #[test]
    fn a_wrong_name_gets_the_nearest() {
        let error = ModelConfig::named("inceptionv3").unwrap_err().to_string();
        assert!(error.contains("did you mean `inception_v3`?"), "{error}");
        let error = ModelConfig::named("zzz").unwrap_err().to_string();
        assert!(
            error.contains("resnet152") && !error.contains("did you mean"),
            "{error}"
        );
    }

    #[test]
    fn options_that_do_not_exist_are_errors() {
        let error = serde_json::from_str::<ModelConfig>(r#"{"xception": {"widht": 1}}"#);
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("widht") && error.contains("`width`"),
            "{error}"
        );
    }

    #[test]
    fn no_model_is_an_error() {
        let error = serde_json::from_value::<ModelConfig>(serde_json::json!({})).unwrap_err();
        assert!(error.to_string().contains("names no model"), "{error}");
    }

    #[test]
    fn two_models_in_one_are_an_error() {
        let text = r#"{"xception": {}, "resnet": {"depth": 18}}"#;
        let error = serde_json::from_str::<ModelConfig>(text)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("two models, `xception` and `resnet`"),
            "{error}"
        );
    }

    #[test]
    fn stages_and_classifiers_have_all_parameters() {
        for info in MODELS {
            let config = info.config().with_width(0.1).with_classes(10);
            let model = config.init(&Device::flex()).unwrap();
            let images = Tensor::zeros([1, 3, 96, 96], &Device::flex());
            let stages = model.forward_features(images).stages;
            let names: Vec<_> = stages.iter().map(|stage| stage.name.as_str()).collect();
            let mut frozen = model.clone().train();
            for (name, group) in model.stage_parameters() {
                assert!(names.contains(&name.as_str()), "{}: {name}", info.name);
                frozen = frozen.freeze_group(group);
            }
            assert_eq!(
                names.len() - model.stage_parameters().len(),
                pools(info.name)
            );
            let trainable = Trainable::count(&frozen);
            assert_eq!(trainable, classifier(&model), "{}", info.name);
        }
    }

    /// Stages without parameters.
    fn pools(name: &str) -> usize {
        if name == "inception_v3" { 2 } else { 0 }
    }

    fn classifier(model: &Model) -> usize {
        match model {
            Model::Xception(network) => network.classifier.num_params(),
            Model::InceptionV3(network) => network.classifier.num_params(),
            Model::ResNet(network) => network.classifier.num_params(),
        }
    }

    /// Counts what would be trained.
    #[derive(Default)]
    struct Trainable(usize);

    impl Trainable {
        fn count(model: &Model) -> usize {
            let mut count = Self::default();
            let device = Device::flex().autodiff();
            model.clone().fork(&device).train().visit(&mut count);
            count.0
        }
    }

    impl burn::module::ModuleVisitor for Trainable {
        fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
            if param.val().is_require_grad() {
                self.0 += param.val().shape().num_elements();
            }
        }
    }
}
