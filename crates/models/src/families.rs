//! The macro behind the registry: all that is the same for each family of networks.

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
            pub(crate) fn keras_order(&self) -> Option<Vec<usize>> {
                match self { $(Self::$family(config) => config.keras_order(),)+ }
            }

            /// Reads the number of classes and units, and the width, from the shapes of a Keras file's tensors.
            pub(crate) fn read_keras_sizes(&mut self, tensors: &NamedTensors) {
                match self { $(Self::$family(config) => config.read_keras_sizes(tensors),)+ }
            }

            /// Adjusts the origins of parameters that Keras stores in another way.
            pub(crate) fn adjust_keras(&self, parts: &mut [Part]) {
                match self { $(Self::$family(config) => config.adjust_keras(parts),)+ }
            }

            /// Returns whether the classifier takes all pixels of the last map for images of this size.
            pub(crate) fn takes_all_pixels(&self, image_size: usize) -> bool {
                match self { $(Self::$family(config) => config.takes_all_pixels(image_size),)+ }
            }

            /// Returns the table's name of a layer that other files name differently.
            pub(crate) fn keras_table_name(&self, name: &str) -> Option<String> {
                match self { $(Self::$family(_) => <$config>::keras_table_name(name),)+ }
            }

            /// Returns whether a head may have hidden layers.
            pub(crate) fn hidden_layers(&self) -> bool {
                match self { $(Self::$family(_) => <$config>::HIDDEN_LAYERS,)+ }
            }

            /// Returns the names of the hidden layers of the published head in Keras.
            pub(crate) fn keras_hidden_layers(&self) -> &'static [&'static str] {
                match self { $(Self::$family(_) => <$config>::KERAS_HIDDEN_LAYERS,)+ }
            }

            /// Returns whether convolutions have biases in Keras.
            pub(crate) fn keras_conv_bias(&self) -> bool {
                match self { $(Self::$family(_) => <$config>::KERAS_CONV_BIAS,)+ }
            }

            /// Returns whether published weights may have the background as their first class.
            pub(crate) fn background_class(&self) -> bool {
                match self { $(Self::$family(_) => <$config>::BACKGROUND_CLASS,)+ }
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

pub(crate) use families;
