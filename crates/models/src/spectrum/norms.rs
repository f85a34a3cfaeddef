//! Parts of batch normalizations: cut out, and put side by side.

use std::ops::Range;

use burn::module::{Param, RunningState};
use burn::nn::BatchNorm;
use burn::prelude::*;

/// Returns the normalization of some channels.
pub(super) fn cut(norm: &BatchNorm, channels: Range<usize>) -> BatchNorm {
    combine(norm, |part| part(norm).slice([channels.clone()]))
}

/// Returns the normalization of the channels of all of these, one after the other; `None` if there are none.
pub(super) fn join(norms: &[&BatchNorm]) -> Option<BatchNorm> {
    let first = norms.first()?;
    Some(combine(first, |part| {
        let parts = norms.iter().map(|norm| part(norm));
        Tensor::cat(parts.collect(), 0)
    }))
}

/// Reads one vector of a normalization.
type Part = fn(&BatchNorm) -> Tensor<1>;

/// Returns a normalization like `model`, whose vectors are made by a function of how to read them.
fn combine(model: &BatchNorm, make: impl Fn(Part) -> Tensor<1>) -> BatchNorm {
    let parameter = |part: Part| Param::from_tensor(make(part).detach());
    let running = |part: Part| RunningState::new(make(part).detach());
    BatchNorm {
        gamma: parameter(|norm| norm.gamma.val()),
        beta: parameter(|norm| norm.beta.val()),
        running_mean: running(|norm| norm.running_mean.value_sync()),
        running_var: running(|norm| norm.running_var.value_sync()),
        ..model.clone()
    }
}
