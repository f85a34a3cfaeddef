//! Copies of the rows that convolutions in narrow groups read, between zeros.

use pulp::Simd;

use super::convolution::Input;
use crate::Padding2d;

/// The rows that some rows of the output read of a unit's channels.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnitRows<'a> {
    pub(super) input: Input<'a>,
    pub(super) padding: Padding2d,
    /// Channels of the input.
    pub(super) channels: usize,
    /// The unit's first channel.
    pub(super) first: usize,
    /// Channels of the unit.
    pub(super) count: usize,
    /// Channels of a group, each of whose values is copied to all lanes of the group; `None` where values are copied once.
    pub(super) spread: Option<usize>,
}

impl UnitRows<'_> {
    /// Copies rows of an image, from row `start` on, counted with the padding. A copied row has `row` elements, and
    /// behind the last one is a vector's room.
    #[inline(always)]
    pub(super) fn copy<S: Simd>(&self, image: usize, start: usize, row: usize, to: &mut [f32]) {
        let [height, width] = self.input.size;
        let of_a_pixel = match self.spread {
            None => self.count,
            Some(group) => group * S::F32_LANES,
        };
        let before = (self.padding.left * of_a_pixel).min(row);
        let pixels = ((row - before) / of_a_pixel).min(width);
        let after = before + pixels * of_a_pixel;
        for index in 0..to.len() / row {
            let to = &mut to[index * row..];
            let y = (start + index).checked_sub(self.padding.top);
            let Some(y) = y.filter(|&y| y < height && pixels > 0) else {
                to[..row].fill(0.0);
                continue;
            };
            let from = (image * height + y) * width * self.channels + self.first;
            let from = &self.input.values[from..];
            to[..before].fill(0.0);
            let copies = &mut to[before..];
            let each = from.chunks(self.channels).take(pixels);
            match self.spread {
                None => copy::<S>(from, self.channels, self.count, pixels, copies),
                Some(2) if S::F32_LANES < 8 => spread::<S, 2, 4>(each, self.count, copies),
                Some(2) => spread::<S, 2, 8>(each, self.count, copies),
                Some(4) => spread::<S, 4, 8>(each, self.count, copies),
                Some(_) => spread::<S, 8, 8>(each, self.count, copies),
            }
            to[after..row].fill(0.0);
        }
    }
}

/// Copies the first `count` values of pixels `pitch` elements apart. What a pixel's last vector has beyond them, what follows
/// overwrites.
///
/// # Panics
///
/// If there are too few values, or too little room.
#[inline(always)]
fn copy<S: Simd>(from: &[f32], pitch: usize, count: usize, pixels: usize, to: &mut [f32]) {
    match count.div_ceil(S::F32_LANES) {
        1 => copy_vectors::<S>(from, pitch, count, pixels, 1, to),
        vectors => copy_vectors::<S>(from, pitch, count, pixels, vectors, to),
    }
}

/// Copies pixels of so many vectors, as [`copy`] does.
#[inline(always)]
fn copy_vectors<S: Simd>(
    from: &[f32],
    pitch: usize,
    count: usize,
    pixels: usize,
    vectors: usize,
    to: &mut [f32],
) {
    let width = vectors * S::F32_LANES;
    // The pixels of which whole vectors lie in a slice.
    let whole = |length: usize, pitch: usize| match length.checked_sub(width) {
        Some(rest) => rest / pitch + 1,
        None => 0,
    };
    let whole = whole(from.len(), pitch)
        .min(whole(to.len(), count))
        .min(pixels);
    for pixel in 0..whole {
        for vector in 0..vectors {
            let lane = vector * S::F32_LANES;
            // SAFETY: the vectors of these pixels lie in the slices.
            unsafe {
                let from = from.as_ptr().add(pixel * pitch + lane).cast::<S::f32s>();
                let to = to.as_mut_ptr().add(pixel * count + lane).cast::<S::f32s>();
                to.write_unaligned(from.read_unaligned());
            }
        }
    }
    for pixel in whole..pixels {
        to[pixel * count..][..count].copy_from_slice(&from[pixel * pitch..][..count]);
    }
}

/// Copies the first `count` values of each pixel, each as many times as a vector has lanes: value `k` of a pixel is in each
/// lane that of the lane's group of `G` channels. The lanes are `C` by `C` copied.
#[inline(always)]
fn spread<'a, S: Simd, const G: usize, const C: usize>(
    pixels: impl Iterator<Item = &'a [f32]>,
    count: usize,
    to: &mut [f32],
) {
    let lanes = S::F32_LANES;
    for (to, from) in to.chunks_exact_mut(G * lanes).zip(pixels) {
        for first in (0..lanes).step_by(C) {
            let own = &from[first.min(count)..count];
            match own.first_chunk::<C>() {
                Some(values) => spread_some::<G, C>(values, lanes, &mut to[first..]),
                // The last unit may have fewer groups.
                None => {
                    let mut values = [0.0; C];
                    values[..own.len()].copy_from_slice(own);
                    spread_some::<G, C>(&values, lanes, &mut to[first..]);
                }
            }
        }
    }
}

/// Copies `C` values `G` times, `pitch` elements apart.
#[inline(always)]
fn spread_some<const G: usize, const C: usize>(values: &[f32; C], pitch: usize, to: &mut [f32]) {
    for k in 0..G {
        let spread: [f32; C] = std::array::from_fn(
            #[inline(always)]
            |lane| values[lane / G * G + k],
        );
        to[k * pitch..][..C].copy_from_slice(&spread);
    }
}
