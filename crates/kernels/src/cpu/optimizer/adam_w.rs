//! AdamW.

use pulp::Arch;
use rayon::prelude::*;

use super::{Divided, TASK};
use crate::AdamWSettings;

/// The numbers that the elements of a step are multiplied by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factors {
    /// Of the parameter: what its decay leaves.
    pub(crate) kept: f32,
    /// Of the gradient's distance from its mean.
    pub(crate) new_mean: f32,
    /// Of the old mean square.
    pub(crate) old_square: f32,
    /// Of the squared gradient.
    pub(crate) new_square: f32,
    /// Of the root of the mean square: the correction for its start from zero.
    pub(crate) root: f32,
    /// Added to the corrected root.
    pub(crate) epsilon: f32,
    /// Of the mean gradient, divided by the root.
    pub(crate) step_size: f32,
}

impl Factors {
    /// Computes the factors in double precision.
    pub(crate) fn new(settings: &AdamWSettings) -> Self {
        let correction = |beta: f64| 1.0 - beta.powf(settings.step as f64);
        Self {
            kept: (1.0 - settings.learning_rate * settings.weight_decay) as f32,
            new_mean: (1.0 - settings.beta1) as f32,
            old_square: settings.beta2 as f32,
            new_square: (1.0 - settings.beta2) as f32,
            root: correction(settings.beta2).sqrt().recip() as f32,
            epsilon: settings.epsilon as f32,
            step_size: (settings.learning_rate / correction(settings.beta1)) as f32,
        }
    }
}

/// Updates parameters, means and mean squares.
pub(crate) fn step(
    settings: &AdamWSettings,
    gradients: &[f32],
    [parameters, means, mean_squares]: [&mut [f32]; 3],
) {
    let arch = Arch::new();
    let factors = Factors::new(settings);
    let tasks = parameters.par_chunks_mut(TASK);
    let tasks = tasks.zip(gradients.par_chunks(TASK));
    let tasks = tasks.zip(means.par_chunks_mut(TASK));
    tasks
        .zip(mean_squares.par_chunks_mut(TASK))
        .divided()
        .for_each(|(((parameters, gradients), means), mean_squares)| {
            let each = parameters.iter_mut().zip(gradients).zip(means);
            let each = each.zip(mean_squares);
            arch.dispatch(
                #[inline(always)]
                || {
                    each.for_each(|(((parameter, gradient), mean), mean_square)| {
                        *mean += (gradient - *mean) * factors.new_mean;
                        let square = gradient * gradient * factors.new_square;
                        *mean_square = *mean_square * factors.old_square + square;
                        let root = mean_square.sqrt() * factors.root + factors.epsilon;
                        *parameter = *parameter * factors.kept - *mean / root * factors.step_size;
                    });
                },
            );
        });
}
