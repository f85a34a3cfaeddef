//! A random crop after padding, and a random mirror image.

use rand::Rng;

use super::ImageKey;
use crate::dataset::CHANNELS;
use crate::keyed_rng::{Purpose, keyed_rng};

/// A crop of the padded image, and whether it is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PaddedCrop {
    /// The pixels added at each side.
    padding: usize,
    /// The crop's offset in the padded image, 0 to twice the padding, downwards and to the right.
    pub(super) offset: [usize; 2],
    pub(super) flip: bool,
}

impl PaddedCrop {
    /// Draws a crop. Always draws in the same order, whatever is switched on: turning the flip off leaves the crops as they are.
    pub(super) fn choose(padding: usize, may_flip: bool, key: ImageKey) -> Self {
        if padding == 0 && !may_flip {
            return Self {
                padding,
                offset: [0, 0],
                flip: false,
            };
        }
        let mut rng = keyed_rng(Purpose::Augmentation, key.seed, key.epoch, key.index.into());
        let flip = rng.random::<bool>() && may_flip;
        let last = 2 * padding as u64;
        let offset = [(); 2].map(|()| rng.random_range(0..=last) as usize);
        Self {
            padding,
            offset,
            flip,
        }
    }

    /// Crops an image, `[3, height, width]`, and scales its values: `scaling` is the factor and the summand of a channel.
    pub(super) fn apply(
        self,
        image: &[u8],
        [height, width]: [usize; 2],
        scaling: impl Fn(usize) -> (f32, f32),
        out: &mut [f32],
    ) {
        let [down, right] = self.offset;
        let rows = Overlap::new(down, self.padding, height);
        let columns = Overlap::new(right, self.padding, width);
        let plane = height * width;
        for channel in 0..CHANNELS {
            let (scale, black) = scaling(channel);
            let image = &image[channel * plane..][..plane];
            let out = &mut out[channel * plane..][..plane];
            if self.padding > 0 {
                out.fill(black);
            }
            for row in 0..rows.len {
                let source =
                    &image[(rows.source + row) * width..][..width][columns.source..][..columns.len];
                let target = &mut out[(rows.target + row) * width..][..width];
                let scaled = |(target, source): (&mut f32, &u8)| {
                    *target = f32::from(*source) * scale + black
                };
                if self.flip {
                    let start = width - columns.target - columns.len;
                    let target = &mut target[start..][..columns.len];
                    target.iter_mut().zip(source.iter().rev()).for_each(scaled);
                } else {
                    let target = &mut target[columns.target..][..columns.len];
                    target.iter_mut().zip(source).for_each(scaled);
                }
            }
        }
    }
}

/// Where a crop and the image overlap along one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Overlap {
    /// The first element of the image that the crop shows.
    source: usize,
    /// Its place in the crop.
    target: usize,
    /// The number of elements.
    len: usize,
}

impl Overlap {
    /// Of the crop at `offset` in an image of `len` elements with `padding` at each side.
    fn new(offset: usize, padding: usize, len: usize) -> Self {
        Self {
            source: offset.saturating_sub(padding),
            target: padding.saturating_sub(offset),
            len: len - offset.abs_diff(padding),
        }
    }
}
