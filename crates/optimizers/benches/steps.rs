//! Steps of the optimizers beside Burn's own, clipping and averages beside their operations one after the other, on a module of
//! 20 million parameters.
//!
//! `cargo bench -p xception-optimizers --bench steps -- [PART OF A NAME] [ROUNDS]` prints the median and the least milliseconds of
//! each, in alternating rounds, and the ratio of the least.

use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer, RmsPropConfig, SgdConfig};
use burn::prelude::*;
use xception_kernels::within_pool;
use xception_optimizers::{
    AdamW, MovingAverage, RmsProp, Sgd, Smoothing, WeightDecay, clip_by_global_norm,
};

/// The allocator that the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The size of Xception: pointwise kernels of its middle flow.
#[derive(Module, Debug)]
struct Layers {
    layers: Vec<Linear>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&String> = arguments.iter().filter(|a| *a != "--bench").collect();
    let part = arguments.first().map_or("", |part| part.as_str());
    let rounds = arguments.get(1).and_then(|text| text.parse().ok());
    within_pool(|| run(part, rounds.unwrap_or(15)));
}

fn run(part: &str, rounds: usize) {
    let device = Device::flex().autodiff();
    let layers = (0..38).map(|_| LinearConfig::new(728, 728).init(&device));
    let module = Layers {
        layers: layers.collect(),
    };
    println!("{} parameters", module.num_params());

    let penalty = || Some(WeightDecayConfig::new(1e-5));
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    let sgd = SgdConfig::new().with_momentum(Some(momentum));
    let pairs: [(&str, ModuleOptimizer, ModuleOptimizer); 3] = [
        (
            "SGD",
            ModuleOptimizer::from(Sgd {
                momentum: 0.9,
                nesterov: false,
                weight_decay: WeightDecay::of_all(1e-5),
            }),
            sgd.with_weight_decay(penalty()).init(),
        ),
        (
            "RMSprop",
            ModuleOptimizer::from(RmsProp {
                weight_decay: WeightDecay::of_all(1e-5),
                ..RmsProp::default()
            }),
            RmsPropConfig::new().with_weight_decay(penalty()).init(),
        ),
        (
            "AdamW",
            ModuleOptimizer::from(AdamW::default()),
            AdamWConfig::new().init(),
        ),
    ];
    for (name, own, burn) in pairs {
        if name.contains(part) {
            let mut own = Stepping::new(own, &module);
            let mut burn = Stepping::new(burn, &module);
            measure(name, rounds, &mut || own.step(), &mut || burn.step());
        }
    }
    if "clipping".contains(part) {
        let mut own = || {
            let gradients = gradients(&module);
            seconds(|| clip_by_global_norm(&module, gradients, 1.0))
        };
        let mut operations = || {
            let mut clipping = ByOperations(gradients(&module), Vec::new());
            seconds(|| {
                module.visit(&mut clipping);
                let norm = Tensor::cat(clipping.1.clone(), 0).sum().sqrt();
                let factor = norm.full_like(1.0) / norm.clamp_min(1.0);
                let gradients = gradients_of(&module, &mut clipping.0, &factor);
                (gradients, factor.into_scalar::<f32>())
            })
        };
        measure("clipping", rounds, &mut own, &mut operations);
    }
    if "moving average".contains(part) {
        let smoothing = Smoothing {
            decay: 0.9999,
            warm_up: true,
        };
        let mut average = MovingAverage::new(smoothing, &module);
        let mut averages: Vec<Linear> = module.valid().layers;
        let mut operations = || {
            seconds(|| {
                let follow = |old: Tensor<2>, new: Tensor<2>| old.clone() + (new - old) * 1e-4;
                for (average, layer) in averages.iter_mut().zip(&module.valid().layers) {
                    let value = layer.weight.val();
                    average.weight = average.weight.clone().map(|old| follow(old, value));
                }
            })
        };
        let mut own = || seconds(|| average.update(&module));
        measure("moving average", rounds, &mut own, &mut operations);
    }
}

/// A module on its way.
struct Stepping {
    optimizer: ModuleOptimizer,
    module: Option<Layers>,
}

impl Stepping {
    fn new(optimizer: ModuleOptimizer, module: &Layers) -> Self {
        // Tensors of its own, as in training, where no other module has them.
        let module = module.clone().fork(&Device::flex().autodiff());
        Self {
            optimizer,
            module: Some(module),
        }
    }

    fn step(&mut self) -> f64 {
        let Some(module) = self.module.take() else {
            return f64::NAN;
        };
        let gradients = gradients(&module);
        seconds(|| self.module = Some(self.optimizer.step(1e-3, module, gradients)))
    }
}

/// Returns gradients of all parameters, made anew.
fn gradients(module: &Layers) -> GradientsParams {
    let mut gradients = Making(GradientsParams::new());
    module.visit(&mut gradients);
    gradients.0
}

struct Making(GradientsParams);

impl ModuleVisitor for Making {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().inner().mul_scalar(0.1).add_scalar(1e-3);
        self.0.register(parameter.id, gradient);
    }
}

/// Gradients, with the sums of their squares.
struct ByOperations(GradientsParams, Vec<Tensor<1>>);

impl ModuleVisitor for ByOperations {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = self.0.get::<D>(parameter.id);
        self.1
            .extend(gradient.map(|gradient| gradient.square().sum()));
    }
}

/// Returns the gradients times a factor.
fn gradients_of(
    module: &Layers,
    gradients: &mut GradientsParams,
    factor: &Tensor<1>,
) -> GradientsParams {
    let mut scaled = GradientsParams::new();
    for layer in &module.layers {
        if let Some(gradient) = gradients.remove::<2>(layer.weight.id) {
            scaled.register(layer.weight.id, gradient * factor.clone().unsqueeze());
        }
    }
    scaled
}

fn seconds<R>(run: impl FnOnce() -> R) -> f64 {
    let start = Instant::now();
    let result = std::hint::black_box(run());
    let seconds = start.elapsed().as_secs_f64();
    drop(result);
    seconds
}

/// Measures two ways in alternating rounds.
fn measure(
    name: &str,
    rounds: usize,
    own: &mut dyn FnMut() -> f64,
    other: &mut dyn FnMut() -> f64,
) {
    for _ in 0..2 {
        own();
        other();
    }
    let (mut owns, mut others): (Vec<f64>, Vec<f64>) =
        (0..rounds).map(|_| (own(), other())).unzip();
    owns.sort_by(f64::total_cmp);
    others.sort_by(f64::total_cmp);
    let figures = |times: &[f64]| (times[times.len() / 2] * 1e3, times[0] * 1e3);
    let (own, other) = (figures(&owns), figures(&others));
    println!(
        "{name:16} own {:7.1} ms {:7.1} ms   operations {:7.1} ms {:7.1} ms   {:5.2} times",
        own.0,
        own.1,
        other.0,
        other.1,
        other.1 / own.1
    );
}
