//! A step on several devices equals one on a single device.

#![allow(clippy::unwrap_used)] // in helpers too, which clippy.toml does not cover
#![allow(deprecated)] // Burn's NdArray, the second device of any machine

use std::sync::Mutex;

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::{GradientsParams, SgdConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;
use xception_parallel::{DataParallel, NamedDevice, Part, PartOutput, Place, Step, even_parts};

/// Images of 3 channels and 6 x 6 pixels.
const SIZE: [usize; 3] = [3, 6, 6];

#[derive(Module, Debug)]
struct Network {
    conv: Conv2d,
    norm: Option<BatchNorm>,
    classifier: Linear,
}

impl Network {
    /// The same network every time. Burn's generator is one for the whole process, and draws when a value is asked for.
    fn new(with_norm: bool, device: &Device) -> Self {
        static DRAWING: Mutex<()> = Mutex::new(());
        let _drawing = DRAWING.lock().unwrap();
        device.seed(7);
        let network = Self {
            conv: Conv2dConfig::new([3, 4], [3, 3]).init(device),
            norm: with_norm.then(|| BatchNormConfig::new(4).init(device)),
            classifier: LinearConfig::new(4, 2).init(device),
        };
        network.values();
        network
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut map = self.conv.forward(images);
        if let Some(norm) = &self.norm {
            map = norm.forward(map);
        }
        let [batch, channels, ..] = map.dims();
        let pooled = relu(map).reshape([batch, channels, 16]).mean_dim(2);
        self.classifier.forward(pooled.reshape([batch, channels]))
    }

    /// The mean over images of a loss.
    fn loss(&self, images: &[Vec<f32>], device: &Device) -> Tensor<1> {
        let data = TensorData::new(images.concat(), [images.len(), 3, 6, 6]);
        let logits = self.forward(Tensor::from_data(data, device));
        let targets = Tensor::<2>::from_floats([[1.0, -1.0]], device);
        (logits - targets).powf_scalar(2.0).sum_dim(1).mean()
    }

    /// All parameters and running statistics.
    fn values(&self) -> Vec<f32> {
        struct Values(Vec<f32>);

        impl ModuleVisitor for Values {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let values = param.val().try_into_vec_as::<f32>().unwrap();
                self.0.extend(values);
            }
        }

        let mut values = Values(Vec::new());
        self.valid().visit(&mut values);
        values.0
    }
}

fn images(count: usize) -> Vec<Vec<f32>> {
    let len: usize = SIZE.iter().product();
    let value = |i: usize| ((i * 7919 + 13) % 101) as f32 / 50.0 - 1.0;
    (0..count)
        .map(|image| (0..len).map(|i| value(image * len + i)).collect())
        .collect()
}

fn parallel(devices: &[Device]) -> DataParallel {
    let devices = devices.iter().enumerate();
    let named = devices.map(|(i, device)| NamedDevice::new(format!("device {i}"), device.clone()));
    DataParallel::new(named).unwrap()
}

fn forward(network: &Network, images: Vec<Vec<f32>>, place: &Place) -> PartOutput {
    let loss = network.loss(&images, &place.device);
    PartOutput {
        values: loss.clone(),
        loss,
    }
}

fn step(parallel: &DataParallel, network: Network, images: &[Vec<f32>]) -> Step<Network> {
    let parts = even_parts(images.len(), parallel.devices().len(), 1)
        .map(|range| Part {
            images: range.len(),
            input: images[range].to_vec(),
        })
        .collect();
    parallel.step(network, parts, forward).unwrap()
}

/// Trains for some steps, on batches of any sizes.
fn trained(devices: &[Device], with_norm: bool, batches: &[usize]) -> (Vec<f32>, Vec<f32>) {
    let parallel = parallel(devices);
    let mut network = Network::new(with_norm, &Device::flex().autodiff())
        .fork(&parallel.main().device().clone().autodiff());
    let mut optimizer = SgdConfig::new().init();
    let mut losses = Vec::new();
    for &count in batches {
        let images = images(count);
        let step = step(&parallel, network, &images);
        let sizes = even_parts(count, devices.len(), 1).map(|range| range.len());
        let mean = step.values.iter().zip(sizes);
        losses.push(mean.map(|(loss, size)| loss[0] * size as f32).sum::<f32>() / count as f32);
        network = optimizer.step(0.1, step.module, step.gradients);
    }
    (network.values(), losses)
}

/// Trains on one device by Burn's own means alone, each batch in these many parts whose gradients are added up, with the running
/// statistics of the parts averaged.
fn reference(parts: usize, with_norm: bool, batches: &[usize]) -> Vec<f32> {
    let device = Device::flex().autodiff();
    let mut network = Network::new(with_norm, &device);
    let mut optimizer = SgdConfig::new().init();
    for &count in batches {
        let images = images(count);
        let mut total: Option<Tensor<1>> = None;
        let mut statistics = [vec![0f64; 4], vec![0f64; 4]];
        let before = network.valid().train();
        for range in even_parts(count, parts, 1) {
            // One graph for all parts; only the running statistics are of a copy each.
            let part = Network {
                norm: before.valid().train().norm.map(|norm| BatchNorm {
                    gamma: network.norm.as_ref().unwrap().gamma.clone(),
                    beta: network.norm.as_ref().unwrap().beta.clone(),
                    ..norm
                }),
                ..network.clone()
            };
            let share = range.len() as f64 / count as f64;
            let loss = part.loss(&images[range], &device).mul_scalar(share);
            total = Some(match total {
                Some(sum) => sum + loss,
                None => loss,
            });
            if let Some(norm) = part.norm {
                for (sum, running) in statistics
                    .iter_mut()
                    .zip([norm.running_mean, norm.running_var])
                {
                    let values = running.value_sync().try_into_vec_as::<f32>().unwrap();
                    for (sum, value) in sum.iter_mut().zip(values) {
                        *sum += share * f64::from(value);
                    }
                }
            }
        }
        let gradients = GradientsParams::from_grads(total.unwrap().backward(), &network);
        network = optimizer.step(0.1, network, gradients);
        if let Some(norm) = &network.norm {
            for (running, values) in [&norm.running_mean, &norm.running_var]
                .into_iter()
                .zip(&statistics)
            {
                let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
                running.update(Tensor::from_floats(values.as_slice(), &device));
            }
        }
    }
    network.values()
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * expected.abs().max(1.0),
            "{index}: {found}, not {expected}"
        );
    }
}

/// Even, uneven, and fewer images than devices.
const BATCHES: [usize; 4] = [8, 7, 2, 5];

fn sets_of_devices() -> Vec<Vec<Device>> {
    let (flex, ndarray) = (Device::flex, Device::ndarray);
    vec![
        vec![flex(), flex()],
        vec![flex(), ndarray()],
        vec![ndarray(), flex(), flex()],
    ]
}

#[test]
fn without_batch_norm_the_result_is_that_of_one_device() {
    let expected = reference(1, false, &BATCHES);
    for devices in sets_of_devices() {
        let (found, _) = trained(&devices, false, &BATCHES);
        assert_close(&found, &expected, 1e-5);
    }
}

#[test]
fn with_batch_norm_the_result_is_that_of_parts_on_one_device() {
    let alone = reference(1, true, &BATCHES);
    for devices in sets_of_devices() {
        let expected = reference(devices.len(), true, &BATCHES);
        let (found, _) = trained(&devices, true, &BATCHES);
        assert_close(&found, &expected, 1e-4);
        // The statistics are those of a part, as documented, so that the result is another one than that of the whole batch.
        let differs = found.iter().zip(&alone).any(|(a, b)| (a - b).abs() > 1e-3);
        assert!(differs, "{} devices", devices.len());
    }
}

#[test]
fn one_device_computes_exactly_what_it_would_alone() {
    for with_norm in [false, true] {
        let (found, losses) = trained(&[Device::flex()], with_norm, &BATCHES);
        assert_eq!(found, reference(1, with_norm, &BATCHES));
        assert_eq!(losses.len(), BATCHES.len());
        assert!(losses.iter().all(|loss| loss.is_finite()));
    }
}

#[test]
fn what_is_frozen_stays_exactly() {
    let devices = [Device::flex(), Device::ndarray(), Device::flex()];
    let parallel = parallel(&devices);
    let device = Device::flex().autodiff();
    let network = Network::new(true, &device);
    let frozen = Network {
        conv: network.conv.clone().freeze(),
        norm: None,
        ..network.clone()
    };
    let before = frozen.values();
    let step = step(&parallel, frozen, &images(10));
    assert_eq!(step.gradients.len(), 2); // weight and bias of the classifier
    let after = SgdConfig::new()
        .init()
        .step(0.1, step.module, step.gradients)
        .values();
    let conv = 4 * 3 * 9 + 4;
    assert_eq!(after[..conv], before[..conv]);
    assert_ne!(after[conv..], before[conv..]);
}

#[test]
fn a_batch_without_images_gives_no_gradients() {
    let parallel = parallel(&[Device::flex(), Device::flex()]);
    let network = Network::new(true, &Device::flex().autodiff());
    let before = network.values();
    let step = step(&parallel, network, &[]);
    assert!(step.gradients.is_empty() && step.values.is_empty());
    assert_eq!(step.module.values(), before);
}
