//! Agreement with TensorFlow, whose values `scripts/tensorflow_values.py` writes.

#![allow(clippy::unwrap_used)]

mod support;

use burn::optim::ModuleOptimizer;
use burn::prelude::*;
use support::{Pair, assert_close, fixture, lists, number, numbers, steps};
use xception_optimizers::{MovingAverage, RmsProp, Smoothing, WeightDecay, clip_by_global_norm};

#[test]
fn rms_prop_is_tensorflows() {
    let fixture = fixture("tensorflow.json");
    let cases = fixture["rms_prop"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let rms_prop = RmsProp {
            decay: number(case, "decay"),
            momentum: number(case, "momentum"),
            epsilon: number(case, "epsilon"),
            initial_mean_square: match number(case, "version") {
                1.0 => 1.0,
                _ => 0.0,
            },
            weight_decay: WeightDecay::of_all(number(case, "weight_decay")),
        };
        let found = steps(&fixture, || ModuleOptimizer::from(rms_prop));
        for (found, expected) in found.iter().zip(lists(&case["parameters"])) {
            for found in found {
                assert_close(found, &expected, &format!("{rms_prop:?}"));
            }
        }
    }
}

#[test]
fn moving_averages_are_tensorflows() {
    let fixture = fixture("tensorflow.json");
    for case in fixture["moving_average"].as_array().unwrap() {
        let smoothing = Smoothing {
            decay: number(case, "decay"),
            warm_up: case["warm_up"].as_bool().unwrap(),
        };
        let mut values = numbers(&fixture["start"]);
        let mut pair = Pair::new(&values, &Device::flex().autodiff());
        let mut average = MovingAverage::new(smoothing, &pair);
        let steps = lists(&fixture["gradients"]);
        for (gradient, expected) in steps.iter().zip(lists(&case["averages"])) {
            for (value, gradient) in values.iter_mut().zip(gradient) {
                *value -= gradient;
            }
            let next = Pair::new(&values, &Device::flex().autodiff());
            pair.matrix = pair.matrix.map(|_| next.matrix.val());
            pair.vector = pair.vector.map(|_| next.vector.val());
            average.update(&pair);
            for found in average.averaged(&pair).values() {
                assert_close(&found, &expected, &format!("{smoothing:?}"));
            }
        }
        assert_eq!(average.updates(), 8);
    }
}

#[test]
fn clipping_is_tensorflows() {
    let fixture = fixture("tensorflow.json");
    let gradients = lists(&fixture["gradients"]);
    for case in fixture["clipping"].as_array().unwrap() {
        let pair = Pair::new(&gradients[0], &Device::flex().autodiff());
        // The first step's gradients for the matrix, and the second's for the vector.
        let mut given = pair.gradients(&gradients[0]);
        let second = pair.gradients(&gradients[1]).get::<1>(pair.vector.id);
        given.register(pair.vector.id, second.unwrap());
        let mut clipped = clip_by_global_norm(&pair, given, number(case, "most"));
        let norm = clipped.norm.unwrap().into_scalar::<f32>();
        assert_close(&[norm], &[number(case, "norm") as f32], "the norm");
        let expected = lists(&case["gradients"]);
        let matrix = clipped.gradients.remove::<2>(pair.matrix.id).unwrap();
        let vector = clipped.gradients.remove::<1>(pair.vector.id).unwrap();
        let found: [Vec<f32>; 2] = [
            matrix.into_data().try_into_vec().unwrap(),
            vector.into_data().try_into_vec().unwrap(),
        ];
        for (found, expected) in found.iter().zip(&expected) {
            if norm < number(case, "most") as f32 {
                assert_eq!(found, expected);
            }
            assert_close(found, expected, "clipped gradients");
        }
    }
}
