//! Stochastic gradient descent.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource, join_path};
use burn::prelude::*;
use xception_kernels::{SgdSettings, sgd_step};

use crate::WeightDecay;

/// Stochastic gradient descent with momentum, as PyTorch defines it: the velocity is not dampened, and the learning rate
/// multiplies the velocity. It computes what Burn's `Sgd` does, and its records are the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// The share of the velocity that stays at each step.
    pub momentum: f64,
    /// Whether Nesterov's variant of momentum is used.
    pub nesterov: bool,
    /// The L2 penalty.
    pub weight_decay: WeightDecay,
}

/// The velocity of a parameter.
#[derive(Debug, Clone)]
pub struct Velocity<const D: usize>(Tensor<D>);

impl Optimizer for Sgd {
    type State<const D: usize> = Velocity<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        parameters: Tensor<D>,
        gradients: Tensor<D>,
        state: Option<Velocity<D>>,
    ) -> (Tensor<D>, Option<Velocity<D>>) {
        let settings = SgdSettings {
            learning_rate,
            momentum: self.momentum,
            nesterov: self.nesterov,
            weight_decay: self.weight_decay.factor_of_rank(D),
        };
        let velocity = state.map(|Velocity(velocity)| velocity);
        let (parameters, velocity) = sgd_step(parameters, gradients, velocity, &settings);
        // Without momentum there is nothing to remember.
        let state = (self.momentum > 0.0).then_some(Velocity(velocity));
        (parameters, state)
    }

    fn to_device<const D: usize>(state: Velocity<D>, device: &Device) -> Velocity<D> {
        Velocity(state.0.to_device(device))
    }
}

/// The names of Burn's `SgdState`, so that its records can be read.
impl<const D: usize> RecordState for Velocity<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        let path = join_path(prefix, "momentum");
        out.push_tensor(&path, "velocity", self.0.to_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let data = source.take_tensor(&join_path(prefix, "momentum"), "velocity")?;
        Some(Self(Tensor::from_data(data, device)))
    }
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, Param};
    use burn::optim::decay::WeightDecayConfig;
    use burn::optim::momentum::MomentumConfig;
    use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};

    use super::*;

    #[derive(Module, Debug)]
    struct Line {
        weight: Param<Tensor<2>>,
    }

    impl Line {
        fn new() -> Self {
            let device = Device::flex().autodiff();
            Self {
                weight: Param::from_data([[1.0, -2.0, 3.0]], &device),
            }
        }

        fn after_a_step(self, optimizer: &mut ModuleOptimizer) -> Self {
            let loss = self.weight.val().powf_scalar(2.0).sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &self);
            optimizer.step(0.1, self, gradients)
        }

        fn values(&self) -> Vec<f32> {
            self.weight.val().into_data().try_into_vec().unwrap()
        }
    }

    #[test]
    fn steps_as_burns_optimizer_does_and_resumes_its_records() {
        for nesterov in [false, true] {
            let momentum = MomentumConfig::new()
                .with_momentum(0.9)
                .with_dampening(0.0)
                .with_nesterov(nesterov);
            let mut burn = SgdConfig::new()
                .with_momentum(Some(momentum))
                .with_weight_decay(Some(WeightDecayConfig::new(0.01)))
                .init();
            let sgd = Sgd {
                momentum: 0.9,
                nesterov,
                weight_decay: WeightDecay::of_all(0.01),
            };
            let mut own = ModuleOptimizer::from(sgd);
            let (mut line, mut expected) = (Line::new(), Line::new());
            for _ in 0..3 {
                line = line.after_a_step(&mut own);
                expected = expected.after_a_step(&mut burn);
            }
            assert_eq!(line.values(), expected.values());

            // A record by its parameter's number, which a clone keeps.
            let bytes = burn.clone().into_bytes().unwrap();
            let mut resumed = ModuleOptimizer::from(sgd).from_bytes(bytes).unwrap();
            let found = expected.clone().after_a_step(&mut resumed);
            assert_eq!(found.values(), expected.after_a_step(&mut burn).values());
        }
    }
}
