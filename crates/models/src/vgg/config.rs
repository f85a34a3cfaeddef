//! Configuration of VGG.

use burn::prelude::*;
use xception_messages::Bounds;

use super::Vgg;
use super::stage::VggStage;
use crate::ModelError;
use crate::layers::{ClassifierConfig, ConvNormConfig, SegmentedConvNormConfig, Stem};
use crate::limits::{self, FULLY_CONNECTED, check_parameters};
use crate::options::{UNITS, check_fully_connected, network_config};

/// Output channels of the convolutions in each stage (table 1, configuration D).
pub(super) const STAGES: [&[usize]; 5] = [
    &[64, 64],
    &[128, 128],
    &[256, 256, 256],
    &[512, 512, 512],
    &[512, 512, 512],
];
/// Height and width of the last map, for the images that the network was published for.
pub(super) const GRID: usize = 7;

/// Range of the side of the grid.
const GRIDS: Bounds = Bounds::at_least(1.0).at_most(limits::GRID as f64);

network_config! {
    /// Configuration of [`Vgg`].
    #[schemars(
        description = "The options of VGG-16; each may be left out.",
        example = serde_json::json!({"batch_norm": true, "stem": "small", "fully_connected": [512]})
    )]
    VggConfig {
        /// Whether batch normalization follows each convolution, whose bias stays. Separable convolutions have no
        /// bias, and are normalized with or without this option.
        batch_norm, with_batch_norm: bool = false;
        /// Whether all convolutions but the first are depthwise separable.
        separable, with_separable: bool = false;
        /// Units of the fully connected layers before the last layer, one number per layer; the paper has
        /// `[4096, 4096]`.
        #[schemars(example = [512], transform = UNITS.of_items(), extend("maxItems" = FULLY_CONNECTED))]
        fully_connected, with_fully_connected: Vec<usize> = vec![4096, 4096];
        /// Height and width of the grid to which the last map is averaged before it is flattened: 1 takes the mean of
        /// all pixels. Where left out, 7 as in the paper, or 1 with the small stem.
        #[schemars(example = 1, transform = GRIDS.of_number())]
        grid, with_grid: Option<usize> = None;
    }
    channels: [64, 128, 256, 512];
    dropout: "it also follows each fully connected layer before that one, and is 0.5 in the paper";
    batch_norm_epsilon: 1e-5, "1e-5 in torchvision", example 1e-3;
}

impl VggConfig {
    /// Makes the configuration of the plain stack of separable convolutions, with global average pooling and a single
    /// linear layer.
    pub fn plain_separable() -> Self {
        Self {
            batch_norm: true,
            separable: true,
            fully_connected: Vec::new(),
            grid: Some(1),
            ..Self::default()
        }
    }

    /// Returns the name of the network.
    pub fn name(&self) -> String {
        let name = match (self.separable, self.batch_norm) {
            (true, _) => "separable_vgg16",
            (false, true) => "vgg16_bn",
            (false, false) => "vgg16",
        };
        name.to_owned()
    }

    /// Returns the height and width of the grid to which the last map is averaged.
    pub fn grid(&self) -> usize {
        self.grid.unwrap_or(match self.stem {
            Stem::Standard => GRID,
            Stem::Small | Stem::SmallPooled => 1,
        })
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        self.check_shared()?;
        GRIDS.check_count("grid", self.grid())?;
        check_fully_connected(&self.fully_connected)
    }

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// If an option is out of its range, or the network would have too many parameters.
    pub fn init(&self, device: &Device) -> Result<Vgg, ModelError> {
        self.check()?;
        let width = self.layer_width()?;
        let mut channels = 3;
        let mut stages = Vec::new();
        for (number, published) in STAGES.iter().enumerate() {
            let mut stage = VggStage {
                dense: Vec::new(),
                separable: Vec::new(),
                pool: self.has_pool(number),
                kernels: self.kernels,
            };
            for (index, &published) in published.iter().enumerate() {
                let outputs = width.channels(published);
                if self.is_separable(number, index) {
                    let config = SegmentedConvNormConfig::separable(
                        [channels, outputs],
                        3,
                        self.layer_options(),
                    );
                    stage.separable.push(config.init(device));
                } else {
                    stage
                        .dense
                        .push(self.dense([channels, outputs]).init(device));
                }
                channels = outputs;
            }
            stages.push(stage);
        }
        let grid = self.grid();
        let classifier = ClassifierConfig {
            fully_connected: self.fully_connected.clone(),
            dropout: self.dropout,
            dropout_everywhere: true,
            ..ClassifierConfig::new(channels * grid * grid, self.classes, self.kernels)
        };
        check_parameters(Vgg {
            stages,
            classifier: classifier.init(device),
            grid,
        })
    }

    /// Returns whether a stage, counted from 0, ends with a max pool.
    fn has_pool(&self, stage: usize) -> bool {
        stage > 0 || self.stem.pools(1) > 0
    }

    /// Returns whether a convolution is depthwise separable; it and its stage are counted from 0.
    fn is_separable(&self, stage: usize, index: usize) -> bool {
        self.separable && (stage, index) != (0, 0)
    }

    /// Returns the path of a convolution in the network, and whether it is depthwise separable.
    #[cfg(feature = "weights")]
    pub(super) fn convolution(&self, stage: usize, index: usize) -> (String, bool) {
        let separable = self.is_separable(stage, index);
        let path = match separable {
            // The first of the network is in the other list.
            true => {
                let index = index - usize::from(stage == 0);
                format!("stages.{stage}.separable.{index}")
            }
            false => format!("stages.{stage}.dense.{index}"),
        };
        (path, separable)
    }

    /// Makes the configuration of a dense convolution.
    fn dense(&self, channels: [usize; 2]) -> ConvNormConfig {
        let config = ConvNormConfig::new(channels, 3, self.layer_options())
            .with_padding(1)
            .with_bias();
        match self.batch_norm {
            true => config,
            false => config.without_norm(),
        }
    }
}
