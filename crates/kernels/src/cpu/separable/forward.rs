//! The forward pass by chunks.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::super::activation::activate_slice;
use super::super::copy::write;
use super::super::output::{SharedOutput, Unwritten, written_together};
use super::super::product::{Layout, Product, Strided};
use super::super::scratch::with_zeros;
use super::joined::Joined;
use super::statistics::{Moments, merged};
use super::{Convolved, Operands, Reading, Separable};

impl Separable {
    /// Computes the output chunk by chunk; the weights of the depthwise convolution must be finite.
    pub(super) fn forward_by_chunks(&self, operands: &Operands) -> Convolved {
        let Some(joined) = Joined::new(self) else {
            return self.forward_composed(operands);
        };
        let arch = Arch::new();
        let readings = self.readings(operands.norm);
        let [inner, outer] = [self.inputs, self.outputs].map(|channels| channels * self.pixels());
        let images = self.images_of_a_chunk();
        let lengths = [self.batch * inner, self.batch * outer];
        let parts = [images * inner, images * outer];
        let ([inner, output], moments) =
            written_together(lengths, parts, self.chunks(), |index, [to, output]| {
                let images = self.chunk(index);
                let length = joined.guarded() + 2 * joined.length();
                let inner = with_zeros(length, |scratch| {
                    arch.dispatch(DepthwiseChunk {
                        sizes: self,
                        joined: &joined,
                        readings: &readings,
                        operands,
                        images: images.clone(),
                        output: to,
                        scratch,
                    })
                });
                let product = Product {
                    left: Strided::dense(operands.pointwise, self.inputs),
                    right: Strided::planes(inner, self.inputs, self.pixels()),
                    size: [self.outputs, images.len() * self.pixels(), self.inputs],
                };
                let output = product.fill(output, Layout::planes(self.outputs, self.pixels()));
                let moments = Moments::of_channels(arch, output, self.outputs, self.pixels());
                ([inner, output], moments)
            });
        let (mean, variance) = merged(&moments, self.outputs);
        Convolved {
            inner,
            output,
            mean,
            variance,
        }
    }
}

/// The depthwise convolution of a chunk, with what comes before and after it.
struct DepthwiseChunk<'a, 'o> {
    sizes: &'a Separable,
    joined: &'a Joined,
    readings: &'a [Reading],
    operands: &'a Operands<'a>,
    images: Range<usize>,
    output: &'o mut Unwritten,
    /// Memory for what is read, what the convolution reads, and what it writes.
    scratch: &'a mut [f32],
}

impl<'o> WithSimd for DepthwiseChunk<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        let Self {
            sizes,
            joined,
            readings,
            operands,
            images,
            output,
            scratch,
        } = self;
        let (pixels, step) = (sizes.pixels(), sizes.inputs * sizes.pixels());
        let (source, rest) = scratch.split_at_mut(joined.length());
        let (results, buffer) = rest.split_at_mut(joined.length());
        assert!(output.len() == images.len() * step);
        let output = SharedOutput::new(output);
        for (channel, reading) in readings.iter().enumerate() {
            let filter = &operands.depthwise[channel * sizes.taps()..][..sizes.taps()];
            for first in images.clone().step_by(joined.planes) {
                let count = joined.planes.min(images.end - first);
                let at = first * step + channel * pixels;
                let source = joined.joined::<S>(operands.input, at, step, count, source);
                let guarded = &mut buffer[joined.guard()..][..joined.length()];
                reading.read(source, &joined.mask, guarded);
                joined.forward.gather_over(simd, buffer, filter, results);
                activate_slice(sizes.activation, results);
                let planes = results.chunks(joined.pitch).take(count);
                for (image, plane) in (first - images.start..).zip(planes) {
                    // SAFETY: each image's plane of a channel is written once, by this function alone.
                    let to = unsafe { output.slice(image * step + channel * pixels, pixels) };
                    write::<S>(&plane[..pixels], to);
                }
            }
        }
        // SAFETY: the loops have written the planes of all channels of all images of the chunk, which are all elements.
        unsafe { output.slice(0, images.len() * step).assume_init_mut() }
    }
}
