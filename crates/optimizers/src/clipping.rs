//! Gradient clipping by the norm of all gradients together.

use burn::module::Module;
use burn::optim::GradientsParams;

use crate::gradients::{Factor, Measured, global_norm, scale_by};

/// Scales the gradients of a module's parameters so that their norm, the root of the sum of all squares, is `most` if it is more
/// than that: R. Pascanu et al., *On the Difficulty of Training Recurrent Neural Networks*, 2013, as TensorFlow's function of this
/// name. Gradients of a smaller norm stay as they are, bit for bit. They are returned with the norm that they had.
///
/// Burn's optimizers clip the gradient of each parameter by its own norm, which changes the direction of the step.
pub fn clip_by_global_norm<M: Module>(
    module: &M,
    gradients: GradientsParams,
    most: f64,
) -> Measured {
    let measured = global_norm(module, gradients);
    let Some(norm) = measured.norm.clone() else {
        return measured;
    };
    // 1 where the norm is less: a number divided by itself.
    let factor = norm.full_like(most) / norm.clamp_min(most);
    Measured {
        gradients: scale_by(module, measured.gradients, Factor::Tensor(&factor)),
        norm: measured.norm,
    }
}
