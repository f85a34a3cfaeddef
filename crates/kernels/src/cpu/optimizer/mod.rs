//! Steps of optimizers, each in one pass over a parameter. Each result is rounded as by the operations one after the other.

pub(crate) mod adam_w;
pub(crate) mod moving_average;
pub(crate) mod rms_prop;
pub(crate) mod sgd;
pub(crate) mod square_sum;

use super::divided::Divided;

/// Elements of a task. 65,536 of them take about twenty microseconds from memory.
const TASK: usize = 65_536;
