//! RMSprop.

use pulp::Arch;
use rayon::prelude::*;

use super::{Divided, TASK};
use crate::RmsPropSettings;

/// Updates parameters, mean squares and velocities.
pub(crate) fn step(
    settings: &RmsPropSettings,
    gradients: &[f32],
    [parameters, mean_squares, velocities]: [&mut [f32]; 3],
) {
    let arch = Arch::new();
    let [rate, momentum, epsilon, decay] = [
        settings.learning_rate,
        settings.momentum,
        settings.epsilon,
        settings.weight_decay,
    ]
    .map(|setting| setting as f32);
    let new = 1.0 - settings.decay as f32;
    let tasks = parameters.par_chunks_mut(TASK);
    let tasks = tasks.zip(gradients.par_chunks(TASK));
    let tasks = tasks.zip(mean_squares.par_chunks_mut(TASK));
    tasks
        .zip(velocities.par_chunks_mut(TASK))
        .divided()
        .for_each(|(((parameters, gradients), mean_squares), velocities)| {
            let each = parameters.iter_mut().zip(gradients).zip(mean_squares);
            let each = each.zip(velocities);
            arch.dispatch(
                #[inline(always)]
                || {
                    each.for_each(|(((parameter, gradient), mean_square), velocity)| {
                        let gradient = gradient + *parameter * decay;
                        *mean_square += (gradient * gradient - *mean_square) * new;
                        let scaled = gradient * rate / (*mean_square + epsilon).sqrt();
                        *velocity = *velocity * momentum + scaled;
                        *parameter -= *velocity;
                    });
                },
            );
        });
}
