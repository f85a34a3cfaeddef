//! The registry of networks by name, and the enums over all families of networks.

use std::borrow::Cow;
use std::collections::BTreeMap;
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

use crate::families::families;
use crate::layers::{Classifier, FeatureMap, Kernels, Segments, Stem};
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
    AlignedXception, AlignedXceptionConfig, AuxiliaryClassifier, FactorizedConfig,
    FactorizedNetwork, GoogLeNet, GoogLeNetConfig, InceptionResNetV2, InceptionResNetV2Config,
    InceptionV2, InceptionV2Config, InceptionV3, InceptionV3Config, MobileNetV1, MobileNetV1Config,
    ModelError, Network, Observer, ResNet, ResNetConfig, Section, ShuffleNetV1, ShuffleNetV1Config,
    Vgg, VggConfig, Xception, XceptionConfig, aligned_xception, factorized, googlenet,
    inception_resnet_v2, inception_v2, inception_v3, mobilenet_v1, resnet, shufflenet_v1, vgg,
    xception,
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

families! {
    /// Xception.
    Xception(XceptionConfig, Xception) "xception" xception;
    /// The modified aligned Xception of any depth.
    AlignedXception(AlignedXceptionConfig, AlignedXception) "aligned_xception" aligned_xception;
    /// The factorized network.
    Factorized(FactorizedConfig, FactorizedNetwork) "factorized" factorized;
    /// GoogLeNet.
    GoogLeNet(GoogLeNetConfig, GoogLeNet) "googlenet" googlenet;
    /// Inception-ResNet V2.
    InceptionResNetV2(InceptionResNetV2Config, InceptionResNetV2) "inception_resnet_v2" inception_resnet_v2;
    /// Inception V2.
    InceptionV2(InceptionV2Config, InceptionV2) "inception_v2" inception_v2;
    /// Inception V3.
    InceptionV3(InceptionV3Config, InceptionV3) "inception_v3" inception_v3;
    /// MobileNet V1.
    MobileNetV1(MobileNetV1Config, MobileNetV1) "mobilenet_v1" mobilenet_v1;
    /// ResNet of any depth, and ResNeXt of any cardinality.
    ResNet(ResNetConfig, ResNet) "resnet" resnet;
    /// ShuffleNet V1 with any published number of groups.
    ShuffleNetV1(ShuffleNetV1Config, ShuffleNetV1) "shufflenet_v1" shufflenet_v1;
    /// VGG-16.
    Vgg(VggConfig, Vgg) "vgg" vgg;
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

    /// Returns the factor on the channels of every layer.
    pub fn width(&self) -> f64 {
        each_config!(self, config => config.width)
    }

    /// Sets numbers of channels in place of published ones, whatever the width. A number that the network doesn't have is
    /// an error of [`init`](Self::init).
    pub fn with_channels(mut self, channels: BTreeMap<usize, usize>) -> Self {
        each_config!(&mut self, config => config.channels = channels);
        self
    }

    /// Returns the number of channels in place of a published one; zero if the width is out of its range.
    pub fn layer_channels(&self, published: usize) -> usize {
        each_config!(self, config => config.layer_channels(published))
    }

    /// Lists the numbers of channels of the published network that the width multiplies, in ascending order.
    pub fn published_channels(&self) -> Vec<usize> {
        each_config!(self, config => config.published_channels())
    }

    /// Returns the number of which the channels in place of a published number are a multiple, where it isn't the usual one.
    pub(crate) fn channel_divisor(&self, published: usize) -> Option<usize> {
        each_config!(self, config => config.channel_divisor(published))
    }

    /// Returns the number of segments that the channels have to divide into.
    pub(crate) fn segments(&self) -> Segments {
        each_config!(self, config => config.channel_segments())
    }

    /// Returns the default height and width of images, in pixels: those for which the network was published, or the first
    /// one of its family; or CIFAR's for the small stem.
    pub fn image_size(&self) -> usize {
        let name = self.name();
        let of_family = |info: &&ModelInfo| info.config().family() == self.family();
        let published = MODELS.iter().find(|info| info.name == name);
        let published = published.or_else(|| MODELS.iter().find(of_family));
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
            let description = format!("For images of {size} x {size} pixels: {paper}.");
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

    fn sections(&self) -> Vec<Section> {
        each_network!(self, network => network.sections())
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
        match name {
            "googlenet" => 4,
            "inception_resnet_v2" | "inception_v3" => 2,
            _ => 0,
        }
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
