//! Gradient clipping by the norm of all gradients together.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use xception_kernels::sum_of_squares;

/// Gradients whose norm is not more than a given one.
#[derive(Debug)]
pub struct Clipped {
    /// The gradients.
    pub gradients: GradientsParams,
    /// The norm that they had, shape `[1]`; `None` if there were no gradients.
    pub norm: Option<Tensor<1>>,
}

/// Scales the gradients of a module's parameters so that their norm, the root of the sum of all squares, is `most` if it is more
/// than that: R. Pascanu et al., *On the Difficulty of Training Recurrent Neural Networks*, 2013, as TensorFlow's function of this
/// name. Gradients of a smaller norm stay as they are, bit for bit.
///
/// Burn's optimizers clip the gradient of each parameter by its own norm, which changes the direction of the step.
pub fn clip_by_global_norm<M: Module>(
    module: &M,
    gradients: GradientsParams,
    most: f64,
) -> Clipped {
    let mut squares = Squares {
        given: gradients,
        seen: GradientsParams::new(),
        sum: None,
    };
    module.visit(&mut squares);
    let Some(sum) = squares.sum else {
        return Clipped {
            gradients: squares.seen,
            norm: None,
        };
    };
    let norm = sum.sqrt();
    // 1 where the norm is less: a number divided by itself.
    let factor = norm.full_like(most) / norm.clone().clamp_min(most);
    let mut scaling = Scaling {
        given: squares.seen,
        scaled: GradientsParams::new(),
        factor,
    };
    module.visit(&mut scaling);
    Clipped {
        gradients: scaling.scaled,
        norm: Some(norm),
    }
}

/// Sums the squares of gradients. A parameter that a module has twice is counted once.
struct Squares {
    given: GradientsParams,
    seen: GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let Some(gradient) = self.given.remove::<D>(parameter.id) else {
            return;
        };
        let squares = sum_of_squares(gradient.clone());
        self.sum = Some(match self.sum.take() {
            Some(sum) => squares.to_device(&sum.device()) + sum,
            None => squares,
        });
        self.seen.register(parameter.id, gradient);
    }
}

/// Multiplies gradients by a factor.
struct Scaling {
    given: GradientsParams,
    scaled: GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scaling {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.given.remove::<D>(parameter.id) {
            let factor = self.factor.clone().to_device(&gradient.device());
            let scaled = gradient * factor.reshape([1; D]);
            self.scaled.register(parameter.id, scaled);
        }
    }
}
