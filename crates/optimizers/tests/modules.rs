//! Whole modules: parts of a batch, averages with running statistics, any number of threads.

#![allow(clippy::unwrap_used)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use burn::store::ModuleRecord;
use burn::tensor::Distribution;
use burn::tensor::activation::relu;
use xception_optimizers::{
    AdamW, GradientAccumulator, MovingAverage, RmsProp, Smoothing, WeightDecay, clip_by_global_norm,
};

#[derive(Module, Debug)]
struct Network {
    first: Linear,
    norm: Option<BatchNorm>,
    last: Linear,
}

impl Network {
    fn new(with_norm: bool) -> Self {
        let device = Device::flex().autodiff();
        let _alone = seeded(&device, 1);
        let network = Self {
            first: LinearConfig::new(5, 400).init(&device),
            norm: with_norm.then(|| BatchNormConfig::new(400).init(&device)),
            last: LinearConfig::new(400, 300).init(&device),
        };
        // Parameters are drawn when they are first read.
        network.clone().into_record();
        network
    }

    /// Returns the mean loss over rows, whose gradients are given back.
    fn gradients(&self, rows: Tensor<2>) -> GradientsParams {
        let hidden = self.first.forward(rows);
        let hidden = match &self.norm {
            Some(norm) => norm.forward(hidden.unsqueeze_dim::<3>(2)).squeeze_dim(2),
            None => hidden,
        };
        let output = self.last.forward(relu(hidden));
        let loss = output.powf_scalar(2.0).mean();
        GradientsParams::from_grads(loss.backward(), self)
    }

    fn parameters(&self) -> Vec<f32> {
        let first = [self.first.weight.val(), self.last.weight.val()];
        let mut numbers: Vec<f32> = first
            .into_iter()
            .flat_map(|weight| weight.into_data().try_into_vec::<f32>().unwrap())
            .collect();
        if let Some(norm) = &self.norm {
            for running in [&norm.running_mean, &norm.running_var] {
                let running: Vec<f32> = running.value_sync().into_data().try_into_vec().unwrap();
                numbers.extend(running);
            }
        }
        numbers
    }
}

/// Seeds the random numbers of a device, which all tests of this process draw from: who holds the guard draws alone.
fn seeded(device: &Device, seed: u64) -> MutexGuard<'static, ()> {
    static DRAWING: Mutex<()> = Mutex::new(());
    let guard = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(seed);
    guard
}

fn rows(count: usize) -> Tensor<2> {
    let device = Device::flex();
    let _alone = seeded(&device, count as u64);
    let rows = Tensor::random([count, 5], Distribution::Normal(1.0, 2.0), &device);
    Tensor::from_inner(rows)
}

#[test]
fn parts_of_a_batch_have_the_gradients_of_the_batch() {
    let network = Network::new(false);
    let batch = rows(12);
    let whole = network.gradients(batch.clone());
    for parts in [vec![12], vec![4, 4, 4], vec![5, 7], vec![1, 9, 2]] {
        let mut accumulator = GradientAccumulator::new();
        let mut start = 0;
        for part in parts.clone() {
            let part_rows = batch.clone().narrow(0, start, part);
            accumulator.add(&network, network.gradients(part_rows), part as f64);
            start += part;
        }
        let found = accumulator.mean(&network);
        assert_eq!(found.len(), whole.len());
        for id in [network.first.weight.id, network.last.weight.id] {
            let [found, expected] = [&found, &whole].map(|g| g.get::<2>(id).unwrap());
            let distance = (found - expected.clone()).abs().max().into_scalar::<f32>();
            let size = expected.abs().max().into_scalar::<f32>();
            assert!(distance <= 2e-6 * size, "{parts:?}: {distance} of {size}");
        }
    }
    assert!(GradientAccumulator::new().mean(&network).is_empty());
}

#[test]
fn averages_follow_weights_and_running_statistics_and_resume_from_a_record() {
    let smoothing = Smoothing {
        decay: 0.9,
        warm_up: true,
    };
    let mut network = Network::new(true);
    let mut optimizer = ModuleOptimizer::from(RmsProp::default());
    let mut average = MovingAverage::new(smoothing, &network);
    let mut expected: Vec<f64> = network.parameters().into_iter().map(f64::from).collect();
    let start = expected.clone();
    for step in 1..=6 {
        let gradients = network.gradients(rows(8 + step));
        network = optimizer.step(0.01, network, gradients);
        average.update(&network);
        let decay = smoothing.decay_at(step);
        assert_eq!(decay, (1.0 + step as f64) / (10.0 + step as f64));
        for (expected, value) in expected.iter_mut().zip(network.parameters()) {
            *expected = *expected * decay + f64::from(value) * (1.0 - decay);
        }
        if step == 3 {
            let bytes = average.averaged(&network).into_record().into_bytes();
            let record = ModuleRecord::from_bytes(bytes.unwrap()).unwrap();
            // Any module of this form takes the record, identities of parameters included.
            let averaged = network.clone().fork(&Device::flex().autodiff());
            let averaged = averaged.valid().try_load_record(record).unwrap();
            average = MovingAverage::resume(smoothing, &averaged, 3);
        }
    }
    let raw = network.parameters();
    let found = average.averaged(&network).parameters();
    for (found, expected) in found.iter().zip(&expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-5 * expected.abs().max(1.0));
    }
    // Weights behind a unit that no row activates stay as they were; those are few.
    let still = found.iter().zip(&start).filter(|(f, s)| **f == **s as f32);
    assert!(still.count() < found.len() / 20);
    // The network has its own still.
    assert!(network.parameters() == raw);
    assert!(found != raw);
}

#[test]
fn an_average_without_memory_is_the_module() {
    let smoothing = Smoothing {
        decay: 0.0,
        warm_up: false,
    };
    let mut network = Network::new(true);
    let mut average = MovingAverage::new(smoothing, &network);
    let gradients = network.gradients(rows(9));
    network = ModuleOptimizer::from(AdamW::default()).step(0.01, network, gradients);
    average.update(&network);
    let found = average.averaged(&network).parameters();
    for (found, expected) in found.into_iter().zip(network.parameters()) {
        assert!((found - expected).abs() <= 1e-6 * expected.abs());
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let results = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let mut network = Network::new(false);
            let mut optimizer = ModuleOptimizer::from(AdamW {
                weight_decay: WeightDecay::of_kernels(0.1),
                ..AdamW::default()
            });
            let smoothing = Smoothing {
                decay: 0.5,
                warm_up: false,
            };
            let mut average = MovingAverage::new(smoothing, &network);
            for step in 0..3 {
                let gradients = network.gradients(rows(6 + step));
                let clipped = clip_by_global_norm(&network, gradients, 1e-3);
                network = optimizer.step(0.01, network, clipped.gradients);
                average.update(&network);
            }
            [
                network.parameters(),
                average.averaged(&network).parameters(),
            ]
        })
    });
    assert!(results[0] == results[1]);
}
