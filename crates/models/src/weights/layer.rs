//! The layers of a network under a file's names, and the tensors that make up each of them.

use super::layout::Layout;

/// A layer of a network: the path of its module, and the names of its parts in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layer {
    /// A [`ConvNorm`](crate::layers::ConvNorm).
    ConvNorm {
        module: String,
        conv: String,
        /// Whether the convolution has a bias.
        bias: bool,
        norm: Option<String>,
    },
    /// A [`SegmentedConvNorm`](crate::layers::SegmentedConvNorm).
    SegmentedConvNorm {
        module: String,
        spatial: String,
        /// The normalization between the two parts; if there is one, Keras has the parts as separate layers.
        norm_between: Option<String>,
        pointwise: String,
        norm: Option<String>,
    },
    /// A [`PreNorm`](crate::layers::PreNorm).
    PreNorm { module: String, norm: String },
    /// A [`SpatialBottleneck`](crate::layers::SpatialBottleneck), which no model of Keras has.
    SpatialBottleneck {
        module: String,
        depthwise: String,
        projection: String,
        deconvolution: String,
        norm: String,
    },
    /// A linear layer of the classifier.
    Linear { module: String, linear: String },
}

/// Makes a [`ConvNorm`](crate::layers::ConvNorm) layer with normalization and without a bias.
pub(crate) fn conv_norm(module: String, conv: String, norm: String) -> Layer {
    Layer::ConvNorm {
        module,
        conv,
        bias: false,
        norm: Some(norm),
    }
}

/// Makes a [`ConvNorm`](crate::layers::ConvNorm) layer with normalization and a bias.
pub(crate) fn biased_conv_norm(module: String, conv: String, norm: String) -> Layer {
    Layer::ConvNorm {
        module,
        conv,
        bias: true,
        norm: Some(norm),
    }
}

/// Makes a [`ConvNorm`](crate::layers::ConvNorm) layer with a bias and without normalization.
pub(crate) fn biased_conv(module: String, conv: String) -> Layer {
    Layer::ConvNorm {
        module,
        conv,
        bias: true,
        norm: None,
    }
}

/// Makes a linear layer with the name of its part.
pub(crate) fn linear(module: &str, linear: &str) -> Layer {
    Layer::Linear {
        module: module.to_owned(),
        linear: linear.to_owned(),
    }
}

/// The scheme of names and layouts in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// PyTorch: `weight`, `bias`, `running_mean`, `running_var`.
    Torch,
    /// Keras: `kernel`, `gamma`, `beta`, `moving_mean`, `moving_variance`.
    Keras {
        /// Whether batch normalizations have a `gamma`, which otherwise is one.
        scale: bool,
        /// Whether normalized convolutions have a `bias`. Layers here that have none subtract it from the running mean:
        /// normalizing `x + bias` by `mean` equals normalizing `x` by `mean - bias`.
        conv_bias: bool,
    },
}

/// The origin of a parameter's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A tensor.
    Tensor { name: String, layout: Layout },
    /// The difference of two vectors.
    Difference { name: String, minus: String },
    /// No tensor: all values are one.
    Ones,
}

/// A parameter of a network, with the origin of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The parameter's path in the module.
    pub(crate) parameter: String,
    /// Its origin in the file.
    pub(crate) origin: Origin,
}

/// Lists the parameters of all layers, in order.
pub(crate) fn parts(layers: &[Layer], dialect: Dialect) -> Vec<Part> {
    layers
        .iter()
        .flat_map(|layer| layer.parts(dialect))
        .collect()
}

fn tensor(parameter: String, name: String, layout: Layout) -> Part {
    Part {
        parameter,
        origin: Origin::Tensor { name, layout },
    }
}

impl Layer {
    fn parts(&self, dialect: Dialect) -> Vec<Part> {
        match dialect {
            Dialect::Torch => self.torch_parts(),
            Dialect::Keras { scale, conv_bias } => self.keras_parts(scale, conv_bias),
        }
    }

    fn torch_parts(&self) -> Vec<Part> {
        let weight = |module: &str, name: &str, layout| {
            tensor(format!("{module}.weight"), format!("{name}.weight"), layout)
        };
        let norm = |module: &str, norm: &str| norm_of(&format!("{module}.norm"), norm);
        fn norm_of(module: &str, norm: &str) -> [Part; 4] {
            [
                ("gamma", "weight"),
                ("beta", "bias"),
                ("running_mean", "running_mean"),
                ("running_var", "running_var"),
            ]
            .map(|(ours, theirs)| {
                let parameter = format!("{module}.{ours}");
                tensor(parameter, format!("{norm}.{theirs}"), Layout::Same)
            })
        }
        match self {
            Self::ConvNorm {
                module,
                conv,
                bias,
                norm: n,
            } => {
                let mut parts = vec![weight(&format!("{module}.conv"), conv, Layout::Same)];
                if *bias {
                    let parameter = format!("{module}.conv.bias");
                    parts.push(tensor(parameter, format!("{conv}.bias"), Layout::Same));
                }
                if let Some(n) = n {
                    parts.extend(norm(module, n));
                }
                parts
            }
            Self::SegmentedConvNorm {
                module,
                spatial,
                norm_between,
                pointwise,
                norm: n,
            } => {
                let mut parts = vec![weight(&format!("{module}.spatial"), spatial, Layout::Same)];
                if let Some(inner) = norm_between {
                    parts.extend(norm_of(&format!("{module}.norm_between"), inner));
                }
                parts.push(weight(
                    &format!("{module}.pointwise"),
                    pointwise,
                    Layout::Same,
                ));
                if let Some(n) = n {
                    parts.extend(norm(module, n));
                }
                parts
            }
            Self::PreNorm { module, norm: n } => norm(module, n).into(),
            Self::SpatialBottleneck {
                module,
                depthwise,
                projection,
                deconvolution,
                norm: n,
            } => {
                let inner = [
                    ("depthwise", depthwise),
                    ("projection", projection),
                    ("deconvolution", deconvolution),
                ];
                let inner = inner.map(|(ours, theirs)| {
                    weight(&format!("{module}.{ours}"), theirs, Layout::Same)
                });
                let norm = norm(&format!("{module}.deconvolution"), n);
                inner.into_iter().chain(norm).collect()
            }
            Self::Linear { module, linear } => vec![
                weight(module, linear, Layout::OutIn),
                tensor(
                    format!("{module}.bias"),
                    format!("{linear}.bias"),
                    Layout::Same,
                ),
            ],
        }
    }

    fn keras_parts(&self, scale: bool, conv_bias: bool) -> Vec<Part> {
        let norm = |module: &str, norm: &str, conv: Option<&str>| {
            let part = |ours: &str, theirs: &str| {
                let parameter = format!("{module}.{ours}");
                tensor(parameter, format!("{norm}/{theirs}"), Layout::Same)
            };
            let mut parts = vec![
                part("gamma", "gamma"),
                part("beta", "beta"),
                part("running_mean", "moving_mean"),
                part("running_var", "moving_variance"),
            ];
            if !scale {
                parts[0].origin = Origin::Ones;
            }
            if let Some(conv) = conv.filter(|_| conv_bias) {
                parts[2].origin = Origin::Difference {
                    name: format!("{norm}/moving_mean"),
                    minus: format!("{conv}/bias"),
                };
            }
            parts
        };
        match self {
            Self::ConvNorm {
                module,
                conv,
                bias,
                norm: n,
            } => {
                let mut parts = vec![tensor(
                    format!("{module}.conv.weight"),
                    format!("{conv}/kernel"),
                    Layout::HeightWidthInOut,
                )];
                if *bias {
                    let parameter = format!("{module}.conv.bias");
                    parts.push(tensor(parameter, format!("{conv}/bias"), Layout::Same));
                }
                if let Some(n) = n {
                    let unabsorbed = (!bias).then_some(conv.as_str());
                    parts.extend(norm(&format!("{module}.norm"), n, unabsorbed));
                }
                parts
            }
            Self::SegmentedConvNorm {
                module,
                spatial,
                norm_between,
                pointwise,
                norm: n,
            } => {
                let mut parts = vec![tensor(
                    format!("{module}.spatial.weight"),
                    format!("{spatial}/depthwise_kernel"),
                    Layout::HeightWidthChannels,
                )];
                if let Some(inner) = norm_between {
                    parts.extend(norm(&format!("{module}.norm_between"), inner, None));
                }
                let role = match norm_between {
                    Some(_) => "kernel",
                    None => "pointwise_kernel",
                };
                parts.push(tensor(
                    format!("{module}.pointwise.weight"),
                    format!("{pointwise}/{role}"),
                    Layout::HeightWidthInOut,
                ));
                if let Some(n) = n {
                    parts.extend(norm(&format!("{module}.norm"), n, None));
                }
                parts
            }
            Self::PreNorm { module, norm: n } => norm(&format!("{module}.norm"), n, None),
            Self::SpatialBottleneck { .. } => Vec::new(),
            Self::Linear { module, linear } => vec![
                tensor(
                    format!("{module}.weight"),
                    format!("{linear}/kernel"),
                    Layout::Same,
                ),
                tensor(
                    format!("{module}.bias"),
                    format!("{linear}/bias"),
                    Layout::Same,
                ),
            ],
        }
    }
}
