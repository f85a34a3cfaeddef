//! The statistics of the output's channels, from those of chunks.

use pulp::Arch;

use super::super::sums::sum_of_slices;

/// Mean and sum of squared distances from it, of a channel in some images.
#[derive(Debug, Clone, Copy)]
struct Moment {
    mean: f64,
    squares: f64,
}

/// The moments of all channels in some images.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    /// Values of a channel.
    count: f64,
    channels: Vec<Moment>,
}

impl Moments {
    /// Returns the moments of the channels of `[images, channels, pixels]`.
    pub(super) fn of_channels(arch: Arch, values: &[f32], channels: usize, pixels: usize) -> Self {
        let count = (values.len() / channels) as f64;
        let moment = |channel: usize| {
            arch.dispatch(
                #[inline(always)]
                || {
                    let planes = values[channel * pixels..].chunks(channels * pixels);
                    let planes = planes.map(
                        #[inline(always)]
                        |image| &image[..pixels],
                    );
                    let mean = sum_of_slices(
                        planes.clone(),
                        #[inline(always)]
                        |value| value,
                    ) / count;
                    let center = mean as f32;
                    let squares = sum_of_slices(
                        planes,
                        #[inline(always)]
                        |value| (value - center) * (value - center),
                    );
                    Moment { mean, squares }
                },
            )
        };
        Self {
            count,
            channels: (0..channels).map(moment).collect(),
        }
    }
}

/// Returns the mean and the biased variance of each channel in all chunks.
///
/// The squares of all are those of the chunks and of the means' distances from the mean of all (T. Chan et al.,
/// *Algorithms for Computing the Sample Variance*, 1983).
pub(super) fn merged(chunks: &[Moments], channels: usize) -> (Vec<f32>, Vec<f32>) {
    let total: f64 = chunks.iter().map(|chunk| chunk.count).sum();
    let merge = |channel: usize| {
        let of_chunks = || {
            chunks
                .iter()
                .map(|chunk| (chunk.count, chunk.channels[channel]))
        };
        let mean = of_chunks()
            .map(|(count, moment)| count * moment.mean)
            .sum::<f64>()
            / total;
        let squares = of_chunks().map(|(count, moment)| {
            moment.squares + count * (moment.mean - mean) * (moment.mean - mean)
        });
        (mean as f32, (squares.sum::<f64>() / total) as f32)
    };
    (0..channels).map(merge).unzip()
}
