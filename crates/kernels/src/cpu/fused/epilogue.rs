//! The operations that follow a convolution whose sums are in memory.

use pulp::Simd;

use super::super::product::micro_kernel::Rectify;

/// Applies an activation to all values.
#[inline(always)]
fn rectify_all<S: Simd>(simd: S, rectify: Rectify, values: &mut [f32]) {
    let ceiling = match rectify {
        Rectify::No => return,
        Rectify::Relu => f32::INFINITY,
        Rectify::Relu6 => 6.0,
    };
    let (vectors, rest) = S::as_mut_simd_f32s(values);
    for vector in vectors {
        *vector = rectify.apply(simd, *vector);
    }
    for value in rest {
        // Comparisons keep NaN, which `clamp` and `max` would not.
        if *value < 0.0 {
            *value = 0.0;
        } else if *value > ceiling {
            *value = ceiling;
        }
    }
}

/// Adds a residual, if there is one, and applies an activation.
#[inline(always)]
pub(super) fn finish<S: Simd>(
    simd: S,
    residual: Option<&[f32]>,
    rectify: Rectify,
    values: &mut [f32],
) {
    if let Some(residual) = residual {
        for (value, residual) in values.iter_mut().zip(residual) {
            *value += residual;
        }
    }
    rectify_all(simd, rectify, values);
}
