//! Gradients of a batch from those of its parts.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;

use crate::gradients::scale_gradients;

/// Sums gradients over the parts of a batch, for a batch that is too large for the memory in one piece.
///
/// Where the loss is a mean over a batch's images, the mean of the gradients, each weighted by the number of images of its part, is
/// the gradient of the whole batch, up to rounding. Batch normalization makes the difference: its statistics are those of a part.
#[derive(Debug, Default)]
pub struct GradientAccumulator {
    /// Sums, with the weights relative to that of the first part.
    sums: GradientsParams,
    first: f64,
    total: f64,
}

impl GradientAccumulator {
    /// Creates an accumulator without gradients.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the gradients of a part of the batch, whose weight is the number of its images, or in proportion to that.
    pub fn add<M: Module>(&mut self, module: &M, gradients: GradientsParams, weight: f64) {
        if self.total == 0.0 {
            self.first = weight;
        }
        self.total += weight;
        let mut adding = Adding {
            sums: &mut self.sums,
            gradients,
            factor: weight / self.first,
        };
        module.visit(&mut adding);
    }

    /// Returns the mean of the gradients, weighted; no gradients if there were none.
    pub fn mean<M: Module>(self, module: &M) -> GradientsParams {
        let factor = self.first / self.total;
        if factor == 1.0 {
            return self.sums; // a single part
        }
        scale_gradients(module, self.sums, factor)
    }
}

/// Adds gradients to sums.
struct Adding<'a> {
    sums: &'a mut GradientsParams,
    gradients: GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Adding<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(parameter.id) else {
            return;
        };
        let gradient = match self.factor {
            1.0 => gradient,
            factor => gradient.mul_scalar(factor),
        };
        let sum = match self.sums.remove::<D>(parameter.id) {
            Some(sum) => sum + gradient,
            None => gradient,
        };
        self.sums.register(parameter.id, sum);
    }
}
