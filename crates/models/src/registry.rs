//! The registry of networks by name, and the enums over all families of networks.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use burn::config::Config;
use burn::module::Module;
use burn::prelude::*;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use xception_messages::nearest;

use crate::layers::{Classifier, FeatureMap, Kernels, Stem};
#[cfg(feature = "weights")]
use crate::preprocessing::Preprocessing;
#[cfg(feature = "pretrained")]
use crate::pretrained::{self, PretrainedError, PretrainedWeights};
#[cfg(feature = "weights")]
use crate::weights::family::{FamilyWeights, KerasLayers};
#[cfg(feature = "weights")]
use crate::weights::layer::{Layer, Part};
#[cfg(feature = "weights")]
use crate::weights::{NamedTensors, Source};
use crate::{
    AuxiliaryClassifier, InceptionV3, InceptionV3Config, MobileNetV1, MobileNetV1Config,
    ModelError, Network, Observer, ResNet, ResNetConfig, Xception, XceptionConfig, inception_v3,
    mobilenet_v1, resnet, xception,
};

/// A registered network, which can be made by its name.
#[derive(Debug, Clone, Copy)]
pub struct ModelInfo {
    /// Name of the network in the program and the configuration files.
    pub name: &'static str,
    /// Paper that describes the network.
    pub paper: &'static str,
    /// Height and width of the images that it was published for, in pixels.
    pub image_size: usize,
    pub(crate) configuration: fn() -> ModelConfig,
}

impl ModelInfo {
    /// Returns the published configuration, with 1000 classes.
    pub fn config(&self) -> ModelConfig {
        (self.configuration)()
    }
}

/// Defines the enums over all families, and their shared methods, from one line per family: its name in Rust and in
/// JSON, its configuration, its network and its module.
macro_rules! families {
    ($($(#[$doc:meta])* $family:ident($config:ty, $network:ty) $name:literal $folder:ident;)+) => {
        /// All registered networks, each with the configuration that its paper publishes.
        pub static MODELS: LazyLock<Vec<ModelInfo>> =
            LazyLock::new(|| [$(&$folder::PUBLISHED[..]),+].concat());

        /// Lists the published weights of all families.
        #[cfg(feature = "pretrained")]
        pub(crate) fn published_weights() -> Vec<PretrainedWeights> {
            [$($folder::published::WEIGHTS),+].concat()
        }

        /// Configuration of any network.
        ///
        /// In JSON either a registered name, `"resnet50"`, or a family with options,
        /// `{"xception": {"width": 0.5}}`.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub enum ModelConfig {
            $($(#[$doc])* #[serde(rename = $name)] $family($config),)+
        }

        /// Form with options, whose reader is derived; a name is read by hand.
        #[derive(Deserialize, JsonSchema)]
        #[schemars(inline, description = "A family of networks with its options.")]
        enum WithOptions {
            $(#[serde(rename = $name)] $family($config),)+
        }

        impl From<WithOptions> for ModelConfig {
            fn from(config: WithOptions) -> Self {
                match config {
                    $(WithOptions::$family(config) => Self::$family(config),)+
                }
            }
        }

        /// A network of any family.
        #[derive(Module, Debug)]
        #[allow(clippy::large_enum_variant)] // a program has one, and Burn's derive wants the module itself
        pub enum Model {
            $($(#[$doc])* $family($network),)+
        }

        impl Model {
            /// Prefix that each variant puts before the paths of its parameters.
            #[cfg(feature = "weights")]
            pub(crate) const VARIANTS: &'static [&'static str] =
                &[$(concat!(stringify!($family), ".")),+];
        }

        $(
            #[cfg(feature = "pretrained")]
            impl $network {
                /// Downloads published weights by their name, unless they are in the cache, and loads the network.
                /// [`pretrained::load`](crate::pretrained::load) also returns the preprocessing that its images need.
                ///
                /// # Errors
                ///
                /// As [`pretrained::load`](crate::pretrained::load), or if the weights belong to another network.
                pub fn from_pretrained(weights: &str, device: &Device) -> Result<Self, PretrainedError> {
                    match pretrained::load(weights, device)?.model {
                        Model::$family(network) => Ok(network),
                        _ => Err(PretrainedError::OtherNetwork {
                            name: weights.to_owned(),
                            expected: $name,
                        }),
                    }
                }
            }
        )+

        impl ModelConfig {
            /// The keys of the families' options.
            pub const FAMILIES: &'static [&'static str] = &[$($name),+];
        }

        /// Evaluates an expression on the configuration inside.
        macro_rules! each_config {
            ($any:expr, $inner:ident => $call:expr) => {
                match $any { $(ModelConfig::$family($inner) => $call,)+ }
            };
        }

        /// Evaluates an expression on the network inside.
        macro_rules! each_network {
            ($any:expr, $inner:ident => $call:expr) => {
                match $any { $(Model::$family($inner) => $call,)+ }
            };
        }

        /// Each family's knowledge of published weights; see [`FamilyWeights`].
        #[cfg(feature = "weights")]
        impl ModelConfig {
            /// Returns, for each family, the name of a tensor that only its PyTorch files have.
            pub(crate) fn torch_anchors() -> Vec<&'static str> {
                vec![$(<$config>::TORCH_ANCHOR),+]
            }

            /// Recognizes the source and the network of a file with PyTorch's names.
            pub(crate) fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
                $(if tensors.contains(<$config>::TORCH_ANCHOR) {
                    let (source, config) = <$config>::find_torch(tensors)?;
                    return Some((source, Self::$family(config)));
                })+
                None
            }

            /// Recognizes the network by the number of layers of each kind in a Keras model.
            pub(crate) fn find_keras(layers: &KerasLayers) -> Option<Self> {
                $(if let Some(config) = <$config>::find_keras(layers) {
                    return Some(Self::$family(config));
                })+
                None
            }

            /// Returns the source whose names exported files use.
            pub(crate) fn export_source(&self) -> Source {
                match self { $(Self::$family(_) => <$config>::EXPORT,)+ }
            }

            /// Returns the preprocessing that the source applies to images.
            pub(crate) fn preprocessing(&self, source: Source) -> Preprocessing {
                match self { $(Self::$family(_) => <$config>::preprocessing(source),)+ }
            }

            /// Lists the layers under PyTorch's names.
            pub(crate) fn torch_layers(&self, source: Source) -> Vec<Layer> {
                match self { $(Self::$family(config) => config.torch_layers(source),)+ }
            }

            /// Lists the layers under Keras' names.
            pub(crate) fn keras_layers(&self) -> Vec<Layer> {
                match self { $(Self::$family(config) => config.keras_layers(),)+ }
            }

            /// Returns the order of layers in a Keras file without names, if it differs from the table's.
            pub(crate) fn keras_order(&self) -> Option<&'static [usize]> {
                match self { $(Self::$family(_) => <$config>::KERAS_ORDER,)+ }
            }

            /// Reads the number of classes and units, and the width, from the shapes of a Keras file's tensors.
            pub(crate) fn read_keras_sizes(&mut self, tensors: &NamedTensors) {
                match self { $(Self::$family(config) => config.read_keras_sizes(tensors),)+ }
            }

            /// Adjusts the origins of parameters that Keras stores in another way.
            pub(crate) fn adjust_keras(&self, parts: &mut [Part]) {
                match self { $(Self::$family(_) => <$config>::adjust_keras(parts),)+ }
            }

            /// Returns the present name of a layer that early releases of Keras named differently.
            pub(crate) fn modern_keras_name(&self, name: &str) -> Option<String> {
                match self { $(Self::$family(_) => <$config>::modern_keras_name(name),)+ }
            }

            /// Returns whether a head may have hidden layers.
            pub(crate) fn hidden_layers(&self) -> bool {
                match self { $(Self::$family(_) => <$config>::HIDDEN_LAYERS,)+ }
            }

            /// Returns whether convolutions have biases in Keras.
            pub(crate) fn keras_conv_bias(&self) -> bool {
                match self { $(Self::$family(_) => <$config>::KERAS_CONV_BIAS,)+ }
            }

            /// Lists the sizes that a file declares: the name and value of each, and the largest value that a file
            /// with this many tensors may have.
            pub(crate) fn claims(&self, tensors: usize) -> Vec<(&'static str, usize, usize)> {
                match self { $(Self::$family(config) => config.claims(tensors),)+ }
            }

            /// Returns the configuration with a single new layer as its classifier.
            pub(crate) fn with_new_head(self) -> Self {
                match self { $(Self::$family(config) => Self::$family(config.with_new_head()),)+ }
            }
        }

        impl ModelConfig {
            /// Returns the key of the family's options, such as `xception` or `resnet`.
            pub fn family(&self) -> &'static str {
                match self { $(Self::$family(_) => $name,)+ }
            }

            /// Makes the network, with random weights.
            ///
            /// # Errors
            ///
            /// If an option is out of its range, or the network would have too many parameters.
            pub fn init(&self, device: &Device) -> Result<Model, ModelError> {
                Ok(match self {
                    $(Self::$family(config) => Model::$family(config.init(device)?),)+
                })
            }
        }
    };
}

families! {
    /// Xception.
    Xception(XceptionConfig, Xception) "xception" xception;
    /// Inception V3.
    InceptionV3(InceptionV3Config, InceptionV3) "inception_v3" inception_v3;
    /// MobileNet V1.
    MobileNetV1(MobileNetV1Config, MobileNetV1) "mobilenet_v1" mobilenet_v1;
    /// ResNet of any depth.
    ResNet(ResNetConfig, ResNet) "resnet" resnet;
}

impl Config for ModelConfig {}

impl ModelConfig {
    /// Returns the published configuration of a registered network, with 1000 classes.
    ///
    /// # Errors
    ///
    /// If there is no network of this name.
    pub fn named(name: &str) -> Result<Self, ModelError> {
        if let Some(info) = MODELS.iter().find(|info| info.name == name) {
            return Ok(info.config());
        }
        let names = MODELS.iter().map(|info| info.name);
        let nearest = nearest(name, names.clone()).map(str::to_owned);
        Err(ModelError::UnknownModel {
            name: name.to_owned(),
            nearest,
            known: names.collect::<Vec<_>>().join(", "),
        })
    }

    /// Returns the name of the network, such as `xception` or `resnet50`.
    pub fn name(&self) -> String {
        each_config!(self, config => config.name())
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        each_config!(self, config => config.check())
    }

    /// Sets the number of classes.
    pub fn with_classes(mut self, classes: usize) -> Self {
        each_config!(&mut self, config => config.classes = classes);
        self
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        each_config!(self, config => config.classes)
    }

    /// Sets the stem.
    pub fn with_stem(mut self, stem: Stem) -> Self {
        each_config!(&mut self, config => config.stem = stem);
        self
    }

    /// Returns the stem.
    pub fn stem(&self) -> Stem {
        each_config!(self, config => config.stem)
    }

    /// Sets the factor on the channels of every layer; 1 in the published networks.
    pub fn with_width(mut self, width: f64) -> Self {
        each_config!(&mut self, config => config.width = width);
        self
    }

    /// Returns the default height and width of images, in pixels: the published ones, or CIFAR's for the small stem.
    pub fn image_size(&self) -> usize {
        let name = self.name();
        let published = MODELS.iter().find(|info| info.name == name);
        match (self.stem(), published) {
            (Stem::Standard, Some(info)) => info.image_size,
            _ => 32,
        }
    }

    /// Sets the implementation of the layers' operations.
    pub fn with_kernels(mut self, kernels: Kernels) -> Self {
        each_config!(&mut self, config => config.kernels = kernels);
        self
    }

    /// Returns the implementation of the layers' operations.
    pub fn kernels(&self) -> Kernels {
        each_config!(self, config => config.kernels)
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

impl Network for Model {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        each_network!(self, network => network.stages(images, observe))
    }

    fn classifier(&self) -> &Classifier {
        each_network!(self, network => network.classifier())
    }

    fn auxiliary_classifiers(&self) -> Vec<AuxiliaryClassifier<'_>> {
        each_network!(self, network => network.auxiliary_classifiers())
    }

    fn minimum_size(&self) -> usize {
        each_network!(self, network => network.minimum_size())
    }

    fn pool_map(&self, features: FeatureMap) -> FeatureMap {
        each_network!(self, network => network.pool_map(features))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_name_gives_its_network_back() {
        for info in MODELS.iter() {
            let config = ModelConfig::named(info.name).unwrap();
            assert_eq!(config.name(), info.name);
            let text = serde_json::to_string(&config).unwrap();
            let read: ModelConfig = serde_json::from_str(&text).unwrap();
            assert_eq!(read, config, "{text}");
            let read: ModelConfig = serde_json::from_str(&format!("\"{}\"", info.name)).unwrap();
            assert_eq!(read, config);
        }
    }

    #[cfg(feature = "pretrained")]
    #[test]
    fn published_weights_are_of_registered_networks() {
        for entry in pretrained::WEIGHTS.iter() {
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
        for info in MODELS.iter() {
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

    /// Returns the number of stages without parameters.
    fn pools(name: &str) -> usize {
        if name == "inception_v3" { 2 } else { 0 }
    }

    fn classifier(model: &Model) -> usize {
        Network::classifier(model).num_params()
    }

    /// Counts the trainable parameters.
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
