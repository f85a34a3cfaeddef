//! Depthwise convolution and its gradients.

mod forward;
mod input_gradient;
mod strip;
mod weight_gradient;
mod weights;
mod window;

pub(super) use forward::forward;
pub(super) use input_gradient::input_gradient;
pub(super) use weight_gradient::weight_gradient;

/// The columns that a unit computes of a row, so that it reads a pixel that several of them need once.
const COLUMNS: usize = 4;
