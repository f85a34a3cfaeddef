//! What is measured of all gradients of a module together, and done to them.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use xception_kernels::sum_of_squares;

/// Gradients with their norm.
#[derive(Debug)]
pub struct Measured {
    /// The gradients, as they were given.
    pub gradients: GradientsParams,
    /// The root of the sum of all squares, shape `[1]`; `None` if there are no gradients. It is not finite where a gradient isn't.
    pub norm: Option<Tensor<1>>,
}

/// Measures the norm of the gradients of a module's parameters. A parameter that a module has twice is counted once.
pub fn global_norm<M: Module>(module: &M, gradients: GradientsParams) -> Measured {
    let mut squares = Squares {
        given: gradients,
        seen: GradientsParams::new(),
        sum: None,
    };
    module.visit(&mut squares);
    Measured {
        gradients: squares.seen,
        norm: squares.sum.map(Tensor::sqrt),
    }
}

/// Multiplies the gradients of a module's parameters by a factor.
pub fn scale_gradients<M: Module>(
    module: &M,
    gradients: GradientsParams,
    factor: f64,
) -> GradientsParams {
    scale_by(module, gradients, Factor::Number(factor))
}

/// Multiplies the gradients of a module's parameters by a factor, which may be on the device, and not known yet.
pub(crate) fn scale_by<M: Module>(
    module: &M,
    gradients: GradientsParams,
    factor: Factor<'_>,
) -> GradientsParams {
    let mut scaling = Scaling {
        given: gradients,
        scaled: GradientsParams::new(),
        factor,
    };
    module.visit(&mut scaling);
    scaling.scaled
}

/// A factor of gradients.
pub(crate) enum Factor<'a> {
    /// A number.
    Number(f64),
    /// A tensor of shape `[1]`.
    Tensor(&'a Tensor<1>),
}

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

struct Scaling<'a> {
    given: GradientsParams,
    scaled: GradientsParams,
    factor: Factor<'a>,
}

impl ModuleVisitor for Scaling<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let Some(gradient) = self.given.remove::<D>(parameter.id) else {
            return;
        };
        let scaled = match &self.factor {
            Factor::Number(factor) => gradient.mul_scalar(*factor),
            Factor::Tensor(factor) => {
                let factor = (*factor).clone().to_device(&gradient.device());
                gradient * factor.reshape([1; D])
            }
        };
        self.scaled.register(parameter.id, scaled);
    }
}
