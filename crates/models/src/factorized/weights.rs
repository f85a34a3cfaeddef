//! Recognition and preprocessing of files of the factorized network.

use super::config::{CHANNELS, STEM};
use super::{FactorizedConfig, FactorizedConvolution, names};
use crate::layers::{MAX_AXES, Stem};
use crate::preprocessing::{Preprocessing, Preset};
use crate::weights::family::{FamilyWeights, fitting_width, torch_outputs};
use crate::weights::layer::Layer;
use crate::weights::{NamedTensors, Source};

impl FamilyWeights for FactorizedConfig {
    const TORCH_ANCHOR: &'static str = names::ANCHOR;
    const EXPORT: Source = Source::Native;

    fn of_source(_source: Source) -> Self {
        Self::default()
    }

    /// Returns torchvision's preprocessing of ResNet, since the paper's isn't known.
    fn preprocessing(_source: Source) -> Preprocessing {
        Preset::TorchvisionResnetV1.preprocessing()
    }

    /// Reads all options that names and shapes show, which are all but the bottleneck's stride and those that training
    /// alone has.
    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        let base = Self::default();
        let outputs = |name: &str| torch_outputs(tensors, &format!("{name}.weight"));
        let side = |name: &str| tensors.shape(&format!("{name}.weight"))?.get(2).copied();
        let first = names::stage(0);
        let kinds = [
            (FactorizedConvolution::Dense, "dense", ".norm"),
            (
                FactorizedConvolution::SingleIntraChannel,
                "single_intra_channel",
                ".0.norm",
            ),
            (
                FactorizedConvolution::SpatialBottleneck,
                "spatial_bottlenecks",
                ".0.norm",
            ),
        ];
        let (convolution, list, norm) = kinds
            .into_iter()
            .find(|(_, list, norm)| outputs(&format!("{first}.{list}.0{norm}")).is_some())?;
        let count = |name: &dyn Fn(usize) -> String| {
            let here = (0..).take_while(|&index| outputs(&name(index)).is_some());
            here.count()
        };
        let stages = [0, 1, 2, 3].map(|index| format!("{}.{list}", names::stage(index)));
        let layers = stages
            .each_ref()
            .map(|stage| count(&|layer| format!("{stage}.{layer}{norm}")));
        let bases = match convolution {
            FactorizedConvolution::Dense => base.bases,
            _ => count(&|basis| format!("{}.0.{basis}.norm", stages[0])),
        };
        // The convolution whose name says how many axes its topology has.
        let mixing = match convolution {
            FactorizedConvolution::Dense => "conv",
            FactorizedConvolution::SingleIntraChannel => "0.pointwise",
            FactorizedConvolution::SpatialBottleneck => "0.projection",
        };
        let topology = stages.each_ref().map(|stage| {
            let named = |&axes: &usize| {
                let name = format!("{stage}.0.{}", names::subdivided(mixing, axes));
                outputs(&name).is_some()
            };
            (0..=MAX_AXES).find(named).unwrap_or_default()
        });
        let config = Self {
            convolution,
            kernel: side("features.stage2.transition.depthwise").unwrap_or(base.kernel),
            bases,
            layers,
            topology,
            classes: outputs(names::HEAD).unwrap_or(base.classes),
            width: fitting_width(&[
                (STEM, outputs("features.stem.conv")),
                (CHANNELS[1], outputs("features.stage2.transition.pointwise")),
                (CHANNELS[2], outputs("features.stage3.transition.pointwise")),
                (CHANNELS[3], outputs("features.stage4.transition.pointwise")),
            ]),
            stem: match side("features.stem.conv") {
                Some(3) => Stem::Small,
                _ => Stem::Standard,
            },
            ..base
        };
        Some((Source::Native, config))
    }

    fn torch_layers(&self, _source: Source) -> Vec<Layer> {
        names::layers(self)
    }

    fn claims(&self, tensors: usize) -> Vec<(&'static str, usize, usize)> {
        let bases = match self.convolution {
            FactorizedConvolution::Dense => 1,
            _ => self.bases,
        };
        let layers = self.layers.into_iter().fold(0, usize::saturating_add);
        vec![("layers", layers.saturating_mul(bases), tensors)]
    }
}
