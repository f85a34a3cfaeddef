//! Exponential moving averages of a module's weights.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use xception_kernels::moving_average_step;

/// How an average follows the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing {
    /// The share of the average that stays at each update.
    pub decay: f64,
    /// Whether the decay of update `t`, counted from 1, is at most `(1 + t) / (10 + t)`, so that the weights from before the
    /// training are soon forgotten: `num_updates` of TensorFlow's `ExponentialMovingAverage`.
    pub warm_up: bool,
}

impl Smoothing {
    /// Returns the share of the average that stays at this update, counted from 1.
    pub fn decay_at(&self, update: usize) -> f64 {
        let update = update as f64;
        match self.warm_up {
            true => self.decay.min((1.0 + update) / (10.0 + update)),
            false => self.decay,
        }
    }
}

/// Exponential moving averages of all float parameters of a module, running statistics of batch normalization included, in the
/// place of B. Polyak's plain averages (B. Polyak and A. Juditsky, *Acceleration of Stochastic Approximation by Averaging*, 1992).
///
/// The averages begin as the module's weights, and follow them at each [`update`](Self::update), once after each step of the
/// optimizer. [`averaged`](Self::averaged) puts them into a module, which can be evaluated and saved as any other; from the saved
/// one and the number of updates the averages [`resume`](Self::resume), bit for bit.
#[derive(Debug)]
pub struct MovingAverage {
    smoothing: Smoothing,
    updates: usize,
    /// By the parameters' identities; a container of tensors of any rank.
    averages: GradientsParams,
}

impl MovingAverage {
    /// Begins with the weights of a module that is yet to be trained.
    pub fn new<M: Module>(smoothing: Smoothing, module: &M) -> Self {
        Self::resume(smoothing, module, 0)
    }

    /// Goes on from a module that has the averages after this number of updates.
    pub fn resume<M: Module>(smoothing: Smoothing, averaged: &M, updates: usize) -> Self {
        let mut average = Self {
            smoothing,
            updates,
            averages: GradientsParams::new(),
        };
        average.follow(averaged, 1.0); // there are no averages yet
        average
    }

    /// Follows the weights of the module.
    pub fn update<M: Module>(&mut self, module: &M) {
        self.updates += 1;
        self.follow(module, 1.0 - self.smoothing.decay_at(self.updates));
    }

    fn follow<M: Module>(&mut self, module: &M, share: f64) {
        let mut following = Following {
            old: std::mem::take(&mut self.averages),
            new: GradientsParams::new(),
            share,
        };
        // `valid` brings the running statistics up to date, and takes the weights out of autodiff mode.
        module.valid().visit(&mut following);
        self.averages = following.new;
    }

    /// Returns the number of updates so far.
    pub fn updates(&self) -> usize {
        self.updates
    }

    /// Returns the module with the averages in place of its parameters and running statistics, for evaluation: out of autodiff
    /// mode.
    pub fn averaged<M: Module>(&self, module: &M) -> M {
        let mut filling = Filling {
            averages: &self.averages,
        };
        // `valid` has running statistics of its own, so that those of the module stay as they are.
        module.valid().map(&mut filling)
    }
}

/// Moves averages towards the parameters of a module; once those of a parameter that the module has twice.
struct Following {
    old: GradientsParams,
    new: GradientsParams,
    share: f64,
}

impl ModuleVisitor for Following {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if self.new.get::<D>(parameter.id).is_some() {
            return;
        }
        let value = parameter.val();
        let average = match self.old.remove::<D>(parameter.id) {
            Some(average) => moving_average_step(average, value, self.share),
            None => value,
        };
        self.new.register(parameter.id, average);
    }
}

/// Puts averages into a module.
struct Filling<'a> {
    averages: &'a GradientsParams,
}

impl ModuleMapper for Filling<'_> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = parameter.consume();
        let value = self.averages.get::<D>(id).unwrap_or(value);
        Param::from_mapped_value(id, value, mapper)
    }
}
