//! Stochastic gradient descent.

use pulp::Arch;
use rayon::prelude::*;

use super::{Divided, TASK};
use crate::SgdSettings;

/// Updates parameters and their velocities.
pub(crate) fn step(
    settings: &SgdSettings,
    parameters: &mut [f32],
    gradients: &[f32],
    velocities: &mut [f32],
) {
    let arch = Arch::new();
    let [rate, momentum, decay] = [
        settings.learning_rate,
        settings.momentum,
        settings.weight_decay,
    ]
    .map(|setting| setting as f32);
    let tasks = parameters.par_chunks_mut(TASK);
    let tasks = tasks.zip(gradients.par_chunks(TASK));
    tasks
        .zip(velocities.par_chunks_mut(TASK))
        .divided()
        .for_each(|((parameters, gradients), velocities)| {
            let each = parameters.iter_mut().zip(gradients).zip(velocities);
            arch.dispatch(
                #[inline(always)]
                || match settings.nesterov {
                    false => each.for_each(|((parameter, gradient), velocity)| {
                        let gradient = gradient + *parameter * decay;
                        *velocity = gradient + *velocity * momentum;
                        *parameter -= *velocity * rate;
                    }),
                    true => each.for_each(|((parameter, gradient), velocity)| {
                        let gradient = gradient + *parameter * decay;
                        *velocity = gradient + *velocity * momentum;
                        *parameter -= (*velocity * momentum + gradient) * rate;
                    }),
                },
            );
        });
}
