//! Recognition, names and preprocessing of published weights for ShuffleNet V1.

use super::{ShuffleNetGroups, ShuffleNetV1Config, pytorchcv_names};
use crate::preprocessing::{Preprocessing, Preset};
use crate::weights::family::{FamilyWeights, fitting_width_of_multiples, torch_outputs};
use crate::weights::layer::Layer;
use crate::weights::{NamedTensors, Source};

impl FamilyWeights for ShuffleNetV1Config {
    const TORCH_ANCHOR: &'static str = pytorchcv_names::ANCHOR;
    const EXPORT: Source = Source::Pytorchcv;

    fn of_source(_source: Source) -> Self {
        Self::default()
    }

    /// Returns the preprocessing with which pytorchcv evaluates its networks (osmr/imgclsmob,
    /// `pytorch/datasets/imagenet1k_cls_dataset.py`), which is that of torchvision's first weights.
    fn preprocessing(_source: Source) -> Preprocessing {
        Preset::TorchvisionResnetV1.preprocessing()
    }

    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        let first = pytorchcv_names::FIRST_UNIT;
        let of_another = |layer: &&str| tensors.contains(&format!("{first}.{layer}.weight"));
        if pytorchcv_names::OTHERS.iter().any(of_another) {
            return None;
        }
        let source = Source::Pytorchcv;
        let base = Self::of_source(source);
        let outputs = |name: &str| torch_outputs(tensors, &format!("{name}.weight"));
        let mut config = Self {
            groups: find_groups(tensors).unwrap_or_default(),
            classes: outputs(pytorchcv_names::HEAD).unwrap_or(base.classes),
            ..base
        };
        let layers = config.divisors().into_iter().zip(pytorchcv_names::WIDTHS);
        let layers = layers.map(|((published, divisor), name)| (published, divisor, outputs(name)));
        config.width = fitting_width_of_multiples(&layers.collect::<Vec<_>>());
        Some((source, config))
    }

    fn torch_layers(&self, _source: Source) -> Vec<Layer> {
        pytorchcv_names::layers()
    }
}

/// Reads the number of groups from the shapes of the first unit, whose last convolution has them; `None` if the shapes are
/// not those of a network here.
fn find_groups(tensors: &NamedTensors) -> Option<ShuffleNetGroups> {
    let inner = torch_outputs(tensors, pytorchcv_names::ANCHOR)?;
    let expand = format!("{}.expand_conv3.weight", pytorchcv_names::FIRST_UNIT);
    let &[_, of_a_group, ..] = tensors.shape(&expand)? else {
        return None;
    };
    ShuffleNetGroups::try_from(inner.checked_div(of_a_group)?).ok()
}
