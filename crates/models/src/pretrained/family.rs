//! What the weights files of a network have in common, by source.

use xception_fetch::File;

use super::weights::{Accuracy, PretrainedWeights};
use crate::preprocessing::Preset;
use crate::weights::Source;

const KERAS_RESULTS: &str = "keras-applications README, single center crop";
const TORCHVISION_RESULTS: &str = "torchvision model metadata, single center crop";
const TIMM_RESULTS: &str = "timm results-imagenet.csv, single center crop";

/// What is the same for all files of a network from a source.
pub(super) struct Family {
    model: &'static str,
    source: Source,
    preset: Preset,
    license: &'static str,
    /// Who reports how well the network does.
    results: &'static str,
}

impl Family {
    /// A file with a classifier for ImageNet's 1000 classes, with its top-1 and top-5 in percent.
    pub(super) const fn full(
        self,
        name: &'static str,
        file: File<'static>,
        [top1, top5]: [f64; 2],
    ) -> PretrainedWeights {
        PretrainedWeights {
            name,
            model: self.model,
            source: self.source,
            file,
            classes: Some(1000),
            preset: self.preset,
            accuracy: Some(Accuracy {
                top1,
                top5,
                source: self.results,
            }),
            license: Some(self.license),
        }
    }

    /// A file without the classifier.
    pub(super) const fn notop(self, name: &'static str, file: File<'static>) -> PretrainedWeights {
        PretrainedWeights {
            classes: None,
            accuracy: None,
            ..self.full(name, file, [0.0; 2])
        }
    }
}

/// Files of Keras.
const fn keras(model: &'static str, preset: Preset, license: &'static str) -> Family {
    Family {
        model,
        source: Source::Keras,
        preset,
        license,
        results: KERAS_RESULTS,
    }
}

/// Files of torchvision.
const fn torchvision(model: &'static str, preset: Preset, license: &'static str) -> Family {
    Family {
        model,
        source: Source::Torchvision,
        preset,
        license,
        results: TORCHVISION_RESULTS,
    }
}

pub(super) const fn resnet_keras(model: &'static str) -> Family {
    keras(model, Preset::KerasResnet50, "MIT")
}

/// The weights that reproduce the paper.
pub(super) const fn resnet_v1(model: &'static str) -> Family {
    torchvision(model, Preset::TorchvisionResnetV1, "BSD-3-Clause")
}

/// The weights of torchvision's newer recipe.
pub(super) const fn resnet_v2(model: &'static str) -> Family {
    torchvision(model, Preset::TorchvisionResnetV2, "BSD-3-Clause")
}

pub(super) const XCEPTION_KERAS: Family = keras("xception", Preset::KerasXception, "MIT");
pub(super) const INCEPTION_V3_KERAS: Family =
    keras("inception_v3", Preset::KerasInceptionV3, "Apache-2.0");
pub(super) const INCEPTION_V3_TORCHVISION: Family =
    torchvision("inception_v3", Preset::TorchvisionInceptionV3, "Apache-2.0");
pub(super) const XCEPTION_TIMM: Family = Family {
    model: "xception",
    source: Source::Timm,
    preset: Preset::TimmXception,
    license: "Apache-2.0",
    results: TIMM_RESULTS,
};
