//! Activations, element by element.

use pulp::Arch;
use rayon::prelude::*;

use super::divided::Divided;
use super::output::{called_once, write_values, written_in_parts};
use crate::Activation;

/// Elements of a task. 65,536 of them take about ten microseconds from the cache.
const TASK: usize = 65_536;

/// An activation whose gradient follows from its output. Both functions are free of branches once they are compiled, so
/// that they are computed in vectors.
trait Elementwise: Copy + Send + Sync {
    /// Returns the activation of a value, NaN for NaN.
    fn apply(value: f32) -> f32;
    /// Returns the gradient of the input from the output and its gradient.
    fn gradient(output: f32, gradient: f32) -> f32;
}

/// Returns `max(0, x)`, and NaN for NaN.
#[inline(always)]
pub(super) fn rectify(value: f32) -> f32 {
    if value <= 0.0 { 0.0 } else { value }
}

/// Returns the gradient of [`rectify`]: that of its output where the input is positive or NaN, else zero.
#[inline(always)]
pub(super) fn rectify_gradient(value: f32, gradient: f32) -> f32 {
    if value <= 0.0 { 0.0 } else { gradient }
}

/// `x`.
#[derive(Clone, Copy)]
struct Identity;

impl Elementwise for Identity {
    #[inline(always)]
    fn apply(value: f32) -> f32 {
        value
    }

    #[inline(always)]
    fn gradient(_output: f32, gradient: f32) -> f32 {
        gradient
    }
}

/// `max(0, x)`.
#[derive(Clone, Copy)]
struct Relu;

impl Elementwise for Relu {
    #[inline(always)]
    fn apply(value: f32) -> f32 {
        rectify(value)
    }

    #[inline(always)]
    fn gradient(output: f32, gradient: f32) -> f32 {
        rectify_gradient(output, gradient)
    }
}

/// `min(max(0, x), 6)`.
#[derive(Clone, Copy)]
struct Relu6;

impl Elementwise for Relu6 {
    #[inline(always)]
    fn apply(value: f32) -> f32 {
        let value = rectify(value);
        if value > 6.0 { 6.0 } else { value }
    }

    /// At 6, where there is no derivative, the gradient is zero, as above 6.
    #[inline(always)]
    fn gradient(output: f32, gradient: f32) -> f32 {
        if output >= 6.0 {
            0.0
        } else {
            rectify_gradient(output, gradient)
        }
    }
}

/// `x` where positive, `exp(x) - 1` elsewhere.
#[derive(Clone, Copy)]
struct Elu;

impl Elementwise for Elu {
    #[inline(always)]
    fn apply(value: f32) -> f32 {
        if value <= 0.0 {
            exponential_less_one(value)
        } else {
            value
        }
    }

    /// The slope `exp(x)` is the output and 1.
    #[inline(always)]
    fn gradient(output: f32, gradient: f32) -> f32 {
        if output <= 0.0 {
            gradient * (output + 1.0)
        } else {
            gradient
        }
    }
}

/// Returns `exp(x) - 1` of a number that isn't positive, to a few units in the last place.
///
/// With `x = n ln 2 + r` and `|r| <= ln 2 / 2` it is `2^n (exp(r) - 1) + (2^n - 1)`, without cancellation near zero, where
/// `n` is zero. `exp(r) - 1` is `r + r^2 p(r)`; the coefficients of `p` are those of the Taylor series, whose next term is
/// less than 1e-9 of `r`.
#[inline(always)]
fn exponential_less_one(value: f32) -> f32 {
    /// `ln 2`, in a part of few digits, whose products with small numbers are exact, and the rest.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Below, the result rounds to -1, and `2^n` stays a normal number.
    const LOWEST: f32 = -87.0;
    /// `1.5 * 2^23`: a number of at most 2^22 is rounded to a whole one by adding it and taking it away.
    const ROUNDING: f32 = 12_582_912.0;

    let value = if value < LOWEST { LOWEST } else { value };
    let shifted = value * std::f32::consts::LOG2_E + ROUNDING;
    let n = shifted - ROUNDING;
    let r = (value - n * LN_2[0]) - n * LN_2[1];
    let p = 1.0 / 5040.0 + r * (1.0 / 40320.0);
    let p = 1.0 / 720.0 + r * p;
    let p = 1.0 / 120.0 + r * p;
    let p = 1.0 / 24.0 + r * p;
    let p = 1.0 / 6.0 + r * p;
    let p = 0.5 + r * p;
    let less_one = r + r * r * p;
    // The lowest bits of the shifted number are `n`; the exponent of a number stands above its 23 bits.
    let exponent = shifted.to_bits().wrapping_sub(ROUNDING.to_bits());
    let power = f32::from_bits(exponent.wrapping_add(127) << 23);
    power * less_one + (power - 1.0)
}

fn forward_with<A: Elementwise>(input: &[f32]) -> Vec<f32> {
    let arch = Arch::new();
    let tasks = input.par_chunks(TASK);
    written_in_parts(input.len(), TASK, tasks, |from, to| {
        arch.dispatch(called_once(
            #[inline(always)]
            || {
                let values = from.iter().map(
                    #[inline(always)]
                    |value| A::apply(*value),
                );
                write_values(to, values)
            },
        ))
    })
}

fn in_place_with<A: Elementwise>(values: &mut [f32]) {
    let arch = Arch::new();
    values.par_chunks_mut(TASK).divided().for_each(|values| {
        arch.dispatch(
            #[inline(always)]
            || {
                for value in values {
                    *value = A::apply(*value);
                }
            },
        );
    });
}

fn backward_with<A: Elementwise>(output: &[f32], gradient: &[f32]) -> Vec<f32> {
    let arch = Arch::new();
    let tasks = output.par_chunks(TASK).zip(gradient.par_chunks(TASK));
    written_in_parts(output.len(), TASK, tasks, |(output, gradient), to| {
        arch.dispatch(called_once(
            #[inline(always)]
            || {
                let values = output.iter().zip(gradient).map(
                    #[inline(always)]
                    |(y, dy)| A::gradient(*y, *dy),
                );
                write_values(to, values)
            },
        ))
    })
}

/// Computes the activation of each element, NaN for NaN.
pub(crate) fn forward(activation: Activation, input: &[f32]) -> Vec<f32> {
    match activation {
        Activation::None => forward_with::<Identity>(input),
        Activation::Relu => forward_with::<Relu>(input),
        Activation::Relu6 => forward_with::<Relu6>(input),
        Activation::Elu => forward_with::<Elu>(input),
    }
}

/// Activates each element in place, as [`forward`] does.
pub(crate) fn in_place(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::None => {}
        Activation::Relu => in_place_with::<Relu>(values),
        Activation::Relu6 => in_place_with::<Relu6>(values),
        Activation::Elu => in_place_with::<Elu>(values),
    }
}

/// Computes the gradient of the input from the output and its gradient.
pub(crate) fn backward(activation: Activation, output: &[f32], gradient: &[f32]) -> Vec<f32> {
    match activation {
        Activation::None => backward_with::<Identity>(output, gradient),
        Activation::Relu => backward_with::<Relu>(output, gradient),
        Activation::Relu6 => backward_with::<Relu6>(output, gradient),
        Activation::Elu => backward_with::<Elu>(output, gradient),
    }
}

/// Activates the values of a slice on the calling thread.
#[inline(always)]
pub(super) fn activate_slice(activation: Activation, values: &mut [f32]) {
    #[inline(always)]
    fn apply<A: Elementwise>(values: &mut [f32]) {
        for value in values {
            *value = A::apply(*value);
        }
    }
    match activation {
        Activation::None => {}
        Activation::Relu => apply::<Relu>(values),
        Activation::Relu6 => apply::<Relu6>(values),
        Activation::Elu => apply::<Elu>(values),
    }
}

/// Makes gradients of outputs those of the inputs, on the calling thread.
#[inline(always)]
pub(super) fn gradient_slice(activation: Activation, outputs: &[f32], gradients: &mut [f32]) {
    #[inline(always)]
    fn apply<A: Elementwise>(outputs: &[f32], gradients: &mut [f32]) {
        for (gradient, output) in gradients.iter_mut().zip(outputs) {
            *gradient = A::gradient(*output, *gradient);
        }
    }
    match activation {
        Activation::None => {}
        Activation::Relu => apply::<Relu>(outputs, gradients),
        Activation::Relu6 => apply::<Relu6>(outputs, gradients),
        Activation::Elu => apply::<Elu>(outputs, gradients),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_exact_to_a_few_units() {
        let mut worst: f64 = 0.0;
        let mut value = -1e-30f32;
        while value > -120.0 {
            let (found, exact) = (exponential_less_one(value), f64::from(value).exp_m1());
            worst = worst.max(((f64::from(found) - exact) / exact).abs());
            value *= 1.000_3;
        }
        println!("largest relative difference: {worst:.1e}");
        assert!(worst < 3e-7, "{worst:e}");
        assert_eq!(exponential_less_one(0.0), 0.0);
        assert_eq!(exponential_less_one(-0.0), 0.0);
        assert_eq!(exponential_less_one(f32::NEG_INFINITY), -1.0);
    }

    #[test]
    fn what_is_not_a_number_stays_none() {
        for activation in [
            Activation::None,
            Activation::Relu,
            Activation::Relu6,
            Activation::Elu,
        ] {
            let values = forward(
                activation,
                &[f32::NAN, -1.0, f32::INFINITY, f32::NEG_INFINITY],
            );
            assert!(values[0].is_nan() && !values[1..].iter().any(|value| value.is_nan()));
            let mut in_place_values = [f32::NAN, -1.0, f32::INFINITY, f32::NEG_INFINITY];
            in_place(activation, &mut in_place_values);
            assert_eq!(values[1..], in_place_values[1..]);
        }
    }
}
