//! The statistics of the output's channels, from those of chunks.

use pulp::{Arch, Simd, WithSimd};

use super::super::sums::pair_of_sums_of_slices;

/// Values of a channel by whose mean sums are centered.
const FIRST: usize = 16;

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
        arch.dispatch(OfChannels {
            values,
            channels,
            pixels,
        })
    }
}

/// The computation of the moments of all channels.
struct OfChannels<'a> {
    values: &'a [f32],
    channels: usize,
    pixels: usize,
}

impl WithSimd for OfChannels<'_> {
    type Output = Moments;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Moments {
        let Self {
            values,
            channels,
            pixels,
        } = self;
        let count = (values.len() / channels) as f64;
        let mut moments = Vec::with_capacity(channels);
        for channel in 0..channels {
            let of_channel = &values[channel * pixels..];
            // Sums of distances from about the mean, whose squares cancel little.
            let first = &of_channel[..pixels.min(FIRST)];
            let center = first.iter().sum::<f32>() / first.len() as f32;
            let planes = of_channel.chunks(channels * pixels).map(
                #[inline(always)]
                |image| &image[..pixels],
            );
            let [distances, squares] = pair_of_sums_of_slices(
                planes,
                #[inline(always)]
                |value| [value - center, (value - center) * (value - center)],
            );
            let squares = squares - distances * distances / count;
            moments.push(Moment {
                mean: f64::from(center) + distances / count,
                squares: if squares < 0.0 { 0.0 } else { squares },
            });
        }
        Moments {
            count,
            channels: moments,
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
