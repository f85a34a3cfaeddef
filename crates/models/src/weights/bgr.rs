//! The networks of Keras that were trained on images in the order blue, green, red, as those of Caffe are. All networks
//! here take red first, so that on import the input channels of the first convolution are reversed.

use super::layer::{Origin, Part};
use super::layout::Layout;
use crate::preprocessing::{CAFFE_MEAN_BGR, Preprocessing, Preset, Scaling};

/// Returns a preset's preprocessing with Caffe's scaling in the order red, green, blue.
pub(crate) fn preprocessing(preset: Preset) -> Preprocessing {
    let [blue, green, red] = CAFFE_MEAN_BGR;
    Preprocessing {
        scaling: Scaling::MeanStd {
            mean: [red, green, blue].map(|mean| mean / 255.0),
            std: [1.0 / 255.0; 3],
        },
        ..preset.preprocessing()
    }
}

/// Reverses the input channels of the first convolution, whose kernel is this parameter.
pub(crate) fn reverse_inputs(parts: &mut [Part], kernel: &str) {
    for part in parts {
        if let Origin::Tensor { layout, .. } = &mut part.origin
            && part.parameter == kernel
        {
            *layout = Layout::HeightWidthBgrOut;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_taken_from_each_channel_of_0_to_255() {
        for preset in [Preset::KerasResnet50, Preset::KerasVgg16] {
            let Scaling::MeanStd { mean, std } = preprocessing(preset).scaling else {
                panic!("{preset}");
            };
            let scaled = |channel: usize| (1.0 - mean[channel]) / std[channel];
            for (channel, expected) in [255.0 - 123.68, 255.0 - 116.779, 255.0 - 103.939]
                .into_iter()
                .enumerate()
            {
                assert!((scaled(channel) - expected).abs() < 1e-4, "{channel}");
            }
        }
    }
}
