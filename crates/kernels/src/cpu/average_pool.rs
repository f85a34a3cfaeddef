//! Average pooling: a depthwise convolution whose weights are all the same.

use pulp::Arch;
use rayon::prelude::*;

use super::depthwise::Depthwise;
use super::divided::Divided;
use super::plain::PlainConvolution;
use crate::Geometry;

/// Elements of a task that multiplies planes.
const TASK: usize = 16_384;

/// The sizes of an average pool, and the weights of its convolution.
#[derive(Debug)]
pub(crate) struct AveragePool {
    convolution: Depthwise,
    /// `[channels, kernel height, kernel width]`.
    weight: Vec<f32>,
    /// What the sum over each window is multiplied by, where it depends on the window.
    factors: Option<Vec<f32>>,
}

impl AveragePool {
    /// Returns the pool of an input of this shape, or `None` if the window doesn't fit or a window has no pixels.
    /// `counts_padding` says whether padded zeros count in the mean.
    pub(crate) fn new(
        [batch, channels, height, width]: [usize; 4],
        geometry: Geometry,
        counts_padding: bool,
    ) -> Option<Self> {
        let input = [height, width];
        let output = geometry.output_size(input)?;
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let plain = PlainConvolution {
            geometry,
            input,
            output,
        };
        let mut counts = vec![0f32; output[0] * output[1]];
        plain.each_product(|_, output, _| counts[output] += 1.0);
        if counts.contains(&0.0) {
            return None;
        }
        let alike = counts_padding || counts.iter().all(|&count| count == taps as f32);
        let weight = if alike { (taps as f32).recip() } else { 1.0 };
        Some(Self {
            convolution: Depthwise {
                batch,
                channels,
                multiplier: 1,
                input,
                output,
                geometry,
            },
            weight: vec![weight; channels * taps],
            factors: (!alike).then(|| counts.into_iter().map(f32::recip).collect()),
        })
    }

    /// Returns height and width of the output.
    pub(crate) fn output(&self) -> [usize; 2] {
        self.convolution.output
    }

    /// Computes the output.
    pub(crate) fn forward(&self, input: &[f32]) -> Vec<f32> {
        let mut output = self.convolution.forward(input, &self.weight, None);
        if let Some(factors) = &self.factors {
            multiply(&mut output, factors);
        }
        output
    }

    /// Computes the gradient of the input from that of the output.
    pub(crate) fn backward(&self, gradient: &[f32]) -> Vec<f32> {
        let Some(factors) = &self.factors else {
            return self.convolution.input_gradient(&self.weight, gradient);
        };
        let mut gradient = gradient.to_vec();
        multiply(&mut gradient, factors);
        self.convolution.input_gradient(&self.weight, &gradient)
    }
}

/// Multiplies each plane by the same factors.
fn multiply(planes: &mut [f32], factors: &[f32]) {
    let arch = Arch::new();
    let part = (TASK / factors.len()).max(1) * factors.len();
    planes.par_chunks_mut(part).divided().for_each(|planes| {
        arch.dispatch(
            #[inline(always)]
            || {
                for plane in planes.chunks_exact_mut(factors.len()) {
                    for (value, factor) in plane.iter_mut().zip(factors) {
                        *value *= factor;
                    }
                }
            },
        );
    });
}
