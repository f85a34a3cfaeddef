//! The facts that the weights files of a network from one source share, and the addresses of the sources.

use xception_fetch::File;

use super::weights::{Accuracy, PretrainedWeights};
use crate::preprocessing::Preset;
use crate::weights::Source;

const KERAS_RESULTS: &str = "keras-applications README, single center crop";
const TORCHVISION_RESULTS: &str = "torchvision model metadata, single center crop";
const TIMM_RESULTS: &str = "timm results-imagenet.csv, single center crop";

/// The facts that all files of a network from one source share.
pub(crate) struct Publication {
    model: &'static str,
    source: Source,
    preset: Preset,
    license: Option<&'static str>,
    /// Publication that reports the accuracy.
    results: &'static str,
}

impl Publication {
    /// Makes the facts about files of Keras.
    pub(crate) const fn keras(model: &'static str, preset: Preset, license: &'static str) -> Self {
        Self {
            model,
            source: Source::Keras,
            preset,
            license: Some(license),
            results: KERAS_RESULTS,
        }
    }

    /// Makes the facts about files of torchvision.
    pub(crate) const fn torchvision(
        model: &'static str,
        preset: Preset,
        license: &'static str,
    ) -> Self {
        Self {
            model,
            source: Source::Torchvision,
            preset,
            license: Some(license),
            results: TORCHVISION_RESULTS,
        }
    }

    /// Makes the facts about files of torchvision for which nobody states a licence.
    pub(crate) const fn torchvision_without_license(model: &'static str, preset: Preset) -> Self {
        Self {
            model,
            source: Source::Torchvision,
            preset,
            license: None,
            results: TORCHVISION_RESULTS,
        }
    }

    /// Makes the facts about files of timm.
    pub(crate) const fn timm(model: &'static str, preset: Preset, license: &'static str) -> Self {
        Self {
            model,
            source: Source::Timm,
            preset,
            license: Some(license),
            results: TIMM_RESULTS,
        }
    }

    /// Describes a file with a classifier for ImageNet's 1000 classes, with its top-1 and top-5 accuracy in percent.
    pub(crate) const fn full(
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
            license: self.license,
        }
    }

    /// Describes a file without a classifier.
    pub(crate) const fn notop(self, name: &'static str, file: File<'static>) -> PretrainedWeights {
        PretrainedWeights {
            classes: None,
            accuracy: None,
            ..self.full(name, file, [0.0; 2])
        }
    }
}

/// Makes a [`File`] that Keras publishes, from its folder, the beginning and end of its name, its size and its MD5.
macro_rules! keras_file {
    ($folder:literal, $model:literal, $end:literal, $bytes:expr, $md5:literal) => {
        ::xception_fetch::File {
            url: concat!(
                "https://storage.googleapis.com/tensorflow/keras-applications/",
                $folder,
                "/",
                $model,
                "_weights_tf_dim_ordering_tf_kernels",
                $end
            ),
            name: concat!($model, "_weights_tf_dim_ordering_tf_kernels", $end),
            bytes: $bytes,
            check: ::xception_fetch::Check::Md5($md5),
        }
    };
}

/// Makes a [`File`] that torchvision publishes, from its name, its size and its SHA-256.
macro_rules! torchvision_file {
    ($name:literal, $bytes:expr, $check:expr) => {
        ::xception_fetch::File {
            url: concat!("https://download.pytorch.org/models/", $name),
            name: $name,
            bytes: $bytes,
            check: $check,
        }
    };
}

pub(crate) use {keras_file, torchvision_file};
