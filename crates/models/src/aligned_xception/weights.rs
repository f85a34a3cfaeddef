//! Recognition, names and preprocessing of published weights for the aligned Xception.

use super::plan::modules;
use super::{AlignedXceptionConfig, AlignedXceptionDepth, OutputStride, timm_names};
use crate::preprocessing::{Preprocessing, Preset};
use crate::weights::family::{FamilyWeights, fitting_width, torch_outputs};
use crate::weights::layer::Layer;
use crate::weights::{NamedTensors, Source};

/// Returns the output stride of timm's network with these tensors: the largest one with exactly these shortcuts, which at
/// output stride 8 are fewer in the deepest network.
fn output_stride(depth: AlignedXceptionDepth, tensors: &NamedTensors) -> Option<OutputStride> {
    let has_shortcut = |module: usize| {
        let name = timm_names::shortcut(module);
        let mut names = ["weight", "conv.weight"]
            .map(|leaf| format!("{name}.{leaf}"))
            .into_iter();
        names.any(|name| tensors.contains(&name))
    };
    OutputStride::ALL.into_iter().find(|&stride| {
        let mut modules = modules(depth, stride).into_iter().enumerate();
        modules.all(|(index, plan)| plan.has_shortcut() == has_shortcut(index))
    })
}

impl FamilyWeights for AlignedXceptionConfig {
    const TORCH_ANCHOR: &'static str = timm_names::ANCHOR;
    const EXPORT: Source = Source::Timm;

    fn of_source(_source: Source) -> Self {
        Self::default()
    }

    /// Returns the preprocessing of the weights from TensorFlow; timm's own crop less, see
    /// [`Preset::TimmAlignedXceptionRa3`].
    fn preprocessing(_source: Source) -> Preprocessing {
        Preset::TimmAlignedXception.preprocessing()
    }

    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        let convolution = |block: usize, number: usize| {
            format!("blocks.{block}.stack.conv{number}.conv_pw.weight")
        };
        let blocks = (0..)
            .take_while(|&block| tensors.contains(&convolution(block, 1)))
            .count();
        let depth = AlignedXceptionDepth::ALL
            .into_iter()
            .find(|&depth| modules(depth, OutputStride::ThirtyTwo).len() == blocks)?;
        let base = Self::published(depth, tensors.contains(timm_names::PREACTIVATION));
        let outputs = |name: &str| torch_outputs(tensors, name);
        let pointwise = |block, number| outputs(&convolution(block, number));
        let second = match base.preactivation {
            true => "stem.1.weight",
            false => "stem.1.conv.weight",
        };
        let (exit, last) = (blocks - 2, blocks - 1);
        let config = Self {
            classes: outputs(&format!("{}.weight", timm_names::HEAD)).unwrap_or(base.classes),
            width: fitting_width(&[
                (32, outputs("stem.0.conv.weight")),
                (64, outputs(second)),
                (128, pointwise(0, 3)),
                (256, pointwise(1, 3)),
                (728, pointwise(exit, 1)),
                (1024, pointwise(exit, 3)),
                (1536, pointwise(last, 1)),
                (2048, pointwise(last, 3)),
            ]),
            output_stride: output_stride(depth, tensors).unwrap_or(base.output_stride),
            ..base
        };
        Some((Source::Timm, config))
    }

    fn torch_layers(&self, _source: Source) -> Vec<Layer> {
        timm_names::layers(self)
    }
}
