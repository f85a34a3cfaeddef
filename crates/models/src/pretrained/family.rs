//! What the weights files of a network have in common, by source.

use xception_fetch::File;

use super::preprocessing::{Crop, Interpolation, Preprocessing, Scaling};
use super::weights::{Accuracy, PretrainedWeights, Source};

const KERAS_RESULTS: &str = "keras-applications README, single center crop";
const TORCHVISION_RESULTS: &str = "torchvision model metadata, single center crop";
const TIMM_RESULTS: &str = "timm results-imagenet.csv, single center crop";

/// What is the same for all files of a network from a source.
pub(super) struct Family {
    model: &'static str,
    source: Source,
    preprocessing: Preprocessing,
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
            preprocessing: self.preprocessing,
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

/// Files of Keras, with what its `load_img` and `preprocess_input` do.
const fn keras(
    model: &'static str,
    image_size: usize,
    scaling: Scaling,
    license: &'static str,
) -> Family {
    Family {
        model,
        source: Source::Keras,
        preprocessing: Preprocessing {
            image_size,
            resize_size: image_size,
            interpolation: Interpolation::Nearest,
            crop: Crop::None,
            scaling,
        },
        license,
        results: KERAS_RESULTS,
    }
}

/// Files of torchvision, with what its `ImageClassification` does.
const fn torchvision(
    model: &'static str,
    [resize_size, image_size]: [usize; 2],
    scaling: Scaling,
    license: &'static str,
) -> Family {
    Family {
        model,
        source: Source::Torchvision,
        preprocessing: Preprocessing {
            image_size,
            resize_size,
            interpolation: Interpolation::Bilinear,
            crop: Crop::Center,
            scaling,
        },
        license,
        results: TORCHVISION_RESULTS,
    }
}

pub(super) const fn resnet_keras(model: &'static str) -> Family {
    keras(model, 224, Scaling::CaffeBgr, "MIT")
}

/// The weights that reproduce the paper.
pub(super) const fn resnet_v1(model: &'static str) -> Family {
    torchvision(model, [256, 224], Scaling::ImageNet, "BSD-3-Clause")
}

/// The weights of torchvision's newer recipe.
pub(super) const fn resnet_v2(model: &'static str) -> Family {
    torchvision(model, [232, 224], Scaling::ImageNet, "BSD-3-Clause")
}

pub(super) const XCEPTION_KERAS: Family = keras("xception", 299, Scaling::Symmetric, "MIT");
pub(super) const INCEPTION_V3_KERAS: Family =
    keras("inception_v3", 299, Scaling::Symmetric, "Apache-2.0");

/// Where torchvision loads these weights, the model scales its input again, from ImageNet's mean and deviation to [-1, 1]
/// (`transform_input`); what comes of both is this scaling.
pub(super) const INCEPTION_V3_TORCHVISION: Family =
    torchvision("inception_v3", [342, 299], Scaling::Symmetric, "Apache-2.0");

/// timm resizes the shorter side to 299 / 0.8975 pixels, rounded down.
pub(super) const XCEPTION_TIMM: Family = Family {
    model: "xception",
    source: Source::Timm,
    preprocessing: Preprocessing {
        image_size: 299,
        resize_size: 333,
        interpolation: Interpolation::Bicubic,
        crop: Crop::Center,
        scaling: Scaling::Symmetric,
    },
    license: "Apache-2.0",
    results: TIMM_RESULTS,
};
